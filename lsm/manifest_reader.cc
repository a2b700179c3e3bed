// Tested in manifest_test.cc and manifest_damage_test.cc.
#include "lsm/manifest_reader.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "lsm/file_names.h"
#include "lsm/manifest_format.h"
#include "platform/io.h"

namespace firn::lsm {

namespace {

// What is behind the last edit of a file.
struct Tail {
  std::uint64_t used_bytes = 0;
  std::optional<std::uint64_t> sound_edit;  // Offset of one that verifies: everything before it was durable.
  bool decided = true;                      // False: gave up, the bytes look like edits everywhere and are none.
};

Tail scan_tail(Slice file, std::uint64_t salt, std::uint64_t from) {
  Tail tail;
  const std::size_t last = file.find_last_not_of('\0');
  if (last == Slice::npos || last < from) return tail;
  tail.used_bytes = last + 1 - from;
  // Hashing starts at every place that looks like an edit; this bounds data that is made to.
  std::uint64_t budget = 4 * file.size() + (std::uint64_t{1} << 20);
  for (std::uint64_t offset = from; offset <= last; offset += kEditAlignment) {
    const std::optional<std::uint64_t> bytes = edit_frame_bytes(file, offset);
    if (!bytes.has_value()) continue;
    if (*bytes > budget) {
      tail.decided = false;
      return tail;
    }
    budget -= *bytes;
    if (!decode_edit(file, salt, offset).has_value()) continue;
    tail.sound_edit = offset;
    return tail;
  }
  return tail;
}

// Reads the edits of one file in memory.
class ManifestReader {
 public:
  ManifestReader(std::string path, std::uint64_t number, Slice file) : file_(file) {
    loaded_.path = std::move(path);
    loaded_.number = number;
  }

  Result<LoadedManifest> run() {
    if (Status status = read_header(); !status.ok()) return status;
    for (;;) {
      const Result<bool> more = read_edit();
      if (!more.ok()) return more.status();
      if (!*more) break;
    }
    if (Status status = judge_tail(); !status.ok()) return status;
    return std::move(loaded_);
  }

  Result<LoadedManifest> run_to_damage(Status& damage) {
    if (Status status = read_header(); !status.ok()) return status;
    for (;;) {
      const Result<bool> more = read_edit();
      damage = more.status();
      if (!more.ok() || !*more) break;
    }
    if (damage.ok()) damage = judge_tail();
    if (loaded_.end == kManifestHeaderBytes) return damage;
    return std::move(loaded_);
  }

 private:
  Status corruption(std::uint64_t offset, std::string_view detail) const {
    return Status::corruption(loaded_.path, offset, detail);
  }

  Status read_header() {
    const std::optional<DecodedHeader> decoded = decode_manifest_header(file_);
    if (!decoded.has_value()) return corruption(0, "no sound manifest header");
    const ManifestHeader& header = decoded->header;
    if (header.version > kManifestFormatVersion) {
      return Status(StatusCode::kNewerFormat, loaded_.path + ": manifest format version " +
                                                  std::to_string(header.version) + ", this Firn reads up to " +
                                                  std::to_string(kManifestFormatVersion));
    }
    if (header.number != loaded_.number) {
      return corruption(0, "is manifest " + std::to_string(header.number) + " under another name");
    }
    loaded_.database = header.database;
    loaded_.end = kManifestHeaderBytes;
    salt_ = wal::file_salt(header.database, header.number);
    loaded_.chain = decoded->chain;
    base_edit_ = header.base_edit;
    return Status();
  }

  // False at the first place where no edit is.
  Result<bool> read_edit() {
    const std::uint64_t offset = loaded_.end;
    if (!edit_frame_bytes(file_, offset).has_value()) return false;
    const std::optional<FramedEdit> framed = decode_edit(file_, salt_, offset);
    if (!framed.has_value()) return false;
    const bool first = offset == kManifestHeaderBytes;
    const bool in_order = first ? framed->number == base_edit_ : framed->number > loaded_.state.edit_number;
    if (framed->chain != loaded_.chain || !in_order) {
      return corruption(offset, "edit " + std::to_string(framed->number) + " does not follow the one before it");
    }
    Result<VersionEdit> edit = decode_version_edit(framed->payload);
    if (edit.status().code() == StatusCode::kNewerFormat) {
      return Status(StatusCode::kNewerFormat,
                    loaded_.path + ": offset " + std::to_string(offset) + ": " + std::string(edit.status().message()));
    }
    if (!edit.ok()) return corruption(offset, edit.status().message());
    edit->number = framed->number;
    if (Status status = loaded_.state.check(*edit); !status.ok()) return corruption(offset, status.message());
    loaded_.state.apply(*edit);
    loaded_.end += framed->frame_bytes;
    if (first) loaded_.base_end = loaded_.end;
    loaded_.chain = framed->next_chain;
    return true;
  }

  Status judge_tail() {
    if (loaded_.end == kManifestHeaderBytes) return corruption(loaded_.end, "the first edit is damaged");
    const Tail tail = scan_tail(file_, salt_, loaded_.end);
    loaded_.dropped_bytes = tail.used_bytes;
    if (!tail.decided) return corruption(loaded_.end, "too much behind here looks like edits to tell what was durable");
    if (!tail.sound_edit.has_value()) return Status();
    return corruption(loaded_.end, "damaged edit; it was durable before the sound one at offset " +
                                       std::to_string(*tail.sound_edit) + " was written");
  }

  const Slice file_;
  LoadedManifest loaded_;
  std::uint64_t salt_ = 0;
  std::uint64_t base_edit_ = 0;
};

Status not_a_database(const std::string& directory) {
  return Status(StatusCode::kNotADatabase, directory + ": no Firn database here");
}

// Without CURRENT: a creation that was interrupted has at most a manifest with nothing in it.
Status judge_missing_current(FileSystem& files, const std::string& directory, const DirectoryContents& contents) {
  Status missing =
      Status::corruption(current_path(directory), 0, "is missing, but other files of a database are there");
  if (!contents.tables.empty() || !contents.segments.empty()) return missing;
  for (const std::uint64_t number : contents.manifests) {
    const Result<LoadedManifest> loaded = load_manifest(files, directory, number);
    if (!loaded.ok() && loaded.status().code() != StatusCode::kCorruption) return loaded.status();
    if (loaded.ok() && loaded->state.edit_number > 1) return missing;
  }
  return not_a_database(directory);
}

// Whether what was read is on the device for certain, not only with the operating system. CURRENT vouches for an edit
// after the edit was synced; and the manifest before this one was removed after CURRENT's new name was.
bool is_settled(const LoadedManifest& loaded, const Current& current, const DirectoryContents& contents) {
  return loaded.state.clean_close.has_value() && loaded.state.edit_number == current.durable_edit &&
         loaded.dropped_bytes == 0 && contents.manifests.size() == 1;
}

// With a CURRENT that can't be read: the newest manifest, if it is beyond doubt.
Result<LoadedManifest> load_without_current(FileSystem& files, const std::string& directory,
                                            const DirectoryContents& contents) {
  std::optional<LoadedManifest> newest;
  const auto doubt = [&](std::string_view why) {
    return Status::corruption(current_path(directory), 0, std::string("is damaged, and ").append(why));
  };
  if (contents.manifests.empty()) return doubt("there is no manifest");
  for (const std::uint64_t number : contents.manifests) {
    Result<LoadedManifest> loaded = load_manifest(files, directory, number);
    const bool last = number == contents.manifests.back();
    if (!loaded.ok()) {
      if (loaded.status().code() != StatusCode::kCorruption) return loaded.status();
      if (last) return doubt("the newest manifest too: " + loaded.status().to_string());
      continue;
    }
    if (newest.has_value() &&
        (newest->database != loaded->database || newest->state.edit_number > loaded->state.edit_number)) {
      return doubt("the newest manifest is not that with the newest edit");
    }
    newest = *std::move(loaded);
  }
  // What CURRENT would prove is not known: no sign of a lost edit is taken for the end of a crashed one.
  if (newest->dropped_bytes != 0) return doubt("the newest manifest ends within an edit");
  for (const std::uint64_t table : contents.tables) {
    if (table >= newest->state.next_file_id) return doubt("there are tables that the newest manifest does not know");
  }
  return *std::move(newest);
}

}  // namespace

Result<LoadedManifest> load_manifest(FileSystem& files, const std::string& directory, std::uint64_t number) {
  const std::string path = manifest_path(directory, number);
  const Result<std::string> bytes = read_file(files, path, FileKind::kManifest);
  if (!bytes.ok()) return bytes.status();
  return ManifestReader(path, number, *bytes).run();
}

Result<LoadedManifest> load_sound_edits(FileSystem& files, const std::string& directory, std::uint64_t number,
                                        Status& damage) {
  const std::string path = manifest_path(directory, number);
  const Result<std::string> bytes = read_file(files, path, FileKind::kManifest);
  if (!bytes.ok()) return bytes.status();
  return ManifestReader(path, number, *bytes).run_to_damage(damage);
}

Status check_segment_sizes(const std::string& directory, const std::vector<DirectoryEntry>& entries,
                           const ManifestState& state) {
  for (const DirectoryEntry& entry : entries) {
    const auto name = parse_file_name(entry.name);
    if (!name || name->kind != NameKind::kLog || !state.log_segments.contains(name->number)) continue;
    if (entry.bytes >= wal::kSegmentHeaderBytes) continue;
    return Status::corruption(segment_path(directory, name->number), entry.bytes,
                              "the file ends within the header of the log segment");
  }
  return Status();
}

wal::ReplayRequest make_replay_request(const std::string& directory, const DirectoryContents& contents,
                                       const wal::DatabaseId& database, const ManifestState& state,
                                       const wal::ManifestEnd& end) {
  wal::ReplayRequest request;
  request.database = database;
  for (const std::uint64_t id : state.log_segments) request.live.push_back({id, segment_path(directory, id)});
  for (const std::uint64_t id : contents.segments) {
    if (!state.log_segments.contains(id)) request.others.push_back({id, segment_path(directory, id)});
  }
  if (state.clean_close.has_value()) request.clean_close = state.clean_close->segments;
  request.durable = state.log_durable;
  request.manifest = end;
  return request;
}

Result<DirectoryContents> list_database(FileSystem& files, const std::string& directory) {
  const Result<std::vector<DirectoryEntry>> entries = files.list(directory);
  if (!entries.ok()) return entries.status();
  return database_contents(*entries);
}

DirectoryContents database_contents(const std::vector<DirectoryEntry>& entries) {
  DirectoryContents contents;
  for (const DirectoryEntry& entry : entries) {
    const std::optional<FileName> name = parse_file_name(entry.name);
    if (entry.is_directory || !name.has_value()) continue;
    switch (name->kind) {
      case NameKind::kTable: contents.tables.push_back(name->number); break;
      case NameKind::kValues: break;
      case NameKind::kLog: contents.segments.push_back(name->number); break;
      case NameKind::kManifest: contents.manifests.push_back(name->number); break;
      case NameKind::kCurrent: contents.has_current = true; break;
      case NameKind::kLock: break;
      case NameKind::kTemporary: break;
    }
  }
  for (auto* numbers : {&contents.tables, &contents.segments, &contents.manifests}) {
    std::sort(numbers->begin(), numbers->end());
  }
  return contents;
}

Result<LoadedManifest> load_current_manifest(FileSystem& files, const std::string& directory,
                                             const DirectoryContents& contents) {
  if (!contents.has_current) {
    const bool empty = contents.manifests.empty() && contents.tables.empty() && contents.segments.empty();
    return empty ? not_a_database(directory) : judge_missing_current(files, directory, contents);
  }
  const std::string path = current_path(directory);
  const Result<std::string> text = read_file(files, path, FileKind::kCurrent);
  if (!text.ok()) return text.status();
  const std::optional<Current> current = decode_current(*text);
  if (!current.has_value()) return load_without_current(files, directory, contents);

  Result<LoadedManifest> loaded = load_manifest(files, directory, current->manifest);
  if (loaded.status().is_not_found()) {
    return Status::corruption(manifest_path(directory, current->manifest), 0, "is missing; CURRENT names it");
  }
  if (!loaded.ok()) return loaded.status();
  if (loaded->database != current->database) {
    return Status::corruption(loaded->path, 0, "belongs to another database than CURRENT");
  }
  if (loaded->state.edit_number < current->durable_edit) {
    return Status::corruption(loaded->path, loaded->end,
                              "ends after edit " + std::to_string(loaded->state.edit_number) +
                                  "; CURRENT says that edit " + std::to_string(current->durable_edit) + " was durable");
  }
  loaded->settled = is_settled(*loaded, *current, contents);
  return loaded;
}

}  // namespace firn::lsm
