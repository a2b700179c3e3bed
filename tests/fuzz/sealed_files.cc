#include "tests/fuzz/sealed_files.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <deque>
#include <span>

#include "codec/varint.h"
#include "firn/sim/file_system.h"
#include "lsm/manifest_format.h"
#include "lsm/version_edit.h"
#include "platform/assert.h"
#include "platform/io.h"
#include "sstable/index.h"
#include "sstable/table_format.h"
#include "tests/fuzz/input.h"

namespace firn::fuzz {

namespace {

using namespace sstable;

// Where the block checksums of an index section begin, by its first fields; beyond its end if they make no sense.
std::uint64_t checksums_offset(Slice index) {
  const std::uint64_t blocks = load<std::uint32_t>(index.data() + kIndexBlocksOffset);
  const std::uint64_t planes = load<std::uint32_t>(index.data() + kIndexPlanesOffset);
  if (blocks == 0 || planes == 0 || planes > kPlanesMax) return index.size();
  std::uint64_t at = kIndexHeaderBytes;
  std::uint64_t heads = blocks - 1;
  do {
    heads = (heads + kNodeHeads - 1) / kNodeHeads;
    at += kNodeBytes * heads;
  } while (heads > 1);
  at += (planes - 1) * round_up(8 * (blocks - 1), kSectionAlignment);
  return at + round_up(4 * (blocks + 1), kSectionAlignment);
}

// Puts right the checksums of those blocks that `index` places within `data`.
void seal_blocks(Slice data, std::string& index) {
  if (index.size() < kIndexHeaderBytes) return;
  const std::uint64_t blocks = load<std::uint32_t>(index.data() + kIndexBlocksOffset);
  const std::uint64_t checksums = checksums_offset(index);
  if (checksums > index.size() || index.size() - checksums < 8 * blocks) return;
  const char* const offsets = index.data() + checksums - round_up(4 * (blocks + 1), kSectionAlignment);
  for (std::uint64_t block = 0; block < blocks; ++block) {
    const std::uint64_t begin = load<std::uint32_t>(offsets + 4 * block) * std::uint64_t{kSectionAlignment};
    const std::uint64_t end = load<std::uint32_t>(offsets + 4 * block + 4) * std::uint64_t{kSectionAlignment};
    if (begin >= end || end > data.size()) continue;
    store(index.data() + checksums + 8 * block, table_checksum(kTableId, begin, data.substr(begin, end - begin)));
  }
}

}  // namespace

std::string sealed_segment(std::uint64_t id, const wal::PreviousSegment& previous, Slice input, wal::SegmentEnd& end) {
  Input in(input);
  std::string bytes(wal::kSegmentHeaderBytes, '\0');
  std::uint32_t chain =
      wal::encode_segment_header({wal::kLogFormatVersion, id, kDatabase, 1, previous, 0}, bytes.data());
  Sequence sequence = id * 1000;
  while (!in.empty()) {
    const std::uint8_t choice = in.byte();
    if (choice < 16) {
      bytes += in.take(choice);  // No record at all.
      continue;
    }
    const Slice payload = in.take(1 + (choice & 63U));
    if (payload.empty()) break;
    const std::size_t begin = bytes.size();
    bytes.resize(begin + wal::record_bytes_max(payload.size()));
    sequence += (choice & 64) != 0 ? 1U : 0U;
    const wal::DurableStamp stamp{(choice & 128) != 0 ? begin : 0, choice % 3 == 0};
    char* at = bytes.data() + begin;
    wal::RecordPlace place{wal::file_salt(kDatabase, id), begin};
    wal::put_record(at, place, {sequence, 1, payload}, stamp, chain);
    bytes.resize(place.offset);
  }
  end = {id, bytes.size(), chain};
  return bytes;
}

std::string sealed_manifest(Slice input) {
  Input in(input);
  lsm::EncodedHeader file = lsm::encode_manifest_header({lsm::kManifestFormatVersion, 1, kDatabase, 1});
  const std::uint64_t salt = wal::file_salt(kDatabase, 1);
  for (std::uint64_t number = 1; !in.empty(); ++number) {
    const std::size_t bytes = in.byte();
    file.chain = lsm::append_edit(file.bytes, salt, file.bytes.size(), number, file.chain, in.take(bytes));
  }
  return file.bytes;
}

std::string manifest_input(const std::vector<std::string>& edits) {
  std::string input;
  for (const std::string& edit : edits) {
    FIRN_ASSERT(edit.size() <= UINT8_MAX);
    input.append(1, static_cast<char>(edit.size())).append(edit);
  }
  return input;
}

std::vector<std::string> sample_edits() {
  lsm::VersionEdit created;
  created.next_file_id = 10;
  created.next_family_id = 2;
  created.last_sequence = 99;
  created.log_segments_added = {5, 6};
  FamilyOptions options;
  options.compression = LevelCompression{Compression::kNone, Compression::kLz4, Compression::kZstd};
  created.families_created = {{0, "default", {}}, {1, "notes", options}};
  lsm::VersionEdit flushed;
  flushed.log_segments_removed = {5};
  const TableMeta meta{7, 8192, 0xD16E57, 10, 1, 160, 1000, "a", "z", 17, 99, {}};
  flushed.tables_added = {{0, 0, meta}};
  flushed.flushed = {{0, 99}};
  lsm::VersionEdit moved;
  moved.tables_removed = {{0, 0, 7}};
  moved.tables_added = {{0, 6, meta}};
  moved.families_dropped = {1};
  lsm::VersionEdit closed;
  closed.clean_close = lsm::CleanClose{{{6, 4096, 0xABCD}}, 99};
  std::vector<std::string> edits;
  for (const lsm::VersionEdit& edit : {created, flushed, moved, closed}) edits.push_back(encode_version_edit(edit));
  return edits;
}

std::string sealed_table(Slice input) {
  Input in(input);
  std::array<std::size_t, kSectionCount> lengths{};
  for (std::size_t& length : lengths) length = in.number(4);
  std::array<std::string, kSectionCount> sections;
  for (std::size_t i = 0; i < kSectionCount; ++i) {
    sections[i] = in.take(lengths[i]);
    sections[i].resize(round_up(sections[i].size(), kSectionAlignment));
  }
  seal_blocks(sections[0], sections[static_cast<std::size_t>(SectionKind::kIndex) - 1]);
  std::size_t bytes = 0;
  for (const std::string& section : sections) bytes += section.size();
  sections.back().resize(sections.back().size() + round_up(bytes, kFooterBytes) - bytes);

  std::string file;
  Footer footer;
  footer.table_id = kTableId;
  for (std::size_t i = 0; i < kSectionCount; ++i) {
    const std::uint64_t sum = i == 0 ? 0 : table_checksum(kTableId, file.size(), sections[i]);
    footer.sections[i] = {file.size(), sections[i].size(), sum};
    file += sections[i];
  }
  footer.file_bytes = file.size() + kFooterBytes;
  file.resize(footer.file_bytes);
  encode_footer(footer, file.data() + file.size() - kFooterBytes);
  return file;
}

std::string table_input(Slice table) {
  const auto footer = decode_footer(table.substr(table.size() - kFooterBytes), "table", table.size());
  FIRN_ASSERT(footer.ok());
  std::string lengths;
  std::string contents;
  for (const Section& section : footer->sections) {
    Slice bytes = table.substr(section.offset, section.length);
    if (const std::size_t last = bytes.find_last_not_of('\0'); last != Slice::npos) bytes = bytes.substr(0, last + 1);
    append_fixed(lengths, static_cast<std::uint32_t>(bytes.size()));
    contents += bytes;
  }
  return lengths + contents;
}

std::string make_table(const std::vector<Entry>& entries, const TableOptions& options) {
  sim::SimFileSystem files;
  auto file = files.open("table", OpenMode::kCreate, FileKind::kTable);
  FIRN_ASSERT(file.ok());
  TableBuilder builder(**file, kTableId, options);
  for (const Entry& entry : entries) FIRN_ASSERT(builder.add(entry).ok());
  FIRN_ASSERT(builder.finish().ok());
  return *read_file(files, "table", FileKind::kTable);
}

std::vector<std::string> sample_tables() {
  std::deque<std::string> owned;
  const auto own = [&](std::string bytes) -> Slice { return owned.emplace_back(std::move(bytes)); };
  std::vector<Entry> rising;  // Keys of one length, one sequence.
  std::vector<Entry> mixed;   // Keys of any length, ties beyond two heads, versions, tombstones.
  for (int i = 0; i < 40; ++i) {
    const std::string digits = std::to_string(100 + i);
    rising.push_back({own("key:" + digits), own(std::string(20, 'v') + digits), 9, EntryKind::kPut});
    const Slice key = own(std::string(static_cast<std::size_t>(i % 4) * 9, 't') + digits);
    mixed.push_back({key, own(std::string(static_cast<std::size_t>(i) * 3, 'w')), 500U + static_cast<Sequence>(i),
                     EntryKind::kPut});
    mixed.push_back({key, {}, 3, EntryKind::kTombstone});
  }
  mixed.push_back({own(std::string(300, '\xFF')), "", kSequenceMax, EntryKind::kPut});
  mixed.push_back({"", own(std::string(700, 'x')), 1, EntryKind::kPut});
  std::sort(mixed.begin(), mixed.end(),
            [](const Entry& a, const Entry& b) { return a.key != b.key ? a.key < b.key : a.sequence > b.sequence; });

  std::vector<std::string> tables;
  for (const Compression codec : {Compression::kNone, Compression::kZstd, Compression::kLz4}) {
    if (!compression_available(codec)) continue;
    for (const std::uint32_t filter_bits : {0U, 10U}) {
      tables.push_back(make_table(rising, {512, filter_bits, codec}));
      tables.push_back(make_table(mixed, {512, filter_bits, codec}));
    }
  }
  return tables;
}

}  // namespace firn::fuzz
