#include "lsm/manifest_format.h"

#include <charconv>

#include "codec/checksum.h"
#include "codec/varint.h"
#include "lsm/file_names.h"
#include "platform/assert.h"
#include "platform/planted_bug.h"

namespace firn::lsm {

namespace {

// Offsets in the header.
constexpr std::size_t kMagicAt = 0;          // u64
constexpr std::size_t kVersionAt = 8;        // u32; four zero bytes follow.
constexpr std::size_t kNumberAt = 16;        // u64
constexpr std::size_t kDatabaseLowAt = 24;   // u64
constexpr std::size_t kDatabaseHighAt = 32;  // u64
constexpr std::size_t kBaseEditAt = 40;      // u64; eight zero bytes follow.
constexpr std::size_t kHeaderSumAt = 56;     // u64, over all bytes before it.
static_assert(kHeaderSumAt + sizeof(std::uint64_t) == kManifestHeaderBytes);

// Offsets in an edit's frame.
constexpr std::size_t kSumAt = 0;           // u64, over everything after it, padding included; never 0.
constexpr std::size_t kPayloadBytesAt = 8;  // u32
constexpr std::size_t kChainAt = 12;        // u32
constexpr std::size_t kEditNumberAt = 16;   // u64
static_assert(kEditNumberAt + sizeof(std::uint64_t) == kEditHeaderBytes);
static_assert(kManifestHeaderBytes % kEditAlignment == 0 && kEditHeaderBytes % kEditAlignment == 0);

constexpr std::size_t kHexDigits = 16;  // Of 64 bits.

std::uint64_t frame_bytes_for(std::uint64_t payload_bytes) {
  return (kEditHeaderBytes + payload_bytes + kEditAlignment - 1) & ~std::uint64_t{kEditAlignment - 1};
}

std::uint64_t header_sum(Slice header) { return checksum(header.substr(0, kHeaderSumAt), kManifestMagic); }

std::uint64_t edit_sum(Slice frame, std::uint64_t salt, std::uint64_t offset) {
  const std::uint64_t sum = checksum(frame.substr(kPayloadBytesAt), place_seed(salt, offset));
  return sum == 0 ? 1 : sum;  // Zeros are never an edit.
}

std::uint64_t current_sum(Slice text) { return checksum(text, kManifestMagic); }

void append_hex(std::string& out, std::uint64_t value) {
  for (std::size_t digit = kHexDigits; digit-- > 0;) out.push_back("0123456789abcdef"[value >> (4 * digit) & 0xF]);
}

// The number that `text` spells, all of it.
std::optional<std::uint64_t> parse(Slice text, int base) {
  std::uint64_t value = 0;
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (error != std::errc() || stop != text.data() + text.size()) return std::nullopt;
  return value;
}

// Cuts the word before the first blank off `text`.
Slice take_word(Slice& text) {
  const std::size_t end = std::min(text.find(' '), text.size());
  const Slice word = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return word;
}

}  // namespace

EncodedHeader encode_manifest_header(const ManifestHeader& header) {
  EncodedHeader encoded;
  encoded.bytes.assign(kManifestHeaderBytes, '\0');
  char* const out = encoded.bytes.data();
  store(out + kMagicAt, kManifestMagic);
  store(out + kVersionAt, header.version);
  store(out + kNumberAt, header.number);
  store(out + kDatabaseLowAt, header.database.low);
  store(out + kDatabaseHighAt, header.database.high);
  store(out + kBaseEditAt, header.base_edit);
  const std::uint64_t sum = header_sum(encoded.bytes);
  store(out + kHeaderSumAt, sum);
  encoded.chain = static_cast<std::uint32_t>(sum);
  return encoded;
}

std::optional<DecodedHeader> decode_manifest_header(Slice file) {
  if (file.size() < kManifestHeaderBytes) return std::nullopt;
  const char* const in = file.data();
  const auto sum = load<std::uint64_t>(in + kHeaderSumAt);
  if (load<std::uint64_t>(in + kMagicAt) != kManifestMagic || sum != header_sum(file)) return std::nullopt;
  DecodedHeader decoded;
  decoded.header.version = load<std::uint32_t>(in + kVersionAt);
  decoded.header.number = load<std::uint64_t>(in + kNumberAt);
  decoded.header.database = {load<std::uint64_t>(in + kDatabaseLowAt), load<std::uint64_t>(in + kDatabaseHighAt)};
  decoded.header.base_edit = load<std::uint64_t>(in + kBaseEditAt);
  decoded.chain = static_cast<std::uint32_t>(sum);
  return decoded;
}

std::uint32_t append_edit(std::string& out, std::uint64_t salt, std::uint64_t offset, std::uint64_t number,
                          std::uint32_t chain, Slice payload) {
  FIRN_ASSERT(payload.size() <= UINT32_MAX && offset % kEditAlignment == 0);
  const std::size_t begin = out.size();
  out.resize(begin + static_cast<std::size_t>(frame_bytes_for(payload.size())), '\0');
  char* const at = out.data() + begin;
  store(at + kPayloadBytesAt, static_cast<std::uint32_t>(payload.size()));
  store(at + kChainAt, chain);
  store(at + kEditNumberAt, number);
  std::copy(payload.begin(), payload.end(), at + kEditHeaderBytes);
  const std::uint64_t sum = edit_sum(Slice(out).substr(begin), salt, offset);
  store(at + kSumAt, sum);
  return static_cast<std::uint32_t>(sum);
}

std::optional<std::uint64_t> edit_frame_bytes(Slice file, std::uint64_t offset) {
  if (offset > file.size() || file.size() - offset < kEditHeaderBytes) return std::nullopt;
  const char* const at = file.data() + offset;
  if (load<std::uint64_t>(at + kSumAt) == 0) return std::nullopt;
  const std::uint64_t bytes = frame_bytes_for(load<std::uint32_t>(at + kPayloadBytesAt));
  if (bytes > file.size() - offset) return std::nullopt;
  return bytes;
}

std::optional<FramedEdit> decode_edit(Slice file, std::uint64_t salt, std::uint64_t offset) {
  const std::uint64_t bytes = *edit_frame_bytes(file, offset);
  const Slice frame = file.substr(static_cast<std::size_t>(offset), static_cast<std::size_t>(bytes));
  const auto sum = load<std::uint64_t>(frame.data() + kSumAt);
  if (sum != edit_sum(frame, salt, offset) && !FIRN_PLANTED_BUG(manifest_checksum_skipped)) return std::nullopt;
  FramedEdit edit;
  edit.number = load<std::uint64_t>(frame.data() + kEditNumberAt);
  edit.chain = load<std::uint32_t>(frame.data() + kChainAt);
  edit.next_chain = static_cast<std::uint32_t>(sum);
  edit.payload = frame.substr(kEditHeaderBytes, load<std::uint32_t>(frame.data() + kPayloadBytesAt));
  edit.frame_bytes = bytes;
  return edit;
}

std::string encode_current(const Current& current) {
  std::string text = manifest_name(current.manifest);
  text.append(" ").append(std::to_string(current.durable_edit)).append(" ");
  append_hex(text, current.database.high);
  append_hex(text, current.database.low);
  text.append(" ");
  append_hex(text, current_sum(text));
  return text.append("\n");
}

std::optional<Current> decode_current(Slice text) {
  Slice rest = text.substr(0, text.empty() ? 0 : text.size() - 1);
  const std::optional<FileName> name = parse_file_name(take_word(rest));
  const std::optional<std::uint64_t> edit = parse(take_word(rest), 10);
  const Slice id = take_word(rest);
  if (!name.has_value() || name->kind != NameKind::kManifest || !edit.has_value()) return std::nullopt;
  if (id.size() != 2 * kHexDigits) return std::nullopt;
  const std::optional<std::uint64_t> high = parse(id.substr(0, kHexDigits), 16);
  const std::optional<std::uint64_t> low = parse(id.substr(kHexDigits), 16);
  if (!high.has_value() || !low.has_value()) return std::nullopt;
  const Current current{name->number, *edit, {*low, *high}};
  // The checksum, the line's end and the one spelling of every number in one comparison.
  if (encode_current(current) != text) return std::nullopt;
  return current;
}

}  // namespace firn::lsm
