// The manifest: which families, tables and log segments make up the database. A log of numbered VersionEdits in
// MANIFEST-NNNNNN, begun with one edit that says everything; CURRENT names the file. Format: docs/formats.md, section
// "Manifest". Idea: LevelDB's; numbered and chained edits and the CURRENT that tells how far they must go are added.
//
// Each edit is on the device before the next is written, so a later valid edit proves every byte before it. When
// writing fails, the file is left alone for ever and the whole state goes into a new one.
//
// Thread safety: one caller at a time, except edit_number(). Lifetime: the file system outlives the manifest.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <set>
#include <string>

#include "firn/file_system.h"
#include "firn/status.h"
#include "lsm/directory_names.h"
#include "lsm/manifest_state.h"
#include "lsm/version_edit.h"
#include "wal/replay.h"

namespace firn::lsm {

struct DirectoryContents;  // lsm/manifest_reader.h

class Manifest {
 public:
  // Makes the manifest of a new database whose first edit is `first` (with the family "default"). Precondition: the
  // directory exists and recover() said kNotADatabase; what an interrupted creation left there is removed.
  static Result<std::unique_ptr<Manifest>> create(FileSystem& files, const std::string& directory,
                                                  const wal::DatabaseId& database, VersionEdit first);
  // Reads the manifest in force. Writes nothing; the first append() starts a new file, unless it is settled().
  // Errors: kNotADatabase (no directory, none of Firn's files in it, or a creation that was interrupted),
  // kCorruption, kNewerFormat, kIo.
  static Result<std::unique_ptr<Manifest>> recover(FileSystem& files, const std::string& directory);
  // The same for who has listed the directory.
  static Result<std::unique_ptr<Manifest>> recover(FileSystem& files, const std::string& directory,
                                                   const DirectoryContents& contents);
  ~Manifest();
  Manifest(const Manifest&) = delete;
  Manifest& operator=(const Manifest&) = delete;

  // For all who make files beside it. From any thread.
  DirectoryNames& names() { return names_; }
  const wal::DatabaseId& database() const { return database_; }
  const ManifestState& state() const { return state_; }
  // The newest durable edit (for the headers of log segments). From any thread.
  std::uint64_t edit_number() const { return edit_number_.load(std::memory_order_acquire); }
  const std::string& path() const { return path_; }
  // Bytes of a torn, never durable last edit that recover() ignored.
  std::uint64_t dropped_bytes() const { return dropped_bytes_; }

  // Numbers `edit` and makes it durable; state() has it afterwards. Starts a new file where the present one failed or
  // has grown too long. Errors: kIo, kNoSpace: the edit's outcome is then unknown and state() is as before; no file
  // that `edit` adds or removes may be deleted until a later append() succeeded, which undoes it for good.
  // kInvalidArgument for an edit that contradicts the state: a bug, and nothing was written.
  Status append(VersionEdit edit);
  // Lets CURRENT say that edits up to the last one must be there. After a clean-close edit.
  Status vouch();
  // Whether state() is on the device for certain. Not after recover() of a manifest whose last edit may be known to the
  // operating system only, and not while the last append() has failed: then the next one decides.
  bool settled() const { return settled_; }

  // What the log is to be read with: live segments, other log files in the directory, proofs.
  Result<wal::ReplayRequest> replay_request() const;
  wal::ReplayRequest replay_request(const DirectoryContents& contents) const;

 private:
  Manifest(FileSystem& files, std::string directory, const wal::DatabaseId& database);

  // A manifest with its first edit, durable but not in force yet.
  struct StartedFile {
    std::unique_ptr<File> file;
    std::uint64_t bytes = 0;
    std::uint32_t chain = 0;
  };

  void continue_file();
  Status append_to_file(const VersionEdit& edit, Slice payload);
  Status start_file(const VersionEdit& edit);
  Result<StartedFile> write_base(std::uint64_t number, const VersionEdit& edit);
  Status write_current(std::uint64_t number, std::uint64_t durable_edit);
  void remove_old_files();

  FileSystem& files_;
  const std::string directory_;
  DirectoryNames names_;
  const wal::DatabaseId database_;
  ManifestState state_;
  std::atomic<std::uint64_t> edit_number_{0};
  std::uint64_t last_tried_edit_ = 0;  // A number is never used for a second, different edit.

  // The file in force.
  std::unique_ptr<File> file_;  // Null: not open; unless settled_, the next append starts a new file.
  std::string path_;
  std::uint64_t number_ = 0;
  std::uint64_t end_ = 0;       // Bytes.
  std::uint64_t base_end_ = 0;  // Bytes up to the end of its first edit.
  std::uint32_t chain_ = 0;
  std::uint64_t current_edit_ = 0;  // What CURRENT says is durable.

  bool settled_ = false;
  std::uint64_t dropped_bytes_ = 0;
  std::uint64_t last_number_ = 0;      // Greatest number of any manifest seen or tried.
  std::set<std::uint64_t> old_files_;  // Manifests to be removed once a newer one is in force for certain.
};

}  // namespace firn::lsm
