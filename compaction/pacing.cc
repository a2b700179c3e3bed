#include "compaction/pacing.h"

#include <algorithm>
#include <cmath>

namespace firn::compaction {

namespace {

// Throughput assumed before anything was measured, bytes per second: what a slow disk can do.
constexpr double kThroughputUnmeasured = 16 << 20;

// 0 up to half of the limit, 1 at the limit.
double pressure_of(const PacingStore& store) {
  if (store.limit == 0) return 0;
  const double fullness = static_cast<double>(store.used) / static_cast<double>(store.limit);
  return std::clamp(2 * fullness - 1, 0.0, 1.0);
}

// With writers slowed to the measured throughput at pressure 0.62, where x * x = 1 - x: a steady load settles below it.
double delay_ps(double pressure, std::uint64_t bytes_per_second) {
  const double throughput = bytes_per_second > 0 ? static_cast<double>(bytes_per_second) : kThroughputUnmeasured;
  const double ps_per_byte = 1e12 / throughput;
  const double room = 1 - pressure;
  const double most = static_cast<double>(kPacePsPerByteMax);
  if (ps_per_byte * pressure * pressure >= most * room) return most;
  return ps_per_byte * pressure * pressure / room;
}

}  // namespace

std::string_view pacing_cause_name(PacingCause cause) {
  switch (cause) {
    case PacingCause::kNone: return "none";
    case PacingCause::kMemtableBytes: return "bytes in memtables";
    case PacingCause::kL0Tables: return "tables in L0";
    case PacingCause::kDebt: return "bytes of compaction debt";
  }
  return "unknown";
}

std::uint64_t full_memtable_bytes(std::uint64_t memtable_bytes, double meanwhile) {
  const double bytes = static_cast<double>(memtable_bytes) / (1 + meanwhile);
  return std::max(static_cast<std::uint64_t>(bytes), memtable_bytes / 2);
}

Pace pace(const PacingInput& input) {
  struct Rule {
    PacingCause cause;
    const PacingStore& store;
    std::uint64_t bytes_per_second;
  };
  const Rule rules[] = {
      {PacingCause::kMemtableBytes, input.memtable_bytes, input.flush_bytes_per_second},
      {PacingCause::kL0Tables, input.l0_tables, input.compaction_bytes_per_second},
      {PacingCause::kDebt, input.debt_bytes, input.compaction_bytes_per_second},
  };
  Pace result;
  double slowest = 0;
  for (const Rule& rule : rules) {
    const double delay = delay_ps(pressure_of(rule.store), rule.bytes_per_second);
    if (delay <= slowest) continue;
    slowest = delay;
    result.cause = rule.cause;
    result.used = rule.store.used;
    result.limit = rule.store.limit;
  }
  result.delay_ps_per_byte = static_cast<std::uint64_t>(std::ceil(slowest));
  const PacingStore& memtables = input.memtable_bytes;
  result.stop = input.flush_runnable && memtables.limit > 0 && memtables.used >= memtables.limit;
  return result;
}

}  // namespace firn::compaction
