#include "lsm/memtable/memtable.h"

#include <algorithm>
#include <bit>
#include <new>

#include "codec/key_head.h"
#include "platform/assert.h"

namespace firn {

using memtable::Node;
using memtable::Version;

namespace {

constexpr std::size_t kDataChunkBytesMin = std::size_t{16} << 10;
constexpr std::size_t kPageChunkBytesMin = std::size_t{4} << 10;
constexpr std::size_t kChunkBytesMax = std::size_t{2} << 20;
constexpr std::uint64_t kChunksMin = 8;  // What of the capacity lies idle in open chunks should stay small.

constexpr std::size_t kAlignment = 8;
constexpr std::size_t kVersionBytesMax = sizeof(Version) + sizeof(Version::Links) + kAlignment - 1;
constexpr std::size_t kNodeBytesMax = Node::kKeyOffset + kAlignment - 1 + sizeof(Version) + kAlignment - 1;
constexpr std::size_t kEntryBytesMax = std::max(kVersionBytesMax, kNodeBytesMax);  // Beyond its key and value.

std::size_t chunk_bytes_max(std::uint64_t capacity_bytes) {
  return std::bit_floor(std::clamp<std::size_t>(capacity_bytes / kChunksMin, kDataChunkBytesMin, kChunkBytesMax));
}

std::size_t aligned(std::size_t bytes) { return (bytes + kAlignment - 1) & ~(kAlignment - 1); }

void add_to(std::atomic<std::uint64_t>& total, std::uint64_t more) {
  total.store(total.load(std::memory_order_relaxed) + more, std::memory_order_relaxed);
}

}  // namespace

MemTable::MemTable(std::uint64_t capacity_bytes, std::string common_prefix,
                   const std::shared_ptr<memtable::ChunkPool>& pool)
    : capacity_bytes_(capacity_bytes),
      common_prefix_(std::move(common_prefix)),
      data_arena_(kDataChunkBytesMin, chunk_bytes_max(capacity_bytes), pool),
      page_arena_(kPageChunkBytesMin, chunk_bytes_max(capacity_bytes), pool),
      index_(data_arena_),
      tree_(page_arena_) {}

Status MemTable::reserve(std::size_t entries, std::size_t bytes) {
  // The index first: its array may come from what is reserved.
  if ((index_.has_room(entries) || make_index_room(entries)) && data_arena_.reserve(entries * kEntryBytesMax + bytes) &&
      tree_.reserve(entries)) [[likely]] {
    return {};
  }
  return Status(StatusCode::kOutOfMemory, "memtable: no memory for " + std::to_string(entries) + " entries of " +
                                              std::to_string(bytes) + " bytes");
}

bool MemTable::make_index_room(std::size_t keys) {
  // Where a larger index would be what fills the capacity, room for rows is worth more than short searches.
  const bool last = memory_bytes() + index_.growth_bytes() >= capacity_bytes_;
  return (last && index_.has_tight_room(keys)) || index_.grow(keys, keys_expected());
}

// How many keys fill the capacity, if they go on as they began.
std::size_t MemTable::keys_expected() const {
  if (keys() == 0) return 0;
  return capacity_bytes_ / ((key_bytes() + value_bytes()) / keys() + kMemtableEntryBytes);
}

void MemTable::add(Sequence sequence, EntryKind kind, Slice key, std::uint64_t hash, Slice value) {
  FIRN_ASSERT(sequence > largest_sequence() && sequence <= kSequenceMax);
  const std::uint64_t packed = pack_sequence(sequence, kind);
  count(sequence, kind, key.size(), value.size());

  // A key behind all others is new: the index, a cache miss, need not be asked. Where the last key was new, this one is
  // expected to be, too: its place is looked for while the index's line is on its way.
  const std::uint64_t order = head(key);
  const bool last = tree_.ends_before(key, order);
  memtable::LinkTree::Place place;
  const bool placed = last || adding_keys_;
  if (placed) place = tree_.place_of(key, order);
  Node* const known = last ? nullptr : index_.find(key, hash);
  adding_keys_ = known == nullptr;
  if (known != nullptr) {
    const std::size_t bytes = sizeof(Version) + sizeof(Version::Links) + value.size();
    void* const memory = data_arena_.allocate(bytes, kAlignment);
    const Version* const older = known->newest.load(std::memory_order_relaxed);
    known->newest.store(make_version(memory, packed, value, older), std::memory_order_release);
    return;
  }
  const std::size_t version_offset = aligned(Node::kKeyOffset + key.size());
  auto* const memory =
      static_cast<char*>(data_arena_.allocate(version_offset + sizeof(Version) + value.size(), kAlignment));
  auto* const node = new (memory) Node;
  node->hash_low = static_cast<std::uint32_t>(hash);
  node->key_bytes = static_cast<std::uint16_t>(key.size());
  key.copy(memory + Node::kKeyOffset, key.size());
  node->newest.store(make_version(memory + version_offset, packed, value, nullptr), std::memory_order_relaxed);
  if (!placed) place = tree_.place_of(key, order);
  tree_.insert(node, order, place);
  index_.insert(node, hash);
  add_to(keys_, 1);
}

// Builds a version in `memory`; `older` is null for a key's first one.
const Version* MemTable::make_version(void* memory, std::uint64_t packed, Slice value, const Version* older) {
  const std::uint32_t ordinal = older == nullptr ? 0 : older->ordinal + 1;
  auto* const version = new (memory) Version{packed, static_cast<std::uint32_t>(value.size()), ordinal};
  if (older != nullptr) new (version + 1) Version::Links{older, memtable::jump_behind(older)};
  value.copy(const_cast<char*>(version->value().data()), value.size());
  return version;
}

void MemTable::count(Sequence sequence, EntryKind kind, std::size_t key_bytes, std::size_t value_bytes) {
  if (empty()) smallest_sequence_.store(sequence, std::memory_order_relaxed);
  largest_sequence_.store(sequence, std::memory_order_relaxed);
  add_to(entries_, 1);
  add_to(key_bytes_, key_bytes);
  add_to(value_bytes_, value_bytes);
  if (kind == EntryKind::kTombstone) add_to(tombstones_, 1);
}

bool MemTable::get(Slice key, std::uint64_t hash, Sequence at, Hit& hit) const {
  const Node* const node = index_.find(key, hash);
  if (node == nullptr) return false;
  const Version* const version = memtable::version_at(node->newest.load(std::memory_order_acquire), at);
  if (version == nullptr) return false;
  hit = {kind_of(version->packed), version->value(), sequence_of(version->packed)};
  return true;
}

std::unique_ptr<MemTableCursor> MemTable::cursor() const { return std::make_unique<MemTableCursor>(*this); }

// The head of what follows the common prefix. Keys without it lie before or behind all keys that have it.
std::uint64_t MemTable::head(Slice key) const {
  const int order = key.compare(0, common_prefix_.size(), common_prefix_);
  if (order == 0) [[likely]]
    return key_head(key, common_prefix_.size());
  return order < 0 ? 0 : ~std::uint64_t{0};
}

std::string MemTable::common_prefix_sample() const {
  constexpr std::size_t kSampleKeys = 16;
  constexpr std::size_t kCountingBytes = 3;

  const auto [first, last] = tree_.sample(kSampleKeys);
  if (first == nullptr) return {};
  // What is common to the ends of a sorted sample is common to all of it.
  std::size_t bytes = common_prefix_bytes(first->key(), last->key());
  // Keys that rise as they come share more now than they will share with those to come.
  if (tree_.appended() > keys() / 2) bytes -= std::min(bytes, kCountingBytes);
  return std::string(first->key().substr(0, bytes));
}

}  // namespace firn
