#include "tools/dump/edit_text.h"

#include <fmt/core.h>

#include "tools/dump/source.h"
#include "tools/text/escape.h"
#include "tools/text/units.h"

namespace firn::tools {

namespace {

using lsm::ManifestState;
using lsm::VersionEdit;

struct LevelSum {
  std::uint64_t bytes = 0;
  std::uint64_t entries = 0;
  std::uint64_t tombstones = 0;
};

Json table_json(const lsm::AddedTable& added, const ManifestState& state, const Output& out) {
  const TableMeta& meta = added.meta;
  Json json;
  json["id"] = meta.id;
  json["family"] = family_name(state, added.family);
  json["level"] = added.level;
  json["bytes"] = meta.file_bytes;
  json["digest"] = hex64(meta.digest);
  json["entries"] = meta.entries;
  json["tombstones"] = meta.tombstones;
  json["key_bytes"] = meta.key_bytes;
  json["value_bytes"] = meta.value_bytes;
  out.put(json, "smallest_key", meta.smallest_key);
  out.put(json, "largest_key", meta.largest_key);
  json["smallest_sequence"] = meta.smallest_sequence;
  json["largest_sequence"] = meta.largest_sequence;
  for (const ValueUse& use : meta.values) {
    json["values"].push_back(Json{{"file", use.file}, {"references", use.records}, {"bytes", use.bytes}});
  }
  return json;
}

Json durable_json(const wal::DurableEnd& durable) { return Json{{"segment", durable.id}, {"bytes", durable.bytes}}; }

Json clean_close_json(const lsm::CleanClose& close) {
  Json json;
  json["last_sequence"] = close.last_sequence;
  json["segments"] = Json::array();
  for (const wal::SegmentEnd& end : close.segments) {
    Json row;
    row["id"] = end.id;
    row["bytes"] = end.length;
    row["chain"] = fmt::format("{:08x}", end.chain);
    json["segments"].push_back(std::move(row));
  }
  return json;
}

std::string list_text(const std::set<std::uint64_t>& numbers) {
  std::string text;
  for (const std::uint64_t number : numbers) text += fmt::format("{}{}", text.empty() ? "" : " ", number);
  return text.empty() ? "none" : text;
}

void print_level(std::size_t level, const std::map<std::uint64_t, TableMeta>& tables, Output& out, Json& rows) {
  if (tables.empty()) return;
  LevelSum sum;
  for (const auto& [id, meta] : tables) {
    sum.bytes += meta.file_bytes;
    sum.entries += meta.entries;
    sum.tombstones += meta.tombstones;
  }
  out.line(fmt::format("  {:<20} L{:<5} {:>8} {:>12} {:>14} {:>12}", "", level, count_text(tables.size()),
                       bytes_text(sum.bytes), count_text(sum.entries), count_text(sum.tombstones)));
  Json row;
  row["level"] = level;
  row["tables"] = tables.size();
  row["bytes"] = sum.bytes;
  row["entries"] = sum.entries;
  row["tombstones"] = sum.tombstones;
  rows.push_back(std::move(row));
}

void print_values(const std::map<std::uint64_t, lsm::LiveValueFile>& files, Output& out, Json& json) {
  if (files.empty()) return;
  std::uint64_t bytes = 0;
  std::uint64_t records = 0;
  std::uint64_t live = 0;
  for (const auto& [id, values] : files) {
    bytes += values.meta.file_bytes;
    records += values.meta.records;
    live += values.bytes;
  }
  out.line(fmt::format("  {:<20} {:<6} {:>8} {:>12} {:>14}   {} referred to", "", "values", count_text(files.size()),
                       bytes_text(bytes), count_text(records), bytes_text(live)));
  json["values"] = Json{{"files", files.size()}, {"bytes", bytes}, {"records", records}, {"live_bytes", live}};
}

}  // namespace

std::vector<std::string> edit_tokens(const VersionEdit& edit, const ManifestState& state) {
  std::vector<std::string> tokens;
  const auto add = [&](std::string text) { tokens.push_back(std::move(text)); };
  for (const std::uint64_t id : edit.log_segments_removed) add(fmt::format("-log {}", id));
  for (const std::uint64_t id : edit.log_segments_added) add(fmt::format("+log {}", id));
  if (edit.log_durable) add(fmt::format("log durable to {} of {}", edit.log_durable->bytes, edit.log_durable->id));
  for (const auto& family : edit.families_created) {
    add(fmt::format("+family {} \"{}\"", family.id, escape(family.name)));
  }
  for (const auto& table : edit.tables_removed) {
    add(fmt::format("-table {} {}/L{}", table.id, family_name(state, table.family), table.level));
  }
  for (const auto& table : edit.tables_added) {
    add(fmt::format("+table {} {}/L{} ({} entries, {})", table.meta.id, family_name(state, table.family), table.level,
                    count_text(table.meta.entries), bytes_text(table.meta.file_bytes)));
  }
  for (const auto& values : edit.values_added) {
    add(fmt::format("+values {} {} ({} records, {})", values.meta.id, family_name(state, values.family),
                    count_text(values.meta.records), bytes_text(values.meta.file_bytes)));
  }
  for (const auto& flushed : edit.flushed) {
    add(fmt::format("flushed {} to {}", family_name(state, flushed.family), flushed.sequence));
  }
  for (const std::uint32_t id : edit.families_dropped) add(fmt::format("-family {}", id));
  if (edit.next_file_id) add(fmt::format("next file {}", *edit.next_file_id));
  if (edit.next_family_id) add(fmt::format("next family {}", *edit.next_family_id));
  if (edit.last_sequence) add(fmt::format("last sequence {}", *edit.last_sequence));
  if (edit.clean_close) add(fmt::format("clean close at sequence {}", edit.clean_close->last_sequence));
  return tokens;
}

Json edit_json(const VersionEdit& edit, const ManifestState& state, const Output& out) {
  Json json;
  json["number"] = edit.number;
  if (!edit.log_segments_removed.empty()) json["log_segments_removed"] = edit.log_segments_removed;
  if (!edit.log_segments_added.empty()) json["log_segments_added"] = edit.log_segments_added;
  if (edit.log_durable) json["log_durable"] = durable_json(*edit.log_durable);
  for (const auto& family : edit.families_created) {
    Json row;
    row["id"] = family.id;
    row["name"] = escape(family.name);
    row["filter_bits_per_key"] = family.options.filter_bits_per_key;
    json["families_created"].push_back(std::move(row));
  }
  for (const auto& table : edit.tables_removed) {
    Json row;
    row["id"] = table.id;
    row["family"] = family_name(state, table.family);
    row["level"] = table.level;
    json["tables_removed"].push_back(std::move(row));
  }
  for (const auto& table : edit.tables_added) json["tables_added"].push_back(table_json(table, state, out));
  for (const auto& values : edit.values_added) {
    json["values_added"].push_back(Json{{"id", values.meta.id},
                                        {"family", family_name(state, values.family)},
                                        {"bytes", values.meta.file_bytes},
                                        {"records", values.meta.records}});
  }
  for (const auto& flushed : edit.flushed) {
    Json row;
    row["family"] = family_name(state, flushed.family);
    row["sequence"] = flushed.sequence;
    json["flushed"].push_back(std::move(row));
  }
  if (!edit.families_dropped.empty()) json["families_dropped"] = edit.families_dropped;
  if (edit.next_file_id) json["next_file_id"] = *edit.next_file_id;
  if (edit.next_family_id) json["next_family_id"] = *edit.next_family_id;
  if (edit.last_sequence) json["last_sequence"] = *edit.last_sequence;
  if (edit.clean_close) json["clean_close"] = clean_close_json(*edit.clean_close);
  return json;
}

void print_state(const ManifestState& state, Output& out) {
  out.field("edit", state.edit_number);
  out.field("last_sequence", state.last_sequence);
  out.field("next_file_id", state.next_file_id);
  out.field("log_segments", state.log_segments, list_text(state.log_segments));
  out.field(
      "clean_close", state.clean_close ? clean_close_json(*state.clean_close) : Json(nullptr),
      state.clean_close ? "yes: closed cleanly, nothing written since" : "no: in use, or stopped without a close");
  out.begin_rows("families", fmt::format("  {:<20} {:<6} {:>8} {:>12} {:>14} {:>12}", "family", "level", "tables",
                                         "bytes", "entries", "tombstones"));
  for (const auto& [id, family] : state.families) {
    Json json;
    json["id"] = id;
    json["name"] = escape(family.name);
    json["filter_bits_per_key"] = family.options.filter_bits_per_key;
    json["flushed_sequence"] = family.flushed_sequence;
    json["levels"] = Json::array();
    out.line(fmt::format("  {:<20} flushed up to sequence {}", escape(family.name), family.flushed_sequence));
    for (std::size_t level = 0; level < family.levels.size(); ++level) {
      print_level(level, family.levels[level], out, json["levels"]);
    }
    print_values(family.values, out, json);
    out.element(json);
  }
  out.end_rows();
}

}  // namespace firn::tools
