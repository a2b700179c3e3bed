// Slows writers down so that flush and compaction keep up. How much is decided elsewhere (compaction/pacing.h); here it
// is applied: all writers together pass no more bytes than the pace allows.
//
// Thread safety: any thread. pass() waits; call it without locks.
#pragma once

#include <atomic>
#include <cstdint>

#include "compaction/pacing.h"
#include "firn/platform.h"
#include "firn/status.h"
#include "platform/sync.h"

namespace firn::lsm {

class WriteGate {
 public:
  explicit WriteGate(Clock& clock) : clock_(clock) {}

  // What one write waited for.
  struct Passage {
    Status status;  // Not Ok: the reason why waiting would be in vain.
    std::uint64_t waited_ns = 0;
    bool stopped = false;
  };

  // True: nothing to wait for. One relaxed load.
  bool wide_open() const { return wide_open_.load(std::memory_order_relaxed); }
  // Waits as long as a write of `bytes` owes. `grows`: it adds data, other than a deletion.
  Passage pass(std::uint64_t bytes, bool grows);

  // Changes the pace. While it says stop, writers wait if `trouble` is Ok (a job that ends the stop is running or due)
  // and else fail with it.
  // `full`, if not Ok, is what writes that add data fail with.
  void set(const compaction::Pace& pace, const Status& trouble, const Status& full);
  // What writes fail with now; Ok when they pass, if only after a while.
  Status refusal() const;
  // Lets everybody pass from now on; for close.
  void open_for_good();

 private:
  Clock& clock_;
  std::atomic<bool> wide_open_{true};
  mutable Mutex mutex_;
  CondVar changed_;
  // Guarded by mutex_:
  compaction::Pace pace_;
  Status trouble_;
  Status full_;
  bool for_good_ = false;
  std::uint64_t next_free_ns_ = 0;  // When everything that passed so far has been paid for.
};

}  // namespace firn::lsm
