// A key that is put together over and over: bytes that grow and are never cleared.
//
// Thread safety: one thread at a time.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstring>
#include <memory>

#include "firn/slice.h"
#include "sstable/value_format.h"

namespace firn::lsm {

class KeyBuffer {
 public:
  static constexpr std::size_t kSlackBytes = 16;

  KeyBuffer() = default;
  KeyBuffer(const KeyBuffer&) = delete;
  KeyBuffer& operator=(const KeyBuffer&) = delete;

  Slice slice() const { return {data_, size_}; }
  // Room for `bytes`, and for kSlackBytes beyond them; what was there is lost.
  char* reserve(std::size_t bytes) {
    if (bytes > capacity_) [[unlikely]]
      grow(bytes);
    return data_;
  }
  // What reserve() gave room for was filled with `bytes`.
  void set_size(std::size_t bytes) { size_ = bytes; }
  void assign(Slice key) {
    if (!key.empty()) std::memcpy(reserve(key.size()), key.data(), key.size());
    size_ = key.size();
  }

 private:
  static constexpr std::size_t kInlineBytes = 64;

  void grow(std::size_t bytes) {
    capacity_ = std::max(bytes, 2 * capacity_);
    large_ = std::make_unique_for_overwrite<char[]>(capacity_ + kSlackBytes);
    data_ = large_.get();
  }

  std::array<char, kInlineBytes + kSlackBytes> inline_;  // NOLINT: only what was written is read.
  std::unique_ptr<char[]> large_;
  char* data_ = inline_.data();
  std::size_t capacity_ = kInlineBytes;
  std::size_t size_ = 0;
};

class TableFile;

// What a run has beside the key.
struct RunEntry {
  Slice value;
  const TableFile* separated = nullptr;  // The table through which `reference` leads to the value, which is elsewhere.
  ValueReference reference;
};

}  // namespace firn::lsm
