// Format: codec/keys/tuple_format.h. Tested by tests/codec/keys/tuple_test.cc.
#include <bit>
#include <cmath>

#include "codec/keys/big_endian.h"
#include "codec/keys/tuple_format.h"
#include "firn/codec/tuple.h"

namespace firn::codec {
namespace {

constexpr std::size_t kNumberBytesMax = 1 + 8 + 1 + 8;  // Tag, integer bytes, end, fraction.

void complement(char* bytes, std::size_t size) {
  for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<char>(~bytes[i]);
}

// Writes a number below 2^64: its magnitude's integer part and its end; the size. `out` has room for 8 bytes more than
// that, for the fraction.
std::size_t put_number(char* out, bool negative, std::uint64_t magnitude, NumberEnd end) {
  const auto count = static_cast<std::size_t>(std::bit_width(magnitude) + 7) / 8;
  out[0] = static_cast<char>(negative ? kNegativeTag - count : kPositiveTag + count);
  // The top `count` bytes are what is wanted; a shift by 64 is not a shift.
  if (count != 0) store_big_endian(out + 1, magnitude << (64 - 8 * count));
  out[1 + count] = static_cast<char>(end);
  return 1 + count + 1;
}

// Bytes of `text` before the first that is 0x00 or 0x01.
std::size_t plain_bytes(Slice text) {
  std::size_t i = 0;
  for (; i + 8 <= text.size(); i += 8) {
    // The high bit of every byte below 2; of none before the first of these.
    const auto word = load<std::uint64_t>(text.data() + i);
    const std::uint64_t found = (word - 0x0202020202020202) & ~word & 0x8080808080808080;
    if (found != 0) return i + static_cast<std::size_t>(std::countr_zero(found)) / 8;
  }
  while (i < text.size() && static_cast<unsigned char>(text[i]) > kEscape) ++i;
  return i;
}

}  // namespace

TupleWriter& TupleWriter::fail(Failure failure) {
  if (failure_ == Failure::kNone) failure_ = failure;
  return *this;
}

void TupleWriter::complement_from(std::size_t offset) { complement(out_.data() + offset, out_.size() - offset); }

TupleWriter& TupleWriter::append_part(const char* bytes, std::size_t size, Direction direction) {
  if (failure_ != Failure::kNone) return *this;
  const std::size_t start = out_.size();
  out_.append(bytes, size);
  if (direction == Direction::kDescending) complement_from(start);
  return *this;
}

TupleWriter& TupleWriter::add(std::nullptr_t, Direction direction) {
  constexpr char kBytes[] = {static_cast<char>(kNilTag)};
  return append_part(kBytes, sizeof kBytes, direction);
}

TupleWriter& TupleWriter::add_integer(std::int64_t value, Direction direction) {
  char bytes[kNumberBytesMax];
  const bool negative = value < 0;
  const auto bits = static_cast<std::uint64_t>(value);
  const std::size_t size = put_number(bytes, negative, negative ? 0 - bits : bits,
                                      negative ? NumberEnd::kNegativeInteger : NumberEnd::kPositiveInteger);
  if (negative) complement(bytes + 1, size - 1);
  return append_part(bytes, size, direction);
}

TupleWriter& TupleWriter::add(double value, Direction direction) {
  if (std::isnan(value)) return fail(Failure::kNan);
  char bytes[kNumberBytesMax];
  std::size_t size = 0;
  const bool negative = std::signbit(value);
  const double magnitude = std::fabs(value);
  if (magnitude >= kHugeMin) {
    bytes[0] = static_cast<char>(negative ? kNegativeHugeTag : kPositiveHugeTag);
    store_big_endian(bytes + 1, std::bit_cast<std::uint64_t>(magnitude));
    size = 1 + 8;
  } else {
    const auto whole = static_cast<std::uint64_t>(magnitude);
    const double fraction = magnitude - static_cast<double>(whole);  // Exact: both share the double's exponent range.
    const NumberEnd plain = negative ? NumberEnd::kNegativeDouble : NumberEnd::kPositiveDouble;
    size = put_number(bytes, negative, whole, fraction == 0 ? plain : NumberEnd::kFraction);
    if (fraction != 0) {
      store_big_endian(bytes + size, std::bit_cast<std::uint64_t>(fraction));
      size += 8;
    }
  }
  if (negative) complement(bytes + 1, size - 1);
  return append_part(bytes, size, direction);
}

TupleWriter& TupleWriter::add(Instant instant, Direction direction) {
  char bytes[1 + 8];
  bytes[0] = static_cast<char>(kInstantTag);
  store_big_endian(bytes + 1, ordered_bits(instant.ms));
  return append_part(bytes, sizeof bytes, direction);
}

void TupleWriter::append_escaped(Slice text) {
  while (true) {
    const std::size_t plain = plain_bytes(text);
    out_.append(text.substr(0, plain));
    if (plain == text.size()) break;
    out_.push_back(static_cast<char>(kEscape));
    out_.push_back(static_cast<char>(text[plain] == '\0' ? kEscapedZero : kEscapedOne));
    text.remove_prefix(plain + 1);
  }
  out_.push_back(static_cast<char>(kEnd));
}

TupleWriter& TupleWriter::add(Slice text, Direction direction) {
  if (failure_ != Failure::kNone) return *this;
  const std::size_t start = out_.size();
  out_.push_back(static_cast<char>(kStringTag));
  append_escaped(text);
  if (direction == Direction::kDescending) complement_from(start);
  return *this;
}

TupleWriter& TupleWriter::add(Keyword keyword, Direction direction) {
  if (failure_ != Failure::kNone) return *this;
  const std::size_t start = out_.size();
  out_.push_back(static_cast<char>(kKeywordTag));
  append_escaped(keyword.name_space);
  append_escaped(keyword.name);
  if (direction == Direction::kDescending) complement_from(start);
  return *this;
}

TupleWriter& TupleWriter::begin_vector(Direction direction) {
  if (failure_ != Failure::kNone) return *this;
  if (depth_ == kTupleDepthMax) return fail(Failure::kDepth);
  const std::uint32_t bit = std::uint32_t{1} << depth_;
  descending_vectors_ = direction == Direction::kDescending ? descending_vectors_ | bit : descending_vectors_ & ~bit;
  vector_starts_[depth_++] = out_.size();
  out_.push_back(static_cast<char>(kVectorTag));
  return *this;
}

TupleWriter& TupleWriter::end_vector() {
  if (failure_ != Failure::kNone) return *this;
  if (depth_ == 0) return fail(Failure::kUnbalanced);
  out_.push_back(static_cast<char>(kEnd));
  --depth_;
  // Elements were complemented for their own directions; the vector's comes on top, as the reader takes it off.
  if ((descending_vectors_ >> depth_ & 1) != 0) complement_from(vector_starts_[depth_]);
  return *this;
}

Status TupleWriter::finish() { return close(true); }
Status TupleWriter::finish_prefix() { return close(false); }

Status TupleWriter::close(bool terminate) {
  if (depth_ != 0) fail(Failure::kUnbalanced);
  if (terminate && failure_ == Failure::kNone) out_.push_back(static_cast<char>(kEnd));
  if (out_.size() - start_ > kKeyBytesMax) fail(Failure::kTooLong);
  if (failure_ == Failure::kNone) return {};
  out_.resize(start_);
  const auto refuse = [](const char* why) { return Status(StatusCode::kInvalidArgument, why); };
  switch (failure_) {
    case Failure::kNone: break;
    case Failure::kNan: return refuse("tuple: NaN has no place in the order of keys");
    case Failure::kIntegerRange: return refuse("tuple: the integer does not fit in 64 bits, signed");
    case Failure::kDepth: return refuse("tuple: vectors are nested deeper than 32");
    case Failure::kUnbalanced: return refuse("tuple: a vector is left open, or was never begun");
    case Failure::kTooLong: return refuse("tuple: the key is longer than 65535 bytes");
  }
  return {};
}

}  // namespace firn::codec
