// Tuples as values, for tests: their own idea of the order, written from the rules in firn/codec/tuple.h and not from
// the format, and generators that favour the edges.
#pragma once

#include <bit>
#include <cmath>
#include <compare>
#include <cstdint>
#include <ostream>
#include <string>
#include <vector>

#include "firn/codec/tuple.h"
#include "tests/codec/property.h"

namespace firn::codec {

struct Value {
  TupleKind kind = TupleKind::kNil;
  Direction direction = Direction::kAscending;
  std::int64_t integer = 0;
  double number = 0;
  std::string text;
  std::string name_space;
  std::vector<Value> elements;
};
using Values = std::vector<Value>;

// Same type and direction, bit for bit.
inline bool operator==(const Value& a, const Value& b) {
  return a.kind == b.kind && a.direction == b.direction && a.integer == b.integer &&
         std::bit_cast<std::uint64_t>(a.number) == std::bit_cast<std::uint64_t>(b.number) && a.text == b.text &&
         a.name_space == b.name_space && a.elements == b.elements;
}

inline int sign(std::strong_ordering order) { return order < 0 ? -1 : order > 0 ? 1 : 0; }

// Place in the order of types; both types of number share one.
inline int rank(TupleKind kind) {
  switch (kind) {
    case TupleKind::kNil: return 0;
    case TupleKind::kInteger:
    case TupleKind::kDouble: return 1;
    case TupleKind::kString: return 2;
    case TupleKind::kKeyword: return 3;
    case TupleKind::kInstant: return 4;
    case TupleKind::kVector: return 5;
  }
  return -1;
}

inline int compare_numbers(const Value& a, const Value& b) {
  static_assert(std::numeric_limits<long double>::digits >= 64, "holds both types exactly");
  const auto value = [](const Value& v) {
    return v.kind == TupleKind::kInteger ? static_cast<long double>(v.integer) : static_cast<long double>(v.number);
  };
  if (value(a) != value(b)) return value(a) < value(b) ? -1 : 1;
  const auto tie = [](const Value& v) {
    if (v.kind == TupleKind::kInteger) return 1;
    return v.number == 0 && std::signbit(v.number) ? 0 : 2;
  };
  return tie(a) - tie(b);
}

int compare(const Values& a, const Values& b);

inline int compare(const Value& a, const Value& b) {
  if (a.direction != b.direction) return a.direction == Direction::kAscending ? -1 : 1;
  if (a.direction == Direction::kDescending) {
    Value left = b, right = a;
    left.direction = right.direction = Direction::kAscending;
    return compare(left, right);
  }
  if (rank(a.kind) != rank(b.kind)) return rank(a.kind) - rank(b.kind);
  switch (rank(a.kind)) {
    case 0: return 0;
    case 1: return compare_numbers(a, b);
    case 2: return sign(a.text <=> b.text);
    case 3: return a.name_space != b.name_space ? sign(a.name_space <=> b.name_space) : sign(a.text <=> b.text);
    case 4: return sign(a.integer <=> b.integer);
    default: return compare(a.elements, b.elements);
  }
}

inline int compare(const Values& a, const Values& b) {
  for (std::size_t i = 0; i < a.size() && i < b.size(); ++i) {
    if (const int order = compare(a[i], b[i]); order != 0) return order;
  }
  return sign(a.size() <=> b.size());
}

inline void add(TupleWriter& writer, const Value& value) {
  switch (value.kind) {
    case TupleKind::kNil: writer.add(nullptr, value.direction); break;
    case TupleKind::kInteger: writer.add(value.integer, value.direction); break;
    case TupleKind::kDouble: writer.add(value.number, value.direction); break;
    case TupleKind::kString: writer.add(value.text, value.direction); break;
    case TupleKind::kKeyword: writer.add(Keyword{value.name_space, value.text}, value.direction); break;
    case TupleKind::kInstant: writer.add(Instant{value.integer}, value.direction); break;
    case TupleKind::kVector:
      writer.begin_vector(value.direction);
      for (const Value& element : value.elements) add(writer, element);
      writer.end_vector();
      break;
  }
}

// Precondition: the tuple can be encoded.
inline std::string encode(const Values& values) {
  std::string key;
  TupleWriter writer(key);
  for (const Value& value : values) add(writer, value);
  const Status status = writer.finish();
  EXPECT_TRUE(status.ok()) << status.to_string();
  return key;
}

inline std::string encode_prefix(const Values& values) {
  std::string key;
  TupleWriter writer(key);
  for (const Value& value : values) add(writer, value);
  EXPECT_TRUE(writer.finish_prefix().ok());
  return key;
}

inline Values decode(TupleReader reader, Status& status) {
  Values values;
  std::string scratch;
  while (reader.next()) {
    const TuplePart& part = reader.part();
    Value& value = values.emplace_back();
    value.kind = part.kind;
    value.direction = part.direction;
    switch (part.kind) {
      case TupleKind::kNil: break;
      case TupleKind::kInteger:
      case TupleKind::kInstant: value.integer = part.integer; break;
      case TupleKind::kDouble: value.number = part.number; break;
      case TupleKind::kKeyword: value.name_space = part.name_space.view(scratch); [[fallthrough]];
      case TupleKind::kString: value.text = part.text.view(scratch); break;
      case TupleKind::kVector: value.elements = decode(TupleReader(part), status); break;
    }
  }
  if (!reader.status().ok()) status = reader.status();
  return values;
}

inline rc::Gen<double> double_gen() {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  const auto from_bits = rc::gen::map(bits_gen(), [](std::uint64_t bits) {
    const double value = std::bit_cast<double>(bits);
    return std::isnan(value) ? 0.5 : value;
  });
  // Integers as doubles, and the doubles beside them.
  const auto near_integers =
      rc::gen::map(rc::gen::pair(integer_gen(), range_gen(-1, 2)), [](std::pair<std::int64_t, int> near) {
        const auto value = static_cast<double>(near.first);
        return near.second == 0 ? value : std::nextafter(value, near.second * kInfinity);
      });
  const auto quarters = rc::gen::map(range_gen(-20, 21), [](int quarter) { return quarter / 4.0; });
  return rc::gen::oneOf(from_bits, near_integers, quarters,
                        rc::gen::element(-0.0, 0.0, kInfinity, -kInfinity, 5e-324, -5e-324, 1e300, -1e300));
}

inline rc::Gen<Value> value_gen(int depth) {
  return rc::gen::exec([depth] {
    Value value;
    const int kind = *range_gen(0, depth > 0 ? 8 : 7);
    value.kind = static_cast<TupleKind>(kind == 7 ? static_cast<int>(TupleKind::kVector) : kind);
    if (depth == 0 && value.kind == TupleKind::kVector) value.kind = TupleKind::kNil;
    // Mostly ascending, so that lists mix both without falling apart into two.
    value.direction = *rc::gen::weightedElement<Direction>({{4, Direction::kAscending}, {1, Direction::kDescending}});
    switch (value.kind) {
      case TupleKind::kNil: break;
      case TupleKind::kInteger:
      case TupleKind::kInstant: value.integer = *integer_gen(); break;
      case TupleKind::kDouble: value.number = *double_gen(); break;
      case TupleKind::kKeyword: value.name_space = *bytes_gen(); [[fallthrough]];
      case TupleKind::kString: value.text = *bytes_gen(); break;
      case TupleKind::kVector: value.elements = *list_gen<Values>(4, value_gen(depth - 1)); break;
    }
    return value;
  });
}

inline rc::Gen<Values> values_gen() { return list_gen<Values>(6, value_gen(2)); }

// A tuple that begins as `base` does and may differ late: a pair with it is close in the order.
inline rc::Gen<Values> near_gen(const Values& base) {
  return rc::gen::exec([base] {
    Values near = base;
    near.resize(*range_gen<std::size_t>(0, near.size() + 1));
    const Values tail = *list_gen<Values>(2, value_gen(1));
    near.insert(near.end(), tail.begin(), tail.end());
    return near;
  });
}

inline std::ostream& operator<<(std::ostream& out, const Value& value) {
  out << (value.direction == Direction::kDescending ? "~" : "") << "kind " << static_cast<int>(value.kind);
  switch (value.kind) {
    case TupleKind::kInteger:
    case TupleKind::kInstant: return out << ' ' << value.integer;
    case TupleKind::kDouble: return out << ' ' << value.number << std::hexfloat << ' ' << value.number;
    case TupleKind::kKeyword: rc::show(value.name_space, out); [[fallthrough]];
    case TupleKind::kString: rc::show(value.text, out); return out;
    case TupleKind::kVector: rc::show(value.elements, out); return out;
    case TupleKind::kNil: break;
  }
  return out;
}

}  // namespace firn::codec
