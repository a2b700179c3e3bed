// One run of a workload during which one file operation fails, and the judgement of everything the database says then
// and later: reads are right or errors, acknowledged writes stay, batches stay whole, and it can be used again.
//
// Thread safety: one thread.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "firn/firn.h"
#include "firn/sim/file_system.h"
#include "tests/faults/fault_case.h"
#include "tests/faults/step_executor.h"

namespace firn::testing {

// "family/key" to value, and "family" to nothing for each family.
using Contents = std::map<std::string, std::string>;

class FaultRun {
 public:
  FaultRun(const FaultCase& kind, std::uint64_t target, Durability durability);
  ~FaultRun();

  // Runs everything; failures are GoogleTest's. False when there was no such operation: nothing failed.
  bool run();

 private:
  using Change = std::function<void(Contents&)>;

  Options options(const Platform& platform) const;
  void step(const std::string& what, const std::function<void()>& action);

  // The workload.
  void workload();
  void open();
  void close();
  void put_batches(int count);
  void create(const std::string& name);
  void drop(const std::string& name);
  void upkeep(const std::function<Status(DB&)>& call);
  // What a write or change of families did, as far as its answer tells.
  void note(const Status& status, bool may_have_happened, const Change& change);

  // The judgement.
  void check_reads();
  void check_crashes();
  void check_recovery(sim::CrashMode mode, std::uint64_t seed);
  void check_service();
  void check_reopened();
  void check_files(DB& db);
  std::string fault() const;  // In words.
  bool stopped() const;
  bool expected(const Contents& found) const;
  std::string explain(const Contents& found) const;

  const FaultCase kind_;
  const Durability durability_;
  const bool separated_;
  sim::FaultPlan plan_;
  sim::SimFileSystem files_;
  std::shared_ptr<StepControl> control_ = std::make_shared<StepControl>();
  const Platform platform_;
  std::unique_ptr<DB> db_;
  std::string step_;
  std::atomic<std::uint64_t> operations_{0};

  Contents now_;                     // What a reader must see.
  std::vector<Contents> otherwise_;  // What may be seen after a restart instead: outcomes that nobody knows.
  std::vector<Contents> history_;    // Every state there was.
  int next_key_ = 0;
};

}  // namespace firn::testing
