// The limits of the contract (firn/slice.h, DB::create_family) with the words that answer a call beyond them.
//
// Thread safety: free functions without state.
#pragma once

#include <string>

#include "firn/slice.h"
#include "firn/status.h"

namespace firn::lsm {

inline constexpr std::size_t kFamilyNameBytesMax = 255;

inline Status check_key(Slice key) {
  if (key.size() <= kKeyBytesMax) [[likely]]
    return {};
  return Status(StatusCode::kInvalidArgument,
                "key of " + std::to_string(key.size()) + " bytes: the limit is " + std::to_string(kKeyBytesMax));
}

inline Status check_value(Slice value) {
  if (value.size() <= kValueBytesMax) [[likely]]
    return {};
  return Status(StatusCode::kInvalidArgument,
                "value of " + std::to_string(value.size()) + " bytes: the limit is " + std::to_string(kValueBytesMax));
}

inline Status check_family_name(const std::string& name) {
  if (name.empty()) return Status(StatusCode::kInvalidArgument, "family name is empty: give it 1 to 255 bytes");
  if (name.size() <= kFamilyNameBytesMax) return {};
  return Status(StatusCode::kInvalidArgument, "family name of " + std::to_string(name.size()) +
                                                  " bytes: the limit is " + std::to_string(kFamilyNameBytesMax));
}

}  // namespace firn::lsm
