#include "lsm/write_gate.h"

#include <algorithm>

namespace firn::lsm {

namespace {

// Debts below this are carried forward: a sleep costs more than it would delay, and few long ones leave the 999 puts in
// a thousand alone that many short ones would not.
constexpr std::uint64_t kCarriedNs = 2'000'000;

// A pace of a gigabyte a second holds nobody back: not even asking costs less.
constexpr std::uint64_t kFreePsPerByte = 1000;

}  // namespace

WriteGate::Passage WriteGate::pass(std::uint64_t bytes, bool grows) {
  Passage passage;
  const std::uint64_t start = clock_.monotonic_ns();
  MutexLock lock(mutex_);
  if (grows && !full_.ok() && !for_good_) {
    passage.status = full_;
    return passage;
  }
  while (pace_.stop && !for_good_) {
    if (!trouble_.ok()) {
      passage.status = trouble_;
      return passage;
    }
    passage.stopped = true;
    changed_.wait(mutex_);
  }
  const std::uint64_t now = passage.stopped ? clock_.monotonic_ns() : start;
  if (pace_.delay_ps_per_byte != 0) next_free_ns_ = std::max(next_free_ns_, now) + pace_.delay_ns(bytes);
  const std::uint64_t due = next_free_ns_;
  if (due <= now + kCarriedNs && !passage.stopped) return passage;
  if (due > now + kCarriedNs) {
    while (!for_good_ && changed_.wait_until(mutex_, due)) {
    }
  }
  passage.waited_ns = clock_.monotonic_ns() - start;
  return passage;
}

void WriteGate::set(const compaction::Pace& pace, const Status& trouble, const Status& full) {
  MutexLock lock(mutex_);
  pace_ = pace;
  trouble_ = trouble;
  full_ = full;
  const bool wide_open = pace.delay_ps_per_byte <= kFreePsPerByte && !pace.stop && full.ok();
  wide_open_.store(for_good_ || wide_open, std::memory_order_relaxed);
  changed_.notify_all();
}

Status WriteGate::refusal() const {
  MutexLock lock(mutex_);
  if (for_good_ || !full_.ok()) return for_good_ ? Status() : full_;
  return pace_.stop ? trouble_ : Status();
}

void WriteGate::open_for_good() {
  MutexLock lock(mutex_);
  for_good_ = true;
  wide_open_.store(true, std::memory_order_relaxed);
  changed_.notify_all();
}

}  // namespace firn::lsm
