// Series of points for tests: generators that favour the edges, and comparison bit for bit.
#pragma once

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <ostream>
#include <string>
#include <vector>

#include "firn/codec/chunk.h"
#include "tests/codec/property.h"

namespace firn::codec {

using Points = std::vector<Point>;

inline bool operator==(const Point& a, const Point& b) {
  return a.time == b.time && std::bit_cast<std::uint64_t>(a.value) == std::bit_cast<std::uint64_t>(b.value);
}

inline std::ostream& operator<<(std::ostream& out, const Point& point) {
  return out << point.time << ": " << point.value << " (0x" << std::hex << std::bit_cast<std::uint64_t>(point.value)
             << std::dec << ')';
}

inline std::string build(ChunkKind kind, const Points& points) {
  ChunkBuilder builder(kind);
  for (const Point& point : points) {
    const Status status = builder.append(point);
    EXPECT_TRUE(status.ok()) << status.to_string();
  }
  return std::string(builder.finish());
}

inline Points read(ChunkIterator it, Status& status) {
  Points points;
  while (it.next()) points.push_back(it.point());
  status = it.status();
  return points;
}

// All points of `bytes`; none, and a failure of the test, if they are not a chunk.
inline Points read(Slice bytes) {
  const Result<Chunk> chunk = Chunk::open(bytes);
  EXPECT_TRUE(chunk.ok()) << chunk.status().to_string();
  if (!chunk.ok()) return {};
  Status status;
  Points points = read(chunk->points(), status);
  EXPECT_TRUE(status.ok()) << status.to_string();
  return points;
}

// Times in order: regular with gaps and repeats, or anywhere.
inline std::vector<std::int64_t> make_times(std::size_t count) {
  std::vector<std::int64_t> times(count);
  if (*range_gen(0, 4) == 0) {
    for (std::int64_t& time : times) time = *integer_gen();
  } else {
    std::int64_t time = *range_gen<std::int64_t>(-1000, 2'000'000'000'000);
    const std::int64_t step = *range_gen<std::int64_t>(0, 100'000);
    const int irregular = *range_gen(0, 3);  // 0: never, 1: rarely, 2: often.
    for (std::int64_t& each : times) {
      each = time;
      time += step;
      if (irregular != 0 && *range_gen(0, irregular == 1 ? 50 : 2) == 0) time += *range_gen<std::int64_t>(0, 10'000);
    }
  }
  std::sort(times.begin(), times.end());
  return times;
}

inline double make_value(int form, double last) {
  switch (form) {
    case 0: return last;
    case 1: return last + *range_gen(-5, 6);
    case 2: return std::round((last + *range_gen(-500, 501) / 100.0) * 100) / 100;
    case 3: return *range_gen(-1'000'000, 1'000'001) / 1000.0;
    case 4: return std::bit_cast<double>(*bits_gen());
    default:
      return *rc::gen::element(0.0, -0.0, HUGE_VAL, -HUGE_VAL, 5e-324, -5e-324, 1.7976931348623157e308, 0.1, 1e17,
                               std::bit_cast<double>(std::uint64_t{0x7FF8000000000001}),
                               std::bit_cast<double>(std::uint64_t{0xFFF0000000000123}));
  }
}

// Mostly one form of value, sometimes a foreign one: blocks with exceptions and patches.
inline rc::Gen<Points> points_gen(std::size_t count_max) {
  return rc::gen::exec([count_max] {
    const auto count = *range_gen<std::size_t>(0, count_max + 1);
    const std::vector<std::int64_t> times = make_times(count);
    const int form = *range_gen(0, 6);
    const int foreign_one_in = *range_gen(2, 60);
    Points points(count);
    double last = *range_gen(-100, 101) / 4.0;
    for (std::size_t i = 0; i < count; ++i) {
      const bool foreign = *range_gen(0, foreign_one_in) == 0;
      last = make_value(foreign ? *range_gen(0, 6) : form, std::isfinite(last) ? last : 1.5);
      points[i] = {times[i], last};
    }
    return points;
  });
}

inline rc::Gen<ChunkKind> kind_gen() { return rc::gen::element(ChunkKind::kGorilla, ChunkKind::kDecimal); }

}  // namespace firn::codec
