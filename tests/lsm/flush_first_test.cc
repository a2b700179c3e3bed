// Merges stand aside while a flush writes (lsm/maintenance_merge.cc), by the simulated clock.

#include <gtest/gtest.h>

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "firn/firn.h"
#include "firn/sim/machine.h"
#include "tests/platform/file_helpers.h"

namespace firn {
namespace {

constexpr std::uint64_t kMergeWriteNs = 20'000'000;
constexpr int kTables = 4;  // Of L0, which are then merged.
constexpr int kRows = 8000;
constexpr std::size_t kValueBytes = 1000;

// Tables are made by the flush that calls for the merge, the merge, and a flush beside it, in this order: one each.
class FlushFirst : public ::testing::Test {
 protected:
  std::optional<sim::Fault> on(const sim::Operation& operation) {
    if (operation.file_kind != FileKind::kTable || !watching_) return std::nullopt;
    if (operation.kind == sim::OperationKind::kCreate) made_.push_back(operation.path);
    const bool merge = made_.size() > 1 && operation.path == made_[1];
    const bool flush = made_.size() > 2 && operation.path == made_[2];
    if (operation.kind == sim::OperationKind::kSync && flush) flushing_ = false;
    if (operation.kind != sim::OperationKind::kWrite || (!merge && !flush)) return std::nullopt;
    flushing_ |= flush;
    if (merge) ++(flushing_ ? writes_beside_flush_ : other_writes_);
    sim::Fault delay(0);
    delay.kind = sim::FaultKind::kDelay;
    delay.delay_ns = flush ? 20 * kMergeWriteNs : kMergeWriteNs;
    return delay;
  }

  static void put_rows(DB& db, int round) {
    const std::string value(kValueBytes, static_cast<char>('a' + round));
    for (int i = 0; i < kRows; ++i) EXPECT_OK(db.put("key" + std::to_string(i * kTables + round), value).status());
    EXPECT_OK(db.flush());
  }

  void run(sim::Machine& machine) {
    Options options;
    options.platform = &machine.platform();
    options.durability = Durability::kNone;
    options.compression.fill(Compression::kNone);
    options.sizes.memtable_bytes = std::uint64_t{16} << 20;
    options.sizes.table_bytes = std::uint64_t{256} << 20;
    options.sizes.l0_tables = kTables / 2;  // A round fills half of a memtable.
    auto db = DB::open("db", options);
    ASSERT_TRUE(db.ok()) << db.status().to_string();
    for (int round = 0; round + 1 < kTables; ++round) put_rows(**db, round);
    watching_ = true;
    put_rows(**db, kTables - 1);
    while (made_.size() < 2) machine.scheduler().pause(kMergeWriteNs / 10);
    put_rows(**db, kTables);
    EXPECT_OK((*db)->wait_idle());
  }

  bool watching_ = false;
  bool flushing_ = false;
  std::vector<std::string> made_;
  int writes_beside_flush_ = 0;
  int other_writes_ = 0;
};

TEST_F(FlushFirst, AMergeWritesNothingMeanwhile) {
  sim::Machine machine{sim::MachineOptions()};
  machine.files().set_fault_hook([this](const sim::Operation& operation) { return on(operation); });
  const Status ended = machine.run([&] { run(machine); });
  EXPECT_TRUE(ended.ok()) << ended.to_string();
  EXPECT_EQ(made_.size(), 3U);
  EXPECT_GE(other_writes_, 4);
  EXPECT_LE(writes_beside_flush_, 1);  // That which was under way.
}

}  // namespace
}  // namespace firn
