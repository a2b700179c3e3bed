// A disk that takes long to sync and to remove files: who waits for it, by the simulated clock.

#include <gtest/gtest.h>

#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "firn/firn.h"
#include "firn/sim/machine.h"
#include "tests/platform/file_helpers.h"

namespace firn {
namespace {

constexpr std::uint64_t kMs = 1'000'000;
constexpr std::uint64_t kSlowNs = 40 * kMs;
constexpr int kSegments = 24;
constexpr int kPutsPerSegment = 64;  // Of 1 MiB.

bool is_slow(sim::OperationKind kind) {
  return kind == sim::OperationKind::kSync || kind == sim::OperationKind::kSyncDirectory ||
         kind == sim::OperationKind::kRemove;
}

// What happens on the disk, after the first segments.
struct Observed {
  bool steady = false;
  int headers = 0;  // Segments begun,
  int awaited = 0;  // and those of them that the put had to wait for.
  int manifest_syncs = 0;
};

class SlowDisk : public ::testing::Test {
 protected:
  std::optional<sim::Fault> on(const sim::Operation& operation) {
    // Other than records, which are stored in place, headers are written.
    const bool header = operation.kind == sim::OperationKind::kWrite && operation.file_kind == FileKind::kLog;
    observed_.headers += observed_.steady && header ? 1 : 0;
    const bool edit = operation.kind == sim::OperationKind::kSync && operation.file_kind == FileKind::kManifest;
    observed_.manifest_syncs += observed_.steady && edit ? 1 : 0;
    if (!is_slow(operation.kind)) return std::nullopt;
    sim::Fault delay(0);
    delay.kind = sim::FaultKind::kDelay;
    delay.delay_ns = kSlowNs;
    return delay;
  }

  // Puts 16 KiB every 6 ms: a memtable, and with it a segment of the log, is full after 200 to 380 ms.
  void put(DB& db, sim::Machine& machine) {
    const std::string value(std::size_t{16} << 10, 'v');
    for (int i = 0; i < kSegments * kPutsPerSegment; ++i) {
      observed_.steady = i > 3 * kPutsPerSegment;
      const int headers = observed_.headers;
      const std::uint64_t paced = db.statistics().write_delay_ns;
      const std::uint64_t begin = machine.clock().monotonic_ns();
      EXPECT_OK(db.put("key" + std::to_string(i % 300), value).status());
      const std::uint64_t waited = machine.clock().monotonic_ns() - begin - (db.statistics().write_delay_ns - paced);
      if (observed_.headers != headers && waited > kSlowNs / 4) ++observed_.awaited;
      machine.scheduler().pause(6 * kMs);
    }
    observed_.steady = false;
  }

  void run(std::uint64_t seed) {
    sim::MachineOptions machine_options;
    machine_options.seed = seed;
    sim::Machine machine(std::move(machine_options));
    machine.files().set_fault_hook([this](const sim::Operation& operation) { return on(operation); });
    const Status ended = machine.run([&] {
      Options options;
      options.platform = &machine.platform();
      options.durability = Durability::kBuffered;
      options.sizes.memtable_bytes = std::uint64_t{1} << 20;
      options.sizes.log_segment_bytes = std::uint64_t{1} << 20;
      options.sizes.l0_tables = 64;  // No compaction changes the manifest.
      auto db = DB::open("db", options);
      ASSERT_TRUE(db.ok()) << db.status().to_string();
      put(**db, machine);
    });
    EXPECT_TRUE(ended.ok()) << ended.to_string();
  }

  Observed observed_;
};

TEST_F(SlowDisk, APutThatBeginsASegmentDoesNotWaitForIt) {
  constexpr int kSeeds = 4;
  int awaited = 0;
  for (std::uint64_t seed = 0; seed < kSeeds; ++seed) {
    observed_ = {};
    run(seed);
    EXPECT_GE(observed_.headers, kSegments - 4);
    awaited += observed_.awaited;
  }
  // The simulated clock leaps now and then, whoever runs: one in 20, not each.
  EXPECT_LE(awaited, kSeeds);
}

TEST_F(SlowDisk, AFlushAndItsSegmentsTakeTwoManifestSyncsTogether) {
  run(5);
  EXPECT_LE(observed_.manifest_syncs, 2 * observed_.headers + 2);
}

}  // namespace
}  // namespace firn
