// A value read without a copy: it points into a memtable, a mapped table or a cached block and keeps that alive.
// Small values are copied into the object instead, which is cheaper than keeping anything alive.
//
// Thread safety: one thread at a time; it may be destroyed on another thread and after its database was closed.
#pragma once

#include <array>
#include <cstddef>
#include <cstring>
#include <string>
#include <utility>

#include "firn/export.h"
#include "firn/slice.h"

namespace firn {

class FileMapping;

class PinnedValue {
 public:
  static constexpr std::size_t kInlineBytes = 128;
  // Called once with the pointer given to the constructor.
  using Release = void (*)(void* owner) noexcept;

  PinnedValue() noexcept = default;
  // Copies `value`, at most kInlineBytes bytes.
  explicit PinnedValue(Slice value) noexcept : size_(value.size()) {
    if (!value.empty()) std::memcpy(inline_.data(), value.data(), value.size());
  }
  // Points at `value`, which lives until `release(owner)`; into `mapping`, if not null, which lives as long.
  PinnedValue(Slice value, void* owner, Release release, const FileMapping* mapping = nullptr) noexcept
      : data_(value.data()), size_(value.size()), owner_(owner), release_(release), mapping_(mapping) {}

  PinnedValue(PinnedValue&& other) noexcept { take(other); }
  PinnedValue& operator=(PinnedValue&& other) noexcept {
    if (this != &other) {
      reset();
      take(other);
    }
    return *this;
  }
  PinnedValue(const PinnedValue&) = delete;
  PinnedValue& operator=(const PinnedValue&) = delete;
  ~PinnedValue() { reset(); }

  // Valid until this object is moved from, assigned to, reset or destroyed.
  Slice slice() const noexcept { return {release_ != nullptr ? data_ : inline_.data(), size_}; }
  std::size_t size() const noexcept { return size_; }
  // Whether what was read of slice() before this call is the value. A value that points into a mapped table was whole
  // when it was handed out; should the system drop its pages later and the device fail to give them again, they read as
  // zeros, and this answers false from then on. Another get then reads the file without the mapping: it gives the value
  // or the error. For whoever must be sure: use or copy the bytes, then ask. DB::get() does so itself.
  FIRN_EXPORT bool intact() const noexcept;
  std::string to_string() const { return std::string(slice()); }

  void reset() noexcept {
    if (release_ != nullptr) std::exchange(release_, nullptr)(owner_);
    size_ = 0;
  }

 private:
  void take(PinnedValue& other) noexcept {
    size_ = std::exchange(other.size_, 0);
    release_ = std::exchange(other.release_, nullptr);
    data_ = other.data_;
    owner_ = other.owner_;
    mapping_ = other.mapping_;
    if (release_ == nullptr && size_ != 0) std::memcpy(inline_.data(), other.inline_.data(), size_);
  }

  const char* data_ = nullptr;
  std::size_t size_ = 0;
  void* owner_ = nullptr;
  Release release_ = nullptr;
  const FileMapping* mapping_ = nullptr;
  std::array<char, kInlineBytes> inline_;  // NOLINT: only the first size_ bytes are ever read.
};

}  // namespace firn
