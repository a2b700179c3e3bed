// Bytes as hexadecimal, for golden values in tests.
#pragma once

#include <cstddef>
#include <string>

#include "firn/slice.h"

namespace firn::codec {

inline std::string to_hex(Slice bytes) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string out;
  for (const char byte : bytes) {
    out.push_back(kDigits[static_cast<unsigned char>(byte) >> 4]);
    out.push_back(kDigits[static_cast<unsigned char>(byte) & 15]);
  }
  return out;
}

// Precondition: pairs of hexadecimal digits; blanks are passed over.
inline std::string from_hex(Slice text) {
  std::string digits;
  for (const char c : text) {
    if (c != ' ') digits.push_back(c);
  }
  std::string out;
  for (std::size_t i = 0; i + 1 < digits.size(); i += 2) {
    out.push_back(static_cast<char>(std::stoi(digits.substr(i, 2), nullptr, 16)));
  }
  return out;
}

}  // namespace firn::codec
