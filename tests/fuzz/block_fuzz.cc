// Any bytes as the extent of a block: refused, or a block whose every part lies within it, and where a search finds
// each entry if they are in order.
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "codec/varint.h"
#include "platform/assert.h"
#include "sstable/block_reader.h"
#include "sstable/index.h"
#include "sstable/stored_block.h"
#include "sstable/table_format.h"
#include "tests/fuzz/sealed_files.h"
#include "tests/fuzz/target.h"

namespace firn::fuzz {

namespace {

using namespace sstable;

void read_block(Slice block) {
  const BlockReader reader(block.data());
  const bool ordered = check_order(reader);
  for (std::uint32_t i = 0; i < reader.entries(); ++i) {
    const std::string key = reader.key(i);
    FIRN_ASSERT(key.size() == reader.key_bytes(i) && key.starts_with(reader.prefix()));
    const Slice value = reader.body(i).value;
    FIRN_ASSERT(value.data() >= block.data() && value.data() + value.size() <= block.data() + block.size());
    FIRN_ASSERT(entry_kind_known(static_cast<std::uint8_t>(kind_of(reader.packed_sequence(i)))));
    const BlockReader::Position found = reader.lower_bound(key, sequence_of(reader.packed_sequence(i)));
    FIRN_ASSERT(found.index <= reader.entries());
    FIRN_ASSERT(!ordered || (found.index == i && found.same_key && reader.is_version_of(i, key)));
    FIRN_ASSERT(reader.lower_bound(key + '\0', kSequenceMax).index <= reader.entries());
  }
}

void run(Slice input) {
  const BlockPlace place{"table", 1, 0, table_checksum(1, 0, input)};
  std::string scratch;
  const auto decoded = decode_stored(place, input, scratch);
  FIRN_ASSERT(decoded.ok() || decoded.status().code() == StatusCode::kCorruption ||
              decoded.status().code() == StatusCode::kNotSupported);
  if (!decoded.ok()) return;
  // Of exactly its size, so that AddressSanitizer sees its ends.
  const std::size_t bytes = load<std::uint32_t>(decoded->data() + kBlockSizeOffset);
  const auto exact = std::make_unique<char[]>(bytes);
  std::memcpy(exact.get(), decoded->data(), bytes);
  read_block({exact.get(), bytes});
}

std::vector<std::string> seeds() {
  std::vector<std::string> inputs;
  for (const std::string& table : sample_tables()) {
    const auto footer = decode_footer(Slice(table).substr(table.size() - kFooterBytes), "table", table.size());
    const Section& data = footer->section(SectionKind::kData);
    const Section& section = footer->section(SectionKind::kIndex);
    Index index;
    FIRN_ASSERT(index.open(Slice(table).substr(section.offset, section.length), data.length).empty());
    for (std::uint32_t block = 0; block < index.blocks() && block < 2; ++block) {
      const std::uint64_t begin = index.block_offset(block);
      inputs.push_back(table.substr(begin, index.block_offset(block + 1) - begin));
    }
  }
  return inputs;
}

const Registration kRegistered({"block", run, seeds, 30'000});

}  // namespace

}  // namespace firn::fuzz
