#include "lsm/manifest.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>

#include "lsm/manifest_format.h"
#include "tests/lsm/manifest_fixture.h"
#include "tests/wal/documented_hex.h"

namespace firn::lsm {

namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::string current_file() { return current_path(kDirectory); }
std::string manifest_file(std::uint64_t number) { return manifest_path(kDirectory, number); }

TEST(Manifest, NoDirectoryIsNotADatabase) {
  sim::SimFileSystem files;
  EXPECT_EQ(Manifest::recover(files, "/nowhere").status().code(), StatusCode::kNotADatabase);
}

TEST(Manifest, DirectoryWithoutFirnsFilesIsNotADatabase) {
  TestManifest manifest;
  EXPECT_EQ(manifest.recover().code(), StatusCode::kNotADatabase);
  manifest.put_file("/db/LOCK", "");
  manifest.put_file("/db/notes.txt", "hello");
  EXPECT_EQ(manifest.recover().code(), StatusCode::kNotADatabase);
}

TEST(Manifest, CreatedOneIsRecovered) {
  TestManifest manifest;
  ASSERT_TRUE(manifest.create().ok());
  EXPECT_EQ(manifest->edit_number(), 1U);
  ASSERT_TRUE(manifest.recover().ok());
  EXPECT_EQ(manifest->edit_number(), 1U);
  EXPECT_EQ(manifest->database(), kTestDatabase);
  ASSERT_EQ(manifest->state().families.size(), 1U);
  EXPECT_EQ(manifest->state().families.at(0).name, "default");
  EXPECT_EQ(manifest->state().next_family_id, 1U);
}

TEST(Manifest, SecondCreationIsRefused) {
  TestManifest manifest;
  ASSERT_TRUE(manifest.create().ok());
  EXPECT_EQ(manifest.create().code(), StatusCode::kInvalidArgument);
}

TEST(Manifest, CreationAndEditsAreDurable) {
  TestManifest manifest;
  ASSERT_TRUE(manifest.create().ok());
  ASSERT_TRUE(manifest.append(add_table(3)).ok());
  ASSERT_TRUE(manifest.append(add_segment(4)).ok());
  const std::string before = describe(manifest->state());
  manifest.crash({sim::CrashMode::kDropUnsynced});
  ASSERT_TRUE(manifest.recover().ok());
  EXPECT_EQ(describe(manifest->state()), before);
  EXPECT_EQ(manifest->state().next_file_id, 5U);
  EXPECT_EQ(manifest->edit_number(), 3U);
}

TEST(Manifest, RecoveryWritesNothing) {
  TestManifest manifest;
  ASSERT_TRUE(manifest.create().ok());
  ASSERT_TRUE(manifest.append(add_table(3)).ok());
  manifest.crash({sim::CrashMode::kKeepAll});
  bool written = false;
  manifest.files().set_fault_hook([&](const auto& operation) -> std::optional<sim::Fault> {
    written |= operation.kind != sim::OperationKind::kOpen && operation.kind != sim::OperationKind::kRead &&
               operation.kind != sim::OperationKind::kList && operation.kind != sim::OperationKind::kSize;
    return std::nullopt;
  });
  ASSERT_TRUE(manifest.recover().ok());
  EXPECT_FALSE(written);
}

TEST(Manifest, FirstEditAfterRecoveryStartsANewFileAndRemovesTheOld) {
  TestManifest manifest;
  ASSERT_TRUE(manifest.create().ok());
  ASSERT_TRUE(manifest.append(add_table(3)).ok());
  ASSERT_TRUE(manifest.recover().ok());
  ASSERT_TRUE(manifest.append(add_table(4)).ok());
  EXPECT_FALSE(manifest.exists(manifest_file(1)));
  EXPECT_TRUE(manifest.exists(manifest_file(2)));
  ASSERT_TRUE(manifest.recover().ok());
  EXPECT_EQ(manifest->state().families.at(0).levels[0].size(), 2U);
  EXPECT_EQ(manifest->edit_number(), 3U);
}

TEST(Manifest, TablesMoveBetweenLevelsInOneEdit) {
  TestManifest manifest;
  ASSERT_TRUE(manifest.create().ok());
  ASSERT_TRUE(manifest.append(add_table(3, 1)).ok());
  VersionEdit move = add_table(3, 2);
  move.tables_removed = remove_table(3, 1).tables_removed;
  ASSERT_TRUE(manifest.append(std::move(move)).ok());
  ASSERT_TRUE(manifest.recover().ok());
  EXPECT_TRUE(manifest->state().families.at(0).levels[1].empty());
  EXPECT_EQ(manifest->state().families.at(0).levels[2].count(3), 1U);
}

TEST(Manifest, FamilyIdsAreNeverUsedTwice) {
  TestManifest manifest;
  ASSERT_TRUE(manifest.create().ok());
  VersionEdit create;
  create.families_created = {{1, "users", {}}};
  ASSERT_TRUE(manifest.append(create).ok());
  VersionEdit drop;
  drop.families_dropped = {1};
  ASSERT_TRUE(manifest.append(drop).ok());
  ASSERT_TRUE(manifest.recover().ok());
  EXPECT_EQ(manifest->state().next_family_id, 2U);
  EXPECT_EQ(manifest.append(create).code(), StatusCode::kInvalidArgument);
}

TEST(Manifest, ContradictionIsRefusedAndWritesNothing) {
  TestManifest manifest;
  ASSERT_TRUE(manifest.create().ok());
  ASSERT_TRUE(manifest.append(add_table(3)).ok());
  ASSERT_TRUE(manifest.append(add_segment(4)).ok());
  const std::string before = describe(manifest->state());
  const std::uint64_t operations = manifest.files().operation_count();
  VersionEdit close;
  close.clean_close = CleanClose{};
  VersionEdit twice = add_table(5);
  twice.tables_added.push_back(twice.tables_added[0]);
  VersionEdit drop;
  drop.families_dropped = {9};
  VersionEdit flushed;
  flushed.flushed = {{9, 1}};
  VersionEdit segment;
  segment.log_segments_removed = {9};
  for (const VersionEdit& edit :
       {add_table(3), add_table(3, 2), add_table(6, 0, 9), remove_table(9), remove_table(3, 1), remove_table(3, 0, 9),
        add_segment(4), close, twice, drop, flushed, segment}) {
    EXPECT_EQ(manifest.append(edit).code(), StatusCode::kInvalidArgument);
  }
  EXPECT_EQ(describe(manifest->state()), before);
  EXPECT_EQ(manifest.files().operation_count(), operations);
}

TEST(Manifest, GrownTailIsRewrittenAsANewFile) {
  TestManifest manifest;
  ASSERT_TRUE(manifest.create().ok());
  std::uint64_t appended = 0;
  const std::string name(30'000, 'n');
  for (std::uint32_t id = 1; manifest->path() == manifest_file(1); ++id) {
    ASSERT_LT(appended, std::uint64_t{6} << 20);
    VersionEdit create;
    create.families_created = {{id, name, {}}};
    ASSERT_TRUE(manifest.append(create).ok());
    VersionEdit drop;
    drop.families_dropped = {id};
    ASSERT_TRUE(manifest.append(drop).ok());
    appended += name.size();
  }
  EXPECT_GT(appended, std::uint64_t{4} << 20);
  EXPECT_LT(manifest.bytes(manifest->path()).size(), 100'000U);
  EXPECT_FALSE(manifest.exists(manifest_file(1)));
  const std::string before = describe(manifest->state());
  ASSERT_TRUE(manifest.recover().ok());
  EXPECT_EQ(describe(manifest->state()), before);
}

TEST(ManifestCleanClose, IsVoidAfterAnotherEdit) {
  TestManifest manifest;
  ASSERT_TRUE(manifest.create().ok());
  ASSERT_TRUE(manifest.append(add_segment(4)).ok());
  const CleanClose close{{{4, 5000, 0xAB}}, 77};
  ASSERT_TRUE(manifest.append(closed(close)).ok());
  ASSERT_TRUE(manifest->vouch().ok());
  ASSERT_TRUE(manifest.recover().ok());
  EXPECT_EQ(manifest->state().clean_close, close);
  EXPECT_EQ(manifest->state().last_sequence, 77U);
  ASSERT_TRUE(manifest->replay_request().ok());
  EXPECT_EQ(manifest->replay_request()->clean_close, close.segments);
  ASSERT_TRUE(manifest.append({}).ok());
  EXPECT_FALSE(manifest->state().clean_close.has_value());
  ASSERT_TRUE(manifest.recover().ok());
  EXPECT_FALSE(manifest->state().clean_close.has_value());
}

// Else a manifest that only the operating system has would be built upon, and files removed that the device's lists.
TEST(ManifestCleanClose, IsSettledOnceCurrentVouchesForItAndNoOtherIsLeft) {
  TestManifest manifest;
  ASSERT_TRUE(manifest.create().ok());
  EXPECT_TRUE(manifest->settled());
  ASSERT_TRUE(manifest.recover().ok());
  EXPECT_FALSE(manifest->settled()) << "not closed";
  ASSERT_TRUE(manifest.append({}).ok());
  ASSERT_TRUE(manifest.append(closed({})).ok());
  ASSERT_TRUE(manifest.recover().ok());
  EXPECT_FALSE(manifest->settled()) << "closed, but CURRENT does not say so";
  ASSERT_TRUE(manifest.append({}).ok());
  ASSERT_TRUE(manifest.append(closed({})).ok());
  ASSERT_TRUE(manifest->vouch().ok());
  ASSERT_TRUE(manifest.recover().ok());
  EXPECT_TRUE(manifest->settled());
  const std::uint64_t operations = manifest.files().operation_count();
  EXPECT_TRUE(manifest->vouch().ok());
  EXPECT_EQ(manifest.files().operation_count(), operations) << "CURRENT says it already";
  manifest.put_file(manifest_file(99), "x");
  ASSERT_TRUE(manifest.recover().ok());
  EXPECT_FALSE(manifest->settled()) << "beside another manifest";
}

TEST(ManifestCleanClose, IsGoneOnFromInTheSameFileWithOneSync) {
  TestManifest manifest;
  ASSERT_TRUE(manifest.create().ok());
  ASSERT_TRUE(manifest.append(add_table(7)).ok());
  ASSERT_TRUE(manifest.append(closed({})).ok());
  ASSERT_TRUE(manifest->vouch().ok());
  const std::string path = manifest->path();
  ASSERT_TRUE(manifest.recover().ok());
  ASSERT_TRUE(manifest->settled());
  std::vector<sim::OperationKind> changes;
  manifest.files().set_fault_hook([&](const sim::Operation& operation) -> std::optional<sim::Fault> {
    using enum sim::OperationKind;
    if (operation.kind != kRead && operation.kind != kOpen) changes.push_back(operation.kind);
    return std::nullopt;
  });
  ASSERT_TRUE(manifest.append(add_segment(8)).ok());
  manifest.files().set_fault_hook({});
  EXPECT_EQ(changes, (std::vector{sim::OperationKind::kWrite, sim::OperationKind::kSync}));
  ASSERT_TRUE(manifest.append(add_segment(9)).ok());
  const std::string state = describe(manifest->state());
  manifest.crash({sim::CrashMode::kDropUnsynced});
  ASSERT_TRUE(manifest.recover().ok());
  EXPECT_EQ(manifest->path(), path);
  EXPECT_EQ(describe(manifest->state()), state);
  EXPECT_FALSE(manifest->settled()) << "in use";
  ASSERT_TRUE(manifest.append({}).ok());
  EXPECT_NE(manifest->path(), path);
}

TEST(ManifestCleanClose, IsGoneOnFromInANewFileWhereTheOldOneCannotBeOpened) {
  TestManifest manifest;
  ASSERT_TRUE(manifest.create().ok());
  ASSERT_TRUE(manifest.append(closed({})).ok());
  ASSERT_TRUE(manifest->vouch().ok());
  ASSERT_TRUE(manifest.recover().ok());
  const std::string path = manifest->path();
  manifest.files().set_fault_hook([&](const sim::Operation& operation) -> std::optional<sim::Fault> {
    if (operation.kind == sim::OperationKind::kOpen && operation.path == path) return sim::Fault{EIO};
    return std::nullopt;
  });
  ASSERT_TRUE(manifest.append(add_segment(8)).ok());
  manifest.files().set_fault_hook({});
  EXPECT_NE(manifest->path(), path);
  const std::string state = describe(manifest->state());
  manifest.crash({sim::CrashMode::kDropUnsynced});
  ASSERT_TRUE(manifest.recover().ok());
  EXPECT_EQ(describe(manifest->state()), state);
}

TEST(ManifestReplayRequest, ListsLiveSegmentsAndOthers) {
  TestManifest manifest;
  ASSERT_TRUE(manifest.create().ok());
  ASSERT_TRUE(manifest.append(add_segment(4)).ok());
  manifest.put_file("/db/000009.log", "x");
  const auto request = manifest->replay_request();
  ASSERT_TRUE(request.ok());
  ASSERT_EQ(request->live.size(), 1U);
  EXPECT_EQ(request->live[0].path, "/db/000004.log");
  ASSERT_EQ(request->others.size(), 1U);
  EXPECT_EQ(request->others[0].id, 9U);
  EXPECT_EQ(request->manifest.edit, 2U);
  EXPECT_EQ(request->manifest.offset, manifest.bytes(manifest_file(1)).size());
  EXPECT_FALSE(request->clean_close.has_value());
}

// RocksDB #5379: the write failed for the caller, but its bytes may have reached the disk.
TEST(ManifestAfterAFailure, GoesOnInANewFile) {
  for (const sim::OperationKind kind : {sim::OperationKind::kWrite, sim::OperationKind::kSync}) {
    TestManifest manifest;
    ASSERT_TRUE(manifest.create().ok());
    bool failed = false;
    manifest.files().set_fault_hook([&](const auto& operation) -> std::optional<sim::Fault> {
      if (failed || operation.kind != kind) return std::nullopt;
      failed = true;
      return sim::Fault(EIO, 13);
    });
    ASSERT_TRUE(manifest.append(add_table(3)).ok());
    ASSERT_TRUE(failed);
    EXPECT_EQ(manifest->path(), manifest_file(2));
    EXPECT_FALSE(manifest.exists(manifest_file(1)));
    manifest.crash({sim::CrashMode::kDropUnsynced});
    ASSERT_TRUE(manifest.recover().ok());
    EXPECT_EQ(manifest->edit_number(), 2U);
    EXPECT_EQ(manifest->state().families.at(0).levels[0].count(3), 1U);
  }
}

// RocksDB #6316: no space, a torn record in the middle of the manifest, and life goes on behind it.
TEST(ManifestAfterAFailure, FullDiskFailsTheEditAndLeavesTheManifestSound) {
  TestManifest manifest;
  ASSERT_TRUE(manifest.create().ok());
  ASSERT_TRUE(manifest.append(add_table(3)).ok());
  const std::string before = describe(manifest->state());
  manifest.files().set_capacity(manifest.files().space("/")->total_bytes - manifest.files().space("/")->free_bytes +
                                20);
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(manifest.append(add_table(4)).code(), StatusCode::kNoSpace);
    EXPECT_EQ(describe(manifest->state()), before);
  }
  manifest.files().set_capacity(std::uint64_t{1} << 40);
  ASSERT_TRUE(manifest.append(add_table(5)).ok());
  ASSERT_TRUE(manifest.append(add_table(6)).ok());
  manifest.crash({sim::CrashMode::kDropUnsynced});
  ASSERT_TRUE(manifest.recover().ok());
  EXPECT_EQ(manifest->state().families.at(0).levels[0].count(4), 0U);
  EXPECT_EQ(manifest->state().families.at(0).levels[0].size(), 3U);
}

// The n-th operation fails, once or from then on; then power fails. Acknowledged edits are there, the failed one is
// there or not, and no later edit without it or against it; what comes after works.
TEST(ManifestAfterAFailure, EveryFailingOperationAtEveryPlace) {
  for (const bool sticky : {false, true}) {
    for (const std::uint32_t keep_percent : {0U, 50U, 100U}) {
      for (std::uint64_t failing = 0;; ++failing) {
        TestManifest manifest;
        ASSERT_TRUE(manifest.create().ok());
        const std::uint64_t first = manifest.files().operation_count();
        bool reached = false;
        manifest.files().set_fault_hook([&](const auto& operation) -> std::optional<sim::Fault> {
          const bool hit = sticky ? operation.index >= first + failing : operation.index == first + failing;
          reached |= hit;
          return hit ? std::optional<sim::Fault>(sim::Fault(EIO, 40)) : std::nullopt;
        });
        std::vector<std::uint64_t> acknowledged;
        for (std::uint64_t id = 3; id < 8; ++id) {
          if (manifest.append(add_table(id)).ok()) acknowledged.push_back(id);
          if (id == 5 && manifest.recover().ok()) continue;
          if (sticky && reached) break;
        }
        manifest.files().set_fault_hook({});
        manifest.crash({sim::CrashMode::kRandom, failing, keep_percent});
        const Status status = manifest.recover();
        ASSERT_TRUE(status.ok()) << "operation " << failing << ": " << status.to_string();
        const auto& tables = manifest->state().families.at(0).levels[0];
        for (const std::uint64_t id : acknowledged) EXPECT_EQ(tables.count(id), 1U) << failing;
        EXPECT_LE(tables.size(), acknowledged.size() + 1) << failing;
        ASSERT_TRUE(manifest.append(add_table(20)).ok());
        ASSERT_TRUE(manifest.recover().ok());
        EXPECT_EQ(manifest->state().families.at(0).levels[0].count(20), 1U);
        if (!reached) break;
      }
    }
  }
}

// Power fails after each operation of a creation: afterwards there is a database or none, and never a refusal.
TEST(ManifestCreation, PowerFailureAnywhereLeavesADatabaseOrNone) {
  for (const std::uint32_t keep_percent : {0U, 50U, 100U}) {
    for (std::uint64_t stop = 0;; ++stop) {
      TestManifest manifest;
      const std::uint64_t first = manifest.files().operation_count();
      manifest.files().set_fault_hook([&](const auto& operation) -> std::optional<sim::Fault> {
        return operation.index >= first + stop ? std::optional<sim::Fault>(sim::Fault(EIO, 100)) : std::nullopt;
      });
      const bool created = manifest.create().ok();
      manifest.files().set_fault_hook({});
      manifest.crash({sim::CrashMode::kRandom, stop, keep_percent});
      const Status status = manifest.recover();
      if (created) {
        ASSERT_TRUE(status.ok()) << status.to_string();
        break;
      }
      if (!status.ok()) {
        ASSERT_EQ(status.code(), StatusCode::kNotADatabase) << stop << ": " << status.to_string();
        ASSERT_TRUE(manifest.create().ok());
      }
      ASSERT_TRUE(manifest.append(add_table(3)).ok());
      ASSERT_TRUE(manifest.recover().ok());
    }
  }
}

TEST(ManifestFormat, IsTheDocumentedOne) {
  TestManifest manifest;
  ASSERT_TRUE(manifest.create().ok());
  const std::string bytes = manifest.bytes(manifest_file(1));
  EXPECT_EQ(firn::testing::as_documented(bytes),
            firn::testing::as_documented(firn::testing::documented_hex("manifest", bytes.size())));
  EXPECT_EQ(manifest.bytes(current_file()), firn::testing::documented_text("text current"));
}

TEST(ManifestFormat, CurrentSurvivesTheRoundTripAndNothingElseIsOne) {
  const Current current{12, 345, kTestDatabase};
  const std::string text = encode_current(current);
  EXPECT_EQ(decode_current(text), current);
  for (std::size_t at = 0; at < text.size(); ++at) {
    EXPECT_FALSE(decode_current(Slice(text).substr(0, at)).has_value()) << at;
    for (int bit = 0; bit < 8; ++bit) {
      std::string flipped = text;
      flipped[at] = static_cast<char>(flipped[at] ^ 1 << bit);
      EXPECT_FALSE(decode_current(flipped).has_value()) << at;
    }
  }
  EXPECT_FALSE(decode_current(text + "\n").has_value());
}

}  // namespace

}  // namespace firn::lsm
