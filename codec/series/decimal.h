// The decimal chunk: doubles that were decimals (1.25, 73.9) as the integers they are with the point left out, in
// blocks of packed columns; other doubles by their bits. After ALP (Afroozeh, Kuffo, Boncz, "ALP: Adaptive Lossless
// floating-Point Compression", SIGMOD 2023). Differences: a double is its integer divided by one power of ten, where
// ALP multiplies twice: a quotient of two exact doubles is rounded once, so every decimal of up to 15 digits comes
// back; columns of differences where these are smaller; and for doubles that are not decimals the same columns over
// their bits, where ALP has a dictionary. Format: docs/codecs.md#decimal.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>

#include "codec/series/chunk_encoder.h"
#include "codec/series/packed_column.h"

namespace firn::codec {

class DecimalEncoder final : public ChunkEncoder {
 public:
  void append(Point point) override;
  void append_body(std::string& out) override;
  void clear() override;

 private:
  void append_block(std::string& out);
  ColumnPlan plan_values(std::span<const double> values);
  bool to_decimals(std::span<const double> values);

  std::string blocks_;             // Full ones.
  std::size_t pending_count_ = 0;  // Points of the block that is being filled.
  std::int64_t first_time_ = 0;    // Of all points.
  std::array<std::int64_t, kBlockPoints> times_;
  std::array<double, kBlockPoints> values_;
  // Of the block that is being encoded:
  std::array<std::int64_t, kBlockPoints> integers_;
  std::uint8_t exponent_ = 0;
  std::string exceptions_;
  std::string block_;
  std::string scratch_;
};

// Decodes the next group of points of `body`, `count` (kGroupPoints) or fewer, to `points`, and sets `count` to their
// number; `left` points remain before the call, and after it. Blocks that end before `from` are passed over. False,
// with `why`, where the bytes are not blocks. `first_time`: of the chunk.
bool read_decimal(Slice body, std::int64_t first_time, std::int64_t from, DecimalPosition& position,
                  std::uint32_t& left, Point* points, std::uint32_t& count, const char*& why);

}  // namespace firn::codec
