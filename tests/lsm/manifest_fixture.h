// A manifest in a file system in memory, and the words to harm it.
//
// Thread safety: one thread at a time.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "firn/sim/file_system.h"
#include "lsm/file_names.h"
#include "lsm/manifest.h"
#include "platform/io.h"

namespace firn::lsm {

inline constexpr wal::DatabaseId kTestDatabase{0x1122334455667788, 0x99AABBCCDDEEFF00};
inline const std::string kDirectory = "/db";

inline VersionEdit first_edit() {
  VersionEdit edit;
  edit.families_created = {{0, "default", {}}};
  return edit;
}

inline VersionEdit add_table(std::uint64_t id, std::uint32_t level = 0, std::uint32_t family = 0) {
  TableMeta meta;
  meta.id = id;
  meta.file_bytes = 1000 * id;
  meta.digest = 0xD16E57 + id;
  meta.entries = 10;
  meta.smallest_key = "a";
  meta.largest_key = "z" + std::to_string(id);
  meta.smallest_sequence = id;
  meta.largest_sequence = id + 5;
  VersionEdit edit;
  edit.tables_added = {{family, level, meta}};
  return edit;
}

inline VersionEdit remove_table(std::uint64_t id, std::uint32_t level = 0, std::uint32_t family = 0) {
  VersionEdit edit;
  edit.tables_removed = {{family, level, id}};
  return edit;
}

inline VersionEdit add_segment(std::uint64_t id) {
  VersionEdit edit;
  edit.log_segments_added = {id};
  return edit;
}

inline VersionEdit closed(const CleanClose& close) {
  VersionEdit edit;
  edit.clean_close = close;
  return edit;
}

// Everything a state says, as bytes.
inline std::string describe(const ManifestState& state) { return encode_version_edit(state.snapshot()); }

class TestManifest {
 public:
  TestManifest() {
    EXPECT_TRUE(files_->create_directory(kDirectory).ok());
    EXPECT_TRUE(files_->sync_directory("/").ok());
  }

  sim::SimFileSystem& files() { return *files_; }
  Manifest& operator*() { return *manifest_; }
  Manifest* operator->() { return manifest_.get(); }

  Status create() {
    auto created = Manifest::create(*files_, kDirectory, kTestDatabase, first_edit());
    if (created.ok()) manifest_ = *std::move(created);
    return created.status();
  }
  Status recover() {
    auto recovered = Manifest::recover(*files_, kDirectory);
    if (recovered.ok()) manifest_ = *std::move(recovered);
    return recovered.status();
  }
  Status append(VersionEdit edit) { return manifest_->append(std::move(edit)); }

  void crash(const sim::CrashOptions& options) {
    std::unique_ptr<sim::SimFileSystem> survivor = files_->crash_clone(options);
    manifest_.reset();
    files_ = std::move(survivor);
  }

  bool exists(const std::string& path) { return files_->open(path, OpenMode::kRead, FileKind::kOther).ok(); }
  std::string bytes(const std::string& path) {
    const Result<std::string> read = read_file(*files_, path);
    EXPECT_TRUE(read.ok()) << read.status().to_string();
    return *read;
  }
  // Makes the file just these bytes, durably.
  void put_file(const std::string& path, std::string_view contents) {
    static_cast<void>(files_->remove(path));
    auto file = files_->open(path, OpenMode::kCreate, FileKind::kOther);
    ASSERT_TRUE(file.ok()) << file.status().to_string();
    ASSERT_TRUE(write_all(**file, 0, std::as_bytes(std::span(contents))).ok());
    ASSERT_TRUE((*file)->sync().ok());
    ASSERT_TRUE(files_->sync_directory(kDirectory).ok());
  }
  void remove(const std::string& path) { ASSERT_TRUE(files_->remove(path).ok()); }

 private:
  std::unique_ptr<sim::SimFileSystem> files_ = std::make_unique<sim::SimFileSystem>();
  std::unique_ptr<Manifest> manifest_;
};

}  // namespace firn::lsm
