// Bytes of a fuzzer as small choices and pieces, taken from the front; when there are no more, zeros and empty pieces.
#pragma once

#include <cstddef>
#include <cstdint>

#include "firn/slice.h"

namespace firn::fuzz {

class Input {
 public:
  explicit Input(Slice bytes) : bytes_(bytes) {}

  bool empty() const { return bytes_.empty(); }
  std::size_t size() const { return bytes_.size(); }
  // At most `bytes` bytes.
  Slice take(std::size_t bytes) {
    const Slice front = bytes_.substr(0, bytes);
    bytes_.remove_prefix(front.size());
    return front;
  }
  Slice rest() { return take(bytes_.size()); }

  std::uint8_t byte() { return static_cast<std::uint8_t>(number(1)); }
  // Little-endian, of `bytes` <= 8 bytes.
  std::uint64_t number(std::size_t bytes) {
    const Slice digits = take(bytes);
    std::uint64_t value = 0;
    for (std::size_t i = digits.size(); i-- > 0;) value = value << 8 | static_cast<std::uint8_t>(digits[i]);
    return value;
  }

 private:
  Slice bytes_;
};

}  // namespace firn::fuzz
