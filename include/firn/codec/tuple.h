// Typed tuples as keys: the byte order of two encoded tuples is the typed order of their values, always.
// Idea: FoundationDB's tuple layer (typed, self-delimiting parts) and CockroachDB's descending parts; the encoding of
// numbers is Firn's own, so that integers and doubles compare by value, exactly. Format: docs/codecs.md#tuples.
//
// The order. Part by part; a tuple that ends first comes first. Between two parts:
//   ascending parts before descending ones;
//   nil < numbers < strings < keywords < instants < vectors;
//   numbers by value, an integer against a double without rounding: -inf < ... < inf. At equal value -0.0 comes
//     before the integer, the integer before the double (-0.0 < 0 < 0.0; 5 < 5.0 < 6). NaN is refused;
//   strings bytewise (for UTF-8: by code point); keywords by namespace, then name, "no namespace" being the empty one;
//   instants by time; vectors part by part, as tuples.
// Two descending parts are in the reverse of that order (a longer vector before its own beginning).
// All of nil, integer 5 and double 5.0 come back as what they were: value, type and direction.
//
// Every encoded part is prefix-free, and so is every key: no key is the beginning of another, and the bytes of a
// prefix (see TupleWriter::finish_prefix) begin exactly the keys whose first parts are those.
//
// Thread safety: one thread at a time for each object. Neither side allocates, but for growth of the caller's strings.
#pragma once

#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>

#include "firn/export.h"
#include "firn/slice.h"
#include "firn/status.h"

namespace firn::codec {

inline constexpr std::size_t kTupleDepthMax = 32;  // Vectors within vectors; the key itself is depth 0.

enum class Direction : std::uint8_t { kAscending, kDescending };

// A symbol with a namespace, such as :order/placed. An empty name_space is none. Any bytes, as in strings.
struct Keyword {
  Slice name_space;
  Slice name;
};

// Milliseconds since 1970-01-01 UTC; negative before.
struct Instant {
  std::int64_t ms = 0;
};

// Marks a part as descending in TupleWriter::add and append_tuple: `descending(5)`.
template <class T>
struct Descending {
  T value;
};
template <class T>
Descending<T> descending(T value) {
  return {std::move(value)};
}

// What counts as an integer part: not bool, not a character.
template <class T>
concept TupleInteger =
    std::integral<T> && !std::same_as<T, bool> && !std::same_as<T, char> && !std::same_as<T, wchar_t> &&
    !std::same_as<T, char8_t> && !std::same_as<T, char16_t> && !std::same_as<T, char32_t>;

// Appends one tuple to a caller's string. The first failure sticks: later calls do nothing, finish() reports it.
// Lifetime: `out` outlives the writer, and nobody else touches it before finish.
class FIRN_EXPORT TupleWriter {
 public:
  explicit TupleWriter(std::string& out) : out_(out), start_(out.size()) {}

  TupleWriter& add(std::nullptr_t, Direction direction = Direction::kAscending);  // nil
  TupleWriter& add(double value, Direction direction = Direction::kAscending);    // NaN fails.
  TupleWriter& add(Slice text, Direction direction = Direction::kAscending);
  TupleWriter& add(const char* text, Direction direction = Direction::kAscending) {
    return add(Slice(text), direction);
  }
  TupleWriter& add(Keyword keyword, Direction direction = Direction::kAscending);
  TupleWriter& add(Instant instant, Direction direction = Direction::kAscending);
  // Fails beyond the range of std::int64_t.
  template <TupleInteger T>
  TupleWriter& add(T value, Direction direction = Direction::kAscending) {
    return std::in_range<std::int64_t>(value) ? add_integer(static_cast<std::int64_t>(value), direction)
                                              : fail(Failure::kIntegerRange);
  }
  template <class T>
  TupleWriter& add(const Descending<T>& part) {
    return add(part.value, Direction::kDescending);
  }

  // Everything added until the matching end_vector is inside the vector.
  TupleWriter& begin_vector(Direction direction = Direction::kAscending);
  TupleWriter& end_vector();

  // Ends the key. On failure `out` is as it was. Errors: kInvalidArgument for NaN, an integer that does not fit, a
  // vector left open or never begun, too deep a nesting, and a key of more than kKeyBytesMax bytes.
  Status finish();
  // As finish, but leaves out the key's end: the bytes with which exactly the keys begin whose first parts are these.
  // They are also the least bound of those keys, so they serve as the start or the (exclusive) end of a range.
  Status finish_prefix();

 private:
  enum class Failure : std::uint8_t { kNone, kNan, kIntegerRange, kDepth, kUnbalanced, kTooLong };

  TupleWriter& add_integer(std::int64_t value, Direction direction);
  TupleWriter& append_part(const char* bytes, std::size_t size, Direction direction);
  TupleWriter& fail(Failure failure);
  void append_escaped(Slice text);
  void complement_from(std::size_t offset);
  Status close(bool terminate);

  std::string& out_;
  std::size_t start_;  // out_.size() before the first part.
  std::size_t depth_ = 0;
  Failure failure_ = Failure::kNone;
  // Of the open vectors: where each begins in out_, and bit `depth` set where it is descending.
  std::array<std::size_t, kTupleDepthMax> vector_starts_;
  std::uint32_t descending_vectors_ = 0;
  static_assert(kTupleDepthMax <= 32);
};

// Appends the tuple of `parts` to `out`: append_tuple(key, "user", 42, descending(Instant{ms})).
// Errors, and `out` after one: as TupleWriter::finish.
template <class... Parts>
Status append_tuple(std::string& out, const Parts&... parts) {
  TupleWriter writer(out);
  (writer.add(parts), ...);
  return writer.finish();
}

// As append_tuple, for the beginning of a key: see TupleWriter::finish_prefix.
template <class... Parts>
Status append_tuple_prefix(std::string& out, const Parts&... parts) {
  TupleWriter writer(out);
  (writer.add(parts), ...);
  return writer.finish_prefix();
}

enum class TupleKind : std::uint8_t { kNil, kInteger, kDouble, kString, kKeyword, kInstant, kVector };

// Text as it lies in a key. Lifetime: the key.
class FIRN_EXPORT TupleText {
 public:
  TupleText() = default;
  // `encoded`: valid escapes, without the end mark; every byte is stored xor `mask`.
  TupleText(Slice encoded, unsigned char mask, bool escaped) : encoded_(encoded), mask_(mask), escaped_(escaped) {}

  // The text: a view into the key where it lies there as it is (ascending, no byte 0x00 or 0x01), else decoded into
  // `scratch`, which is overwritten. The view lives as long as the key and, untouched, `scratch`.
  Slice view(std::string& scratch) const;
  // At least the bytes of the text; exact where view() borrows.
  std::size_t size_bound() const { return encoded_.size(); }

 private:
  Slice encoded_;
  unsigned char mask_ = 0;
  bool escaped_ = false;
};

class TupleReader;

// One part of a tuple. Lifetime: the key that was read.
struct TuplePart {
  TupleKind kind = TupleKind::kNil;
  Direction direction = Direction::kAscending;
  std::int64_t integer = 0;  // kInteger; kInstant: milliseconds since 1970.
  double number = 0;         // kDouble.
  TupleText text;            // kString; kKeyword: the name.
  TupleText name_space;      // kKeyword; empty for none.
  Slice elements;            // kVector: encoded, end mark included; read them with TupleReader(part).
  unsigned char mask = 0;    // kVector: `elements` is stored xor this.
};

// Reads the parts of a key in order:
//   TupleReader reader(key);
//   while (reader.next()) use(reader.part());
//   if (!reader.status().ok()) ...
// Any bytes may be given; the reader never looks past them, and accepts a key only in the form TupleWriter gives it.
class FIRN_EXPORT TupleReader {
 public:
  explicit TupleReader(Slice key) : begin_(key.data()), rest_(key) {}
  // The elements of a part that is kVector.
  explicit TupleReader(const TuplePart& vector)
      : begin_(vector.elements.data()), rest_(vector.elements), mask_(vector.mask) {}

  // Moves to the next part. False at the end of the tuple, and at bytes that are not a tuple.
  bool next();
  // Precondition: the last next() was true.
  const TuplePart& part() const { return part_; }
  // Ok, or kInvalidArgument: where the key stops being a tuple, and why.
  const Status& status() const { return status_; }

 private:
  const char* begin_;
  Slice rest_;
  unsigned char mask_ = 0;
  bool done_ = false;
  TuplePart part_;
  Status status_;
};

}  // namespace firn::codec
