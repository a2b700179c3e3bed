// Tested in tests/faults/repair_test.cc.
#include "lsm/log_salvage.h"

#include <algorithm>
#include <utility>

#include "lsm/survey.h"
#include "platform/io.h"
#include "wal/search_budget.h"

namespace firn::lsm {

namespace {

Damage gap_damage(const std::string& path, std::uint64_t begin, std::uint64_t end) {
  Damage damage = damage_of(Status::corruption(path, begin, "no sound record; writes are lost here"));
  damage.bytes = end - begin;
  return damage;
}

void read_records(const std::string& path, Slice file, std::uint64_t salt, const LogSalvage& salvage) {
  wal::SearchBudget budget(file.size());
  std::uint64_t gap_begin = 0;
  bool in_gap = false;
  for (std::uint64_t offset = wal::kSegmentHeaderBytes; offset < file.size();) {
    const Slice rest = file.substr(static_cast<std::size_t>(offset));
    const wal::RecordPlace place{salt, offset};
    const auto header = wal::decode_record_header(rest, place, file.size());
    const auto decoded = header ? wal::decode_record(rest.data(), place, *header) : std::optional<wal::DecodedRecord>();
    if (decoded) {
      if (std::exchange(in_gap, false)) salvage.lose(gap_damage(path, gap_begin, offset), false);
      salvage.take(decoded->record);
      offset += header->record_bytes();
      continue;
    }
    if (!std::exchange(in_gap, true)) gap_begin = offset;
    if (header && !budget.spend(header->record_bytes())) break;
    offset += wal::search_step(rest);
  }
  if (!in_gap) return;
  // Zeros up to the end were never written.
  const std::size_t used = file.find_last_not_of('\0');
  if (used != Slice::npos && used >= gap_begin) {
    salvage.lose(gap_damage(path, gap_begin, used + 1), true);
  }
}

}  // namespace

void salvage_segment(FileSystem& files, const std::string& path, std::uint64_t id,
                     const std::optional<wal::DatabaseId>& database, const LogSalvage& salvage) {
  auto bytes = read_file(files, path, FileKind::kLog);
  if (bytes.status().is_not_found()) bytes = Status::corruption(path, 0, "the file is missing");
  if (!bytes.ok()) return salvage.lose(damage_of(bytes.status()), false);
  const auto header =
      bytes->size() < wal::kSegmentSectorBytes ? std::nullopt : wal::decode_segment_header(bytes->data());
  if (!header) {
    if (bytes->find_first_not_of('\0') == std::string::npos) return;  // Never used.
    salvage.lose(damage_of(Status::corruption(path, 0, "no sound segment header")), false);
    if (!database) return;
  }
  read_records(path, *bytes, wal::file_salt(database ? *database : header->header.database, id), salvage);
}

}  // namespace firn::lsm
