#include "lsm/manifest.h"

#include <algorithm>
#include <span>
#include <utility>

#include "lsm/file_names.h"
#include "lsm/manifest_format.h"
#include "lsm/manifest_reader.h"
#include "platform/assert.h"
#include "platform/io.h"
#include "platform/planted_bug.h"

namespace firn::lsm {

namespace {

// Edits behind the first one may take as much as it, and at least this, before everything is said anew.
constexpr std::uint64_t kTailBytesMin = std::uint64_t{4} << 20;

}  // namespace

Manifest::Manifest(FileSystem& files, std::string directory, const wal::DatabaseId& database)
    : files_(files), directory_(std::move(directory)), names_(files, directory_), database_(database) {}

Manifest::~Manifest() = default;

Result<std::unique_ptr<Manifest>> Manifest::create(FileSystem& files, const std::string& directory,
                                                   const wal::DatabaseId& database, VersionEdit first) {
  const Result<DirectoryContents> contents = list_database(files, directory);
  if (!contents.ok()) return contents.status();
  const Result<LoadedManifest> present = load_current_manifest(files, directory, *contents);
  if (present.ok()) return Status(StatusCode::kInvalidArgument, directory + ": there is a database already");
  if (present.status().code() != StatusCode::kNotADatabase) return present.status();

  std::unique_ptr<Manifest> manifest(new Manifest(files, directory, database));
  manifest->old_files_.insert(contents->manifests.begin(), contents->manifests.end());
  if (!contents->manifests.empty()) manifest->last_number_ = contents->manifests.back();
  if (Status status = manifest->append(std::move(first)); !status.ok()) return status;
  return manifest;
}

Result<std::unique_ptr<Manifest>> Manifest::recover(FileSystem& files, const std::string& directory) {
  const Result<DirectoryContents> contents = list_database(files, directory);
  if (contents.status().is_not_found()) {
    return Status(StatusCode::kNotADatabase, directory + ": no such directory");
  }
  if (!contents.ok()) return contents.status();
  return recover(files, directory, *contents);
}

Result<std::unique_ptr<Manifest>> Manifest::recover(FileSystem& files, const std::string& directory,
                                                    const DirectoryContents& contents) {
  Result<LoadedManifest> loaded = load_current_manifest(files, directory, contents);
  if (!loaded.ok()) return loaded.status();

  std::unique_ptr<Manifest> manifest(new Manifest(files, directory, loaded->database));
  manifest->state_ = std::move(loaded->state);
  manifest->edit_number_.store(manifest->state_.edit_number, std::memory_order_release);
  manifest->last_tried_edit_ = manifest->state_.edit_number;
  manifest->path_ = loaded->path;
  manifest->number_ = loaded->number;
  manifest->end_ = loaded->end;
  manifest->base_end_ = loaded->base_end;
  manifest->chain_ = loaded->chain;
  manifest->dropped_bytes_ = loaded->dropped_bytes;
  manifest->settled_ = loaded->settled;
  if (loaded->settled) manifest->current_edit_ = manifest->state_.edit_number;
  manifest->old_files_.insert(contents.manifests.begin(), contents.manifests.end());
  manifest->last_number_ = contents.manifests.back();
  return manifest;
}

Status Manifest::append(VersionEdit edit) {
  if (Status status = state_.check(edit); !status.ok()) return status;
  edit.number = ++last_tried_edit_;
  if (file_ == nullptr && settled_) continue_file();
  settled_ = false;
  const std::string payload = encode_version_edit(edit);
  const bool grown = end_ - base_end_ + payload.size() > std::max(kTailBytesMin, base_end_);
  // After a failure nobody knows what the device has of the file: a new one decides.
  const bool appended = file_ != nullptr && !grown && append_to_file(edit, payload).ok();
  if (!appended) {
    if (Status status = start_file(edit); !status.ok()) return status;
  }
  state_.apply(edit);
  edit_number_.store(edit.number, std::memory_order_release);
  settled_ = true;
  return Status();
}

// All of the file is on the device, and so is its name. Where it cannot be opened, a new one is as good.
void Manifest::continue_file() {
  Result<std::unique_ptr<File>> file = files_.open(path_, OpenMode::kReadWrite, FileKind::kManifest);
  if (file.ok()) file_ = *std::move(file);
}

Status Manifest::append_to_file(const VersionEdit& edit, Slice payload) {
  std::string frame;
  const std::uint32_t chain =
      append_edit(frame, wal::file_salt(database_, number_), end_, edit.number, chain_, payload);
  Status status = write_all(*file_, end_, std::as_bytes(std::span(frame)));
  const bool skipped =
      FIRN_PLANTED_BUG(edit_not_synced) || (FIRN_PLANTED_BUG(clean_close_not_synced) && edit.clean_close.has_value());
  if (status.ok() && !skipped) status = file_->sync();
  if (FIRN_PLANTED_BUG(edit_sync_failure_ignored)) status = Status();
  if (!status.ok()) {
    file_.reset();
    return status;
  }
  end_ += frame.size();
  chain_ = chain;
  return Status();
}

// Says everything, `edit` included, in a new file, and lets CURRENT name that.
Status Manifest::start_file(const VersionEdit& edit) {
  file_.reset();
  const std::uint64_t number = ++last_number_;
  Result<StartedFile> started = write_base(number, edit);
  if (!started.ok()) {
    // CURRENT never named it.
    if (!files_.remove(manifest_path(directory_, number)).ok()) old_files_.insert(number);
    return started.status();
  }
  if (Status status = write_current(number, edit.number); !status.ok()) {
    // CURRENT may name either: both stay until a third is in force.
    old_files_.insert(number);
    return status;
  }
  if (number_ != 0) old_files_.insert(number_);
  number_ = number;
  file_ = std::move(started->file);
  path_ = file_->path();
  chain_ = started->chain;
  end_ = started->bytes;
  base_end_ = started->bytes;
  remove_old_files();
  return Status();
}

// The file's contents and name are durable when Ok.
Result<Manifest::StartedFile> Manifest::write_base(std::uint64_t number, const VersionEdit& edit) {
  ManifestState state = state_;
  state.apply(edit);
  EncodedHeader header = encode_manifest_header({kManifestFormatVersion, number, database_, edit.number});
  StartedFile started;
  started.chain = append_edit(header.bytes, wal::file_salt(database_, number), kManifestHeaderBytes, edit.number,
                              header.chain, encode_version_edit(state.snapshot()));
  started.bytes = header.bytes.size();
  const DirectoryNames::Mark before = names_.mark();
  Result<std::unique_ptr<File>> file =
      files_.open(manifest_path(directory_, number), OpenMode::kCreate, FileKind::kManifest);
  if (!file.ok()) return file.status();
  started.file = *std::move(file);
  if (Status status = write_all(*started.file, 0, std::as_bytes(std::span(header.bytes))); !status.ok()) return status;
  if (Status status = started.file->sync(); !status.ok()) return status;
  if (FIRN_PLANTED_BUG(base_name_not_synced)) return started;
  if (Status status = names_.sync(before); !status.ok()) return status;
  return started;
}

Status Manifest::write_current(std::uint64_t number, std::uint64_t durable_edit) {
  const std::string text = encode_current({number, durable_edit, database_});
  const DirectoryNames::Mark before = names_.mark();
  Status status = replace_file(files_, directory_, std::string(kCurrentName), text);
  if (status.ok() && !FIRN_PLANTED_BUG(rename_not_synced)) status = names_.sync(before);
  if (status.ok()) current_edit_ = durable_edit;
  return status;
}

void Manifest::remove_old_files() {
  for (auto number = old_files_.begin(); number != old_files_.end();) {
    const Status status = files_.remove(manifest_path(directory_, *number));
    number = status.ok() || status.is_not_found() ? old_files_.erase(number) : std::next(number);
  }
}

Status Manifest::vouch() { return current_edit_ == edit_number() ? Status() : write_current(number_, edit_number()); }

Result<wal::ReplayRequest> Manifest::replay_request() const {
  const Result<DirectoryContents> contents = list_database(files_, directory_);
  if (!contents.ok()) return contents.status();
  return replay_request(*contents);
}

wal::ReplayRequest Manifest::replay_request(const DirectoryContents& contents) const {
  return make_replay_request(directory_, contents, database_, state_, {state_.edit_number, path_, end_});
}

}  // namespace firn::lsm
