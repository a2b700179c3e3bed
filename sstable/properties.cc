#include "sstable/properties.h"

#include "codec/varint.h"

namespace firn::sstable {

namespace {

constexpr std::size_t kFixedBytes = 80;

bool decode_uses(const char* in, const char* end, std::vector<ValueUse>& uses) {
  std::uint64_t count = 0;
  in = get_varint(in, end, count);
  uses.clear();
  for (; in != nullptr && count > 0; --count) {
    ValueUse use;
    for (std::uint64_t* const field : {&use.file, &use.records, &use.bytes}) {
      in = get_varint(in, end, *field);
      if (in == nullptr) return false;
    }
    if (use.records == 0 || (!uses.empty() && uses.back().file >= use.file)) return false;
    uses.push_back(use);
  }
  return in != nullptr && !uses.empty();
}

}  // namespace

void encode_properties(const Properties& properties, const TableMeta& meta, std::string& out) {
  append_fixed(out, meta.entries);
  append_fixed(out, meta.tombstones);
  append_fixed(out, meta.key_bytes);
  append_fixed(out, meta.value_bytes);
  append_fixed(out, meta.smallest_sequence);
  append_fixed(out, meta.largest_sequence);
  append_fixed(out, properties.raw_bytes);
  append_fixed(out, properties.compressed_blocks);
  append_fixed(out, properties.block_bytes);
  append_fixed(out, properties.filter_bits_per_key);
  append_fixed(out, static_cast<std::uint32_t>(properties.compression));
  append_fixed(out, static_cast<std::uint32_t>(meta.smallest_key.size()));
  append_fixed(out, static_cast<std::uint32_t>(meta.largest_key.size()));
  out.append(meta.smallest_key).append(meta.largest_key);
  if (meta.values.empty()) return;
  append_varint(out, meta.values.size());
  for (const ValueUse& use : meta.values) {
    append_varint(out, use.file);
    append_varint(out, use.records);
    append_varint(out, use.bytes);
  }
}

bool decode_properties(Slice section, std::uint32_t version, Properties& properties, TableMeta& meta) {
  if (section.size() < kFixedBytes) return false;
  const char* const in = section.data();
  meta.entries = load<std::uint64_t>(in);
  meta.tombstones = load<std::uint64_t>(in + 8);
  meta.key_bytes = load<std::uint64_t>(in + 16);
  meta.value_bytes = load<std::uint64_t>(in + 24);
  meta.smallest_sequence = load<std::uint64_t>(in + 32);
  meta.largest_sequence = load<std::uint64_t>(in + 40);
  properties.raw_bytes = load<std::uint64_t>(in + 48);
  properties.compressed_blocks = load<std::uint32_t>(in + 56);
  properties.block_bytes = load<std::uint32_t>(in + 60);
  properties.filter_bits_per_key = load<std::uint32_t>(in + 64);
  const auto compression = load<std::uint32_t>(in + 68);
  const auto smallest_bytes = load<std::uint32_t>(in + 72);
  const auto largest_bytes = load<std::uint32_t>(in + 76);
  if (compression > static_cast<std::uint32_t>(Compression::kLz4)) return false;
  if (smallest_bytes > kKeyBytesMax || largest_bytes > kKeyBytesMax) return false;
  if (section.size() - kFixedBytes < std::uint64_t{smallest_bytes} + largest_bytes) return false;
  properties.compression = static_cast<Compression>(compression);
  meta.smallest_key = section.substr(kFixedBytes, smallest_bytes);
  meta.largest_key = section.substr(kFixedBytes + smallest_bytes, largest_bytes);
  meta.values.clear();
  const char* const keys_end = in + kFixedBytes + smallest_bytes + largest_bytes;
  if (version >= 2 && !decode_uses(keys_end, in + section.size(), meta.values)) return false;
  return meta.entries > 0 && meta.tombstones <= meta.entries && meta.smallest_key <= meta.largest_key &&
         meta.smallest_sequence <= meta.largest_sequence && meta.largest_sequence <= kSequenceMax;
}

}  // namespace firn::sstable
