// The Gorilla chunk: Pelkonen et al., "Gorilla: A Fast, Scalable, In-Memory Time Series Database", VLDB 2015, section
// 4.1. Differences: a window that wastes more than a new one would cost is given up (the paper keeps it as long as the
// bits fit, and after one wild value all that follow are wide); the first time is in the chunk's header and the first
// difference is written as a delta of delta from 0 (the paper: 14 bits from the start of a two-hour block); after 1111
// one more bit tells 32 bits (the paper's) from 64, so that any times fit. Format: docs/codecs.md#gorilla.
#pragma once

#include <cstdint>

#include "codec/series/bit_io.h"
#include "codec/series/chunk_encoder.h"

namespace firn::codec {

class GorillaEncoder final : public ChunkEncoder {
 public:
  void append(Point point) override;
  void append_body(std::string& out) override { bits_out_.append_to(out); }
  void clear() override;

 private:
  void put_time(std::int64_t time);
  void put_value(std::uint64_t bits);

  BitWriter bits_out_;
  GorillaPosition last_;
};

// Decodes the next `count` points of `body` to `points`. False, with `why`, where the bytes are not points.
bool read_gorilla(Slice body, std::int64_t first_time, GorillaPosition& position, Point* points, std::uint32_t count,
                  const char*& why);

// After the last point: true if `body` ends there.
bool gorilla_ended(Slice body, const GorillaPosition& position);

}  // namespace firn::codec
