// Format: codec/keys/tuple_format.h. Tested by tests/codec/keys/tuple_test.cc.
#include <bit>
#include <cmath>
#include <cstring>
#include <string>

#include "codec/keys/big_endian.h"
#include "codec/keys/tuple_format.h"
#include "firn/codec/tuple.h"

namespace firn::codec {
namespace {

// Reads parts from stored bytes. Every read returns false where the bytes are not what TupleWriter writes, with `why`.
class PartParser {
 public:
  explicit PartParser(Slice bytes) : at_(bytes.data()), end_(bytes.data() + bytes.size()) {}

  const char* at() const { return at_; }
  const char* why() const { return why_; }
  std::size_t left() const { return static_cast<std::size_t>(end_ - at_); }

  // The next byte xor `mask`; precondition: left() > 0.
  unsigned char peek(unsigned char mask) const { return static_cast<unsigned char>(*at_) ^ mask; }

  // Precondition: left() > 0 and peek(mask) is not kEnd. `depth`: vectors around the part.
  bool part(unsigned char mask, std::size_t depth, TuplePart& out) {
    unsigned char tag = peek(mask);
    out.direction = Direction::kAscending;
    if ((tag & kDescendingBit) != 0) {
      out.direction = Direction::kDescending;
      tag = static_cast<unsigned char>(~tag);
      mask = static_cast<unsigned char>(~mask);
    }
    ++at_;
    if (tag >= kNegativeHugeTag && tag <= kPositiveHugeTag) return number(tag, mask, out);
    switch (tag) {
      case kNilTag: out.kind = TupleKind::kNil; return true;
      case kStringTag: out.kind = TupleKind::kString; return text(mask, out.text);
      case kKeywordTag: out.kind = TupleKind::kKeyword; return text(mask, out.name_space) && text(mask, out.text);
      case kInstantTag: return instant(mask, out);
      case kVectorTag: return vector(mask, depth, out);
      default: --at_; return fail("unknown type of part");
    }
  }

 private:
  bool fail(const char* why) {
    why_ = why;
    return false;
  }

  // `count` bytes, 0 to 8, as a big-endian number.
  bool big_endian(std::size_t count, unsigned char mask, std::uint64_t& value) {
    if (left() < count) return fail("the key ends within a part");
    value = 0;
    for (std::size_t i = 0; i < count; ++i) value = value << 8 | (static_cast<unsigned char>(at_[i]) ^ mask);
    at_ += count;
    return true;
  }

  bool number(unsigned char tag, unsigned char mask, TuplePart& out) {
    const bool negative = tag <= kNegativeTag;
    if (negative) mask = static_cast<unsigned char>(~mask);
    if (tag == kNegativeHugeTag || tag == kPositiveHugeTag) return huge(negative, mask, out);
    const auto count = static_cast<std::size_t>(negative ? kNegativeTag - tag : tag - kPositiveTag);
    std::uint64_t magnitude = 0;
    if (!big_endian(count, mask, magnitude)) return false;
    if (count != 0 && magnitude >> (8 * (count - 1)) == 0) return fail("a number begins with a zero byte");
    if (left() == 0) return fail("the key ends within a part");
    const auto end = static_cast<NumberEnd>(peek(mask));
    ++at_;
    if (end == NumberEnd::kFraction) return fraction(negative, magnitude, mask, out);
    if (end == (negative ? NumberEnd::kNegativeInteger : NumberEnd::kPositiveInteger)) {
      out.kind = TupleKind::kInteger;
      out.integer = static_cast<std::int64_t>(negative ? 0 - magnitude : magnitude);
      if (negative != (out.integer < 0)) return fail("an integer is beyond 64 bits, signed");
      return true;
    }
    if (end == (negative ? NumberEnd::kNegativeDouble : NumberEnd::kPositiveDouble)) {
      // A double has 53 significant bits: more are not a double that was written.
      if (magnitude != 0 && magnitude >> std::countr_zero(magnitude) >> 53 != 0) {
        return fail("a double is not one");
      }
      set_double(negative, static_cast<double>(magnitude), out);
      return true;
    }
    return fail("unknown type of number");
  }

  bool huge(bool negative, unsigned char mask, TuplePart& out) {
    std::uint64_t bits = 0;
    if (!big_endian(8, mask, bits)) return false;
    if (bits < kHugeMinBits || bits > kInfinityBits) return fail("a double is out of its range");
    set_double(negative, std::bit_cast<double>(bits), out);
    return true;
  }

  bool fraction(bool negative, std::uint64_t whole, unsigned char mask, TuplePart& out) {
    std::uint64_t bits = 0;
    if (!big_endian(8, mask, bits)) return false;
    if (bits == 0 || bits >= kOneBits || whole >> 53 != 0) return fail("a fraction is out of its range");
    const double fraction = std::bit_cast<double>(bits);
    const double magnitude = static_cast<double>(whole) + fraction;
    if (magnitude - static_cast<double>(whole) != fraction) return fail("a double is not one");
    set_double(negative, magnitude, out);
    return true;
  }

  static void set_double(bool negative, double magnitude, TuplePart& out) {
    out.kind = TupleKind::kDouble;
    out.number = negative ? -magnitude : magnitude;
  }

  bool text(unsigned char mask, TupleText& out) {
    const auto* end = left() == 0 ? nullptr : static_cast<const char*>(std::memchr(at_, kEnd ^ mask, left()));
    if (end == nullptr) return fail("a text does not end");
    const Slice encoded(at_, static_cast<std::size_t>(end - at_));
    const auto escape = static_cast<char>(kEscape ^ mask);
    const std::size_t first = encoded.find(escape);
    for (std::size_t i = first; i < encoded.size(); i = encoded.find(escape, i + 2)) {
      const auto code = i + 1 < encoded.size() ? static_cast<unsigned char>(encoded[i + 1]) ^ mask : 0;
      if (code != kEscapedZero && code != kEscapedOne) return fail("a text holds an unknown escape");
    }
    out = TupleText(encoded, mask, first != Slice::npos);
    at_ = end + 1;
    return true;
  }

  bool instant(unsigned char mask, TuplePart& out) {
    std::uint64_t bits = 0;
    if (!big_endian(8, mask, bits)) return false;
    out.kind = TupleKind::kInstant;
    out.integer = signed_from_ordered(bits);
    return true;
  }

  // Checks the whole vector, so that reading its elements later cannot fail.
  bool vector(unsigned char mask, std::size_t depth, TuplePart& out) {
    if (depth == kTupleDepthMax) return fail("vectors are nested deeper than 32");
    const char* start = at_;
    TuplePart element;
    while (left() > 0 && peek(mask) != kEnd) {
      if (!part(mask, depth + 1, element)) return false;
    }
    if (left() == 0) return fail("a vector does not end");
    ++at_;
    out.kind = TupleKind::kVector;
    out.elements = Slice(start, static_cast<std::size_t>(at_ - start));
    out.mask = mask;
    return true;
  }

  const char* at_;
  const char* end_;
  const char* why_ = nullptr;
};

}  // namespace

Slice TupleText::view(std::string& scratch) const {
  if (mask_ == 0 && !escaped_) return encoded_;
  scratch.assign(encoded_);
  std::size_t size = 0;
  for (std::size_t i = 0; i < encoded_.size(); ++i) {
    auto byte = static_cast<unsigned char>(encoded_[i]) ^ mask_;
    if (byte == kEscape) byte = (static_cast<unsigned char>(encoded_[++i]) ^ mask_) == kEscapedZero ? 0 : 1;
    scratch[size++] = static_cast<char>(byte);
  }
  scratch.resize(size);
  return scratch;
}

bool TupleReader::next() {
  if (done_) return false;
  PartParser parser(rest_);
  const char* why = "the key does not end as a tuple does";
  if (!rest_.empty()) {
    if (parser.peek(mask_) == kEnd) {
      if (rest_.size() == 1) {
        done_ = true;
        return false;
      }
      why = "bytes follow the end of the tuple";
    } else if (parser.part(mask_, 0, part_)) {
      rest_ = Slice(parser.at(), parser.left());
      return true;
    } else {
      why = parser.why();
    }
  }
  done_ = true;
  status_ = Status(StatusCode::kInvalidArgument,
                   "not a tuple key: byte " + std::to_string(parser.at() - begin_) + ": " + why);
  return false;
}

}  // namespace firn::codec
