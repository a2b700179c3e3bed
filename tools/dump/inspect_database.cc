#include "tools/dump/inspect_database.h"

#include <fmt/core.h>

#include <map>
#include <set>
#include <utility>
#include <vector>

#include "codec/batch_format.h"
#include "firn/options.h"
#include "firn/stats.h"
#include "lsm/file_names.h"
#include "lsm/manifest.h"
#include "lsm/manifest_reader.h"
#include "lsm/sizes.h"
#include "platform/io.h"
#include "tools/dump/edit_text.h"
#include "tools/text/sizes.h"
#include "tools/text/units.h"
#include "wal/replay.h"

namespace firn::tools {

namespace {

// What the log holds that is not in tables yet.
struct Replay {
  Status status;  // Of reading it.
  RecoveryReport report;
  std::uint64_t operations = 0;  // To be applied.
};

struct FileSum {
  std::uint64_t count = 0;
  std::uint64_t bytes = 0;
};

// All that the page shows, read in one go.
struct Findings {
  std::vector<DirectoryEntry> entries;
  std::unique_ptr<lsm::Manifest> manifest;
  Replay replay;
  std::vector<Status> damages;
};

bool holds_rows(const lsm::FileName& name) {
  return name.kind == lsm::NameKind::kTable || name.kind == lsm::NameKind::kValues;
}

Replay read_log(FileSystem& files, const lsm::Manifest& manifest) {
  Replay replay;
  auto request = manifest.replay_request();
  if (!request.ok()) {
    replay.status = request.status();
    return replay;
  }
  const auto& families = manifest.state().families;
  const auto visit = [&](const wal::Record& record, const wal::RecordSource&) {
    BatchReader reader(record.payload);
    BatchOperation op;
    for (Sequence sequence = record.first_sequence; reader.next(op); ++sequence) {
      const auto family = families.find(op.family);
      if (family != families.end() && sequence > family->second.flushed_sequence) ++replay.operations;
    }
    return Status();
  };
  auto end = wal::replay(files, *request, visit, replay.report);
  replay.status = std::move(end);
  return replay;
}

// Tables and value files that the manifest lists and the directory lacks, or has in another size.
void check_tables(const std::string& directory, Findings& found) {
  std::map<std::string, std::uint64_t> bytes_of;  // By path.
  for (const DirectoryEntry& entry : found.entries) {
    const auto name = lsm::parse_file_name(entry.name);
    if (name && holds_rows(*name)) bytes_of.emplace(join_path(directory, entry.name), entry.bytes);
  }
  const auto check = [&](const std::string& path, std::uint64_t file_bytes) {
    const auto file = bytes_of.find(path);
    if (file != bytes_of.end() && file->second == file_bytes) return;
    const bool missing = file == bytes_of.end();
    found.damages.push_back(Status::corruption(
        path, missing ? 0 : std::min(file->second, file_bytes),
        missing ? "the file is missing; the manifest lists it"
                : fmt::format("the file has {} bytes, the manifest says {}", file->second, file_bytes)));
  };
  for (const auto& [family_id, family] : found.manifest->state().families) {
    for (const auto& level : family.levels) {
      for (const auto& [id, meta] : level) check(lsm::table_path(directory, id), meta.file_bytes);
    }
    for (const auto& [id, values] : family.values) check(lsm::value_path(directory, id), values.meta.file_bytes);
  }
}

Result<Findings> look(FileSystem& files, const std::string& directory) {
  Findings found;
  auto manifest = lsm::Manifest::recover(files, directory);
  if (!manifest.ok()) return manifest.status();
  found.manifest = std::move(manifest).value();
  auto entries = files.list(directory);
  if (!entries.ok()) return entries.status();
  found.entries = std::move(entries).value();
  check_tables(directory, found);
  found.replay = read_log(files, *found.manifest);
  if (!found.replay.status.ok()) found.damages.push_back(found.replay.status);
  return found;
}

// A database in use changes while it is looked at: what looks like damage then does not last.
Result<Findings> look_again(FileSystem& files, const std::string& directory) {
  constexpr int kTries = 3;
  for (int attempt = 1;; ++attempt) {
    auto found = look(files, directory);
    const bool settled = found.ok() ? found->damages.empty() : found.status().code() == StatusCode::kNotADatabase;
    if (settled || attempt == kTries) return found;
  }
}

// Ids of tables and value files.
std::set<std::uint64_t> live_files(const lsm::ManifestState& state) {
  std::set<std::uint64_t> ids;
  for (const auto& [family_id, family] : state.families) {
    for (const auto& level : family.levels) {
      for (const auto& [id, meta] : level) ids.insert(id);
    }
    for (const auto& [id, values] : family.values) ids.insert(id);
  }
  return ids;
}

void print_files(const Findings& found, const lsm::ManifestState& state, Output& out) {
  const std::set<std::uint64_t> live = live_files(state);
  std::map<std::string, FileSum> sums;
  std::uint64_t total = 0;
  for (const DirectoryEntry& entry : found.entries) {
    const auto name = lsm::parse_file_name(entry.name);
    std::string kind = "other (not Firn's)";
    if (name) {
      switch (name->kind) {
        case lsm::NameKind::kTable: kind = live.contains(name->number) ? "tables" : "tables, obsolete"; break;
        case lsm::NameKind::kValues:
          kind = live.contains(name->number) ? "value files" : "value files, obsolete";
          break;
        case lsm::NameKind::kLog:
          kind = state.log_segments.contains(name->number) ? "log segments" : "log segments, obsolete";
          break;
        case lsm::NameKind::kManifest: kind = "manifests"; break;
        case lsm::NameKind::kTemporary: kind = "half-written"; break;
        default: kind = "CURRENT and LOCK"; break;
      }
    }
    ++sums[kind].count;
    sums[kind].bytes += entry.bytes;
    total += entry.bytes;
  }
  out.begin_rows("files", fmt::format("  {:<26} {:>8} {:>14}", "files", "count", "bytes"));
  for (const auto& [kind, sum] : sums) {
    out.line(fmt::format("  {:<26} {:>8} {:>14}", kind, count_text(sum.count), bytes_text(sum.bytes)));
    Json json;
    json["kind"] = kind;
    json["count"] = sum.count;
    json["bytes"] = sum.bytes;
    out.element(json);
  }
  out.end_rows();
  out.field("total_bytes", total, bytes_text(total));
}

void print_next_open(const Findings& found, Output& out) {
  const Replay& replay = found.replay;
  const RecoveryReport& report = replay.report;
  Json json;
  json["ok"] = found.damages.empty();
  json["segments"] = report.segments;
  json["batches"] = report.batches;
  json["operations"] = replay.operations;
  json["log_bytes"] = report.bytes;
  json["dropped_bytes"] = report.dropped_bytes;
  json["dropped_reason"] = report.dropped_reason;
  std::string text = "replays nothing";
  if (!found.damages.empty()) {
    text = "is refused: files are damaged (see below)";
  } else if (report.batches != 0 || report.dropped_bytes != 0) {
    text = fmt::format("reads {} batches ({}) of log; operations not in tables yet: {}", count_text(report.batches),
                       bytes_text(report.bytes), count_text(replay.operations));
  }
  out.field("next_open", json, text);
  if (found.damages.empty() && report.dropped_bytes != 0) {
    out.line(fmt::format("{:<25}and cuts {} bytes from the end of the log: {}", "", count_text(report.dropped_bytes),
                         report.dropped_reason));
  }
}

void print_sizes(Output& out) {
  const Options options;
  const DerivedSizes sizes = lsm::derive_sizes(options);
  Json json;
  json["memory_bytes"] = options.memory_bytes;
  put_sizes(json, sizes);
  out.field("default_sizes", json,
            fmt::format("memory {}: memtable {}, cache {}, block {}, table {}", bytes_text(options.memory_bytes),
                        bytes_text(sizes.memtable_bytes), bytes_text(sizes.cache_bytes), bytes_text(sizes.block_bytes),
                        bytes_text(sizes.table_bytes)));
  out.line(fmt::format("{:<25}log segment {}, level ratio {}, {} tables in L0 start a compaction", "",
                       bytes_text(sizes.log_segment_bytes), sizes.level_ratio, sizes.l0_tables));
}

}  // namespace

Status inspect_database(FileSystem& files, const std::string& directory, Output& out) {
  auto found = look_again(files, directory);
  if (!found.ok()) return found.status();
  const lsm::ManifestState& state = found->manifest->state();
  const wal::DatabaseId& database = found->manifest->database();
  out.heading("database " + directory);
  if (out.json()) {
    out.field("kind", "database");
    out.field("path", directory);
  }
  out.field("database", hex64(database.high) + hex64(database.low));
  out.field("manifest", found->manifest->path());
  print_state(state, out);
  print_files(*found, state, out);
  out.line("");
  print_next_open(*found, out);
  print_sizes(out);
  for (Status& status : found->damages) out.damage(std::move(status));
  return {};
}

}  // namespace firn::tools
