// Any bytes as the footer page of a table, with its checksum put right, and as its properties: refused, or what they
// say is written back the same.
#include <algorithm>
#include <string>
#include <vector>

#include "codec/varint.h"
#include "platform/assert.h"
#include "sstable/properties.h"
#include "sstable/table_format.h"
#include "tests/fuzz/input.h"
#include "tests/fuzz/sealed_files.h"
#include "tests/fuzz/target.h"

namespace firn::fuzz {

namespace {

using namespace sstable;

void read_footer(Slice front) {
  std::string page(front.substr(0, kFooterChecksumOffset));
  page.resize(kFooterBytes);
  const auto file_bytes = load<std::uint64_t>(page.data() + kFooterFileBytesOffset);
  if (file_bytes < kFooterBytes) return;
  const auto id = load<std::uint64_t>(page.data() + kFooterIdOffset);
  store(page.data() + kFooterChecksumOffset,
        table_checksum(id, file_bytes - kFooterBytes, Slice(page).substr(0, kFooterChecksumOffset)));
  const auto footer = decode_footer(page, "table", file_bytes);
  if (!footer.ok()) {
    const StatusCode code = footer.status().code();
    return FIRN_ASSERT(code == StatusCode::kCorruption || code == StatusCode::kNewerFormat);
  }
  std::string again(kFooterBytes, '\0');
  encode_footer(*footer, again.data());
  constexpr std::size_t kUsedBytes = kFooterTableOffset + kSectionCount * kSectionEntryBytes;
  FIRN_ASSERT(Slice(again).substr(0, kUsedBytes) == Slice(page).substr(0, kUsedBytes));
}

void read_properties(Slice section, std::uint32_t version) {
  Properties properties;
  TableMeta meta;
  if (!decode_properties(section, version, properties, meta)) return;
  std::string again;
  encode_properties(properties, meta, again);
  TableMeta same;
  FIRN_ASSERT(decode_properties(again, version, properties, same) && same == meta);
  FIRN_ASSERT(version >= 2 || section.starts_with(again));  // Varints may be longer than they need be.
}

void run(Slice bytes) {
  Input input(bytes);
  switch (input.byte() % 3) {
    case 0: return read_footer(input.rest());
    case 1: return read_properties(input.rest(), 1);
    default: return read_properties(input.rest(), 2);
  }
}

std::vector<std::string> seeds() {
  std::vector<std::string> inputs;
  for (const std::string& table : sample_tables()) {
    const Slice page = Slice(table).substr(table.size() - kFooterBytes);
    const auto footer = decode_footer(page, "table", table.size());
    const Section& properties = footer->section(SectionKind::kProperties);
    inputs.push_back(std::string(1, '\0').append(page.substr(0, 200)));
    inputs.push_back(
        std::string(1, '\1').append(table, properties.offset, std::min<std::uint64_t>(properties.length, 500)));
  }
  std::string referring(1, '\2');
  Properties properties;
  TableMeta meta;
  meta.entries = 2;
  meta.values = {{7, 1, 4096}, {900, 1, 1 << 20}};
  encode_properties(properties, meta, referring);
  inputs.push_back(referring);
  return inputs;
}

const Registration kRegistered({"footer", run, seeds, 100'000});

}  // namespace

}  // namespace firn::fuzz
