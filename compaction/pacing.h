// How much to slow writers down so that flush and compaction keep up: a pure function of how full each store is, from
// free (below half of every limit) through a delay per byte that grows without a step, to a stop that is allowed only
// when a job that will end it can run. Idea: smooth admission instead of stall states (Luo and Carey, "On performance
// stability in LSM-based storage systems", VLDB 2019).
//
// Thread safety: pure functions.
#pragma once

#include <cstdint>
#include <string_view>

namespace firn::compaction {

// Fullness of one store against its limit. A limit of 0 is no limit.
struct PacingStore {
  std::uint64_t used = 0;
  std::uint64_t limit = 0;
};

struct PacingInput {
  PacingStore memtable_bytes;  // The one being filled included, so that writers slow down before the last one is full.
  PacingStore l0_tables;       // Count; limit well above LevelLimits::l0_tables.
  PacingStore debt_bytes;      // compaction_debt_bytes().
  // Measured over the last jobs, user bytes per second; 0: nothing measured yet.
  std::uint64_t flush_bytes_per_second = 0;
  std::uint64_t compaction_bytes_per_second = 0;
  // There is an immutable memtable, and its flush is running or can start now.
  bool flush_runnable = false;
};

enum class PacingCause : std::uint8_t { kNone, kMemtableBytes, kL0Tables, kDebt };

// "bytes in memtables", ...; for messages. Never null.
std::string_view pacing_cause_name(PacingCause cause);

struct Pace {
  // Picoseconds of delay owed per byte written; 0: free. At most kPacePsPerByteMax.
  std::uint64_t delay_ps_per_byte = 0;
  // Wait until a flush has finished, then ask again. Only when memtables are at their limit and a flush can run: tables
  // in L0 and debt slow writers to a crawl but never stop them.
  bool stop = false;
  PacingCause cause = PacingCause::kNone;  // The store that set the delay.
  std::uint64_t used = 0;                  // That store.
  std::uint64_t limit = 0;

  // What a write of `bytes` owes.
  std::uint64_t delay_ns(std::uint64_t bytes) const { return delay_ps_per_byte * bytes / 1000; }
};

inline constexpr std::uint64_t kPacePsPerByteMax = 10'000'000;  // 10 us a byte: 100 KB/s.

// How full a memtable gets before it becomes immutable, so that it and what is written during its flush take
// `memtable_bytes` together: almost all of that where writers are slow, and half of it at least. `meanwhile`: bytes
// that came while the last one was flushed, for each byte of it. Not below 0.
std::uint64_t full_memtable_bytes(std::uint64_t memtable_bytes, double meanwhile);

// Monotone: more in any store, or a lower measured throughput, never makes a write cheaper.
Pace pace(const PacingInput& input);

}  // namespace firn::compaction
