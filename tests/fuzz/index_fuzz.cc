// Any bytes as the index of a table: refused, or one that sends every key to a block that there is.
#include <string>
#include <vector>

#include "platform/assert.h"
#include "sstable/index.h"
#include "sstable/table_format.h"
#include "tests/fuzz/input.h"
#include "tests/fuzz/sealed_files.h"
#include "tests/fuzz/target.h"

namespace firn::fuzz {

namespace {

using namespace sstable;

void run(Slice bytes) {
  Input input(bytes);
  const std::uint64_t data_bytes = input.number(4) * kSectionAlignment;
  const Slice key = input.take(input.byte() % 32);
  const Slice contents = input.rest();
  // Of exactly its size, so that AddressSanitizer sees its ends.
  const std::vector<char> exact(contents.begin(), contents.end());
  Index index;
  if (!index.open({exact.data(), exact.size()}, data_bytes).empty()) return;
  std::vector<std::string> keys = {"", std::string(key), std::string(100, '\xFF')};
  for (std::uint32_t i = 0; i + 1 < index.blocks(); ++i) {
    keys.push_back(index.separator(i));
    keys.push_back(keys.back() + '\0');
  }
  for (const std::string& each : keys) {
    FIRN_ASSERT(index.finish_locate(each, index.start_locate(each)) < index.blocks());
  }
  std::uint64_t last = 0;
  for (std::uint32_t i = 0; i < index.blocks(); ++i) {
    FIRN_ASSERT(index.block_offset(i) == last && index.block_offset(i + 1) > last);
    last = index.block_offset(i + 1);
    static_cast<void>(index.block_checksum(i));
  }
  FIRN_ASSERT(last == data_bytes);
}

std::vector<std::string> seeds() {
  std::vector<std::string> inputs;
  for (const std::string& table : sample_tables()) {
    const auto footer = decode_footer(Slice(table).substr(table.size() - kFooterBytes), "table", table.size());
    const Section& section = footer->section(SectionKind::kIndex);
    std::string input;
    append_fixed(input, static_cast<std::uint32_t>(footer->section(SectionKind::kData).length / kSectionAlignment));
    input.append("\6key:12").append(table, section.offset, section.length);
    inputs.push_back(std::move(input));
  }
  return inputs;
}

const Registration kRegistered({"index", run, seeds, 100'000});

}  // namespace

}  // namespace firn::fuzz
