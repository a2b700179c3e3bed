#include "lsm/replay_run.h"

#include <algorithm>
#include <bit>
#include <new>
#include <span>
#include <string>

#include "codec/key_head.h"
#include "platform/assert.h"

namespace firn::lsm {

namespace {

constexpr std::size_t kFirstChunkBytes = std::size_t{16} << 10;
constexpr std::size_t kChunkBytesMax = std::size_t{2} << 20;
constexpr std::uint64_t kChunksMin = 8;  // What lies idle in open chunks should stay small.

std::size_t chunk_bytes_max(std::uint64_t bytes) {
  return std::bit_floor(std::clamp<std::size_t>(bytes / kChunksMin, kFirstChunkBytes, kChunkBytesMax));
}

}  // namespace

// Entries lie in the order of the log: each is a cache miss or two, begun well before it is read.
class ReplayRun::SortedCursor final : public Cursor {
 public:
  explicit SortedCursor(std::span<const Place> places) : places_(places) {}

  void seek_to_first() override { move_to(0); }
  void seek_to_last() override { move_to(places_.size() - 1); }
  void seek(Slice key, Sequence sequence) override { move_to(position_of(key, sequence)); }
  void seek_before(Slice key) override { move_to(position_of(key, kSequenceMax) - 1); }
  void next() override { move_to(at_ + 1); }
  void prev() override { move_to(at_ - 1); }

 private:
  static constexpr std::size_t kAhead = 16;
  static constexpr std::size_t kLinesAhead = 3;

  // The first entry at or after (key, sequence).
  std::size_t position_of(Slice key, Sequence sequence) const {
    const auto earlier = [sequence](const Place& place, Slice wanted) {
      const int order = place.entry->key().compare(wanted);
      return order != 0 ? order < 0 : sequence_of(place.entry->packed) > sequence;
    };
    return static_cast<std::size_t>(std::lower_bound(places_.begin(), places_.end(), key, earlier) - places_.begin());
  }

  // Before the first position comes SIZE_MAX, which is past the end as well.
  void move_to(std::size_t position) {
    at_ = position;
    valid_ = position < places_.size();
    if (!valid_) return;
    if (position + kAhead < places_.size()) {
      const char* const ahead = reinterpret_cast<const char*>(places_[position + kAhead].entry);
      for (std::size_t line = 0; line < kLinesAhead; ++line) __builtin_prefetch(ahead + line * 64);
    }
    const Stored& stored = *places_[position].entry;
    entry_ = {stored.key(), stored.value(), sequence_of(stored.packed), kind_of(stored.packed)};
  }

  const std::span<const Place> places_;
  std::size_t at_ = 0;
};

ReplayRun::ReplayRun(std::uint64_t bytes) : arena_(kFirstChunkBytes, chunk_bytes_max(bytes)) {}

Status ReplayRun::add(Sequence sequence, EntryKind kind, Slice key, Slice value) {
  FIRN_ASSERT(sequence > largest_sequence_ && sequence <= kSequenceMax);
  const std::size_t bytes = sizeof(Stored) + key.size() + value.size();
  if (!arena_.reserve(bytes + alignof(Stored) - 1)) return out_of_memory();
  auto* const stored = new (arena_.allocate(bytes, alignof(Stored))) Stored;
  *stored = {pack_sequence(sequence, kind), nullptr, static_cast<std::uint32_t>(key.size()),
             static_cast<std::uint32_t>(value.size())};
  char* const out = reinterpret_cast<char*>(stored + 1);
  key.copy(out, key.size());
  value.copy(out + key.size(), value.size());
  if (last_ == nullptr) {
    first_ = stored;
    common_prefix_bytes_ = key.size();
  } else {
    last_->next = stored;
    common_prefix_bytes_ = common_prefix_bytes(first_->key().substr(0, common_prefix_bytes_), key);
  }
  last_ = stored;
  ++entries_;
  largest_sequence_ = sequence;
  return {};
}

struct ReplayRun::Before {
  bool operator()(const Place& a, const Place& b) const {
    if (a.head != b.head) return a.head < b.head;
    const int order = a.entry->key().compare(b.entry->key());
    return order != 0 ? order < 0 : a.entry->packed > b.entry->packed;
  }
};

Result<std::unique_ptr<Cursor>> ReplayRun::sort() {
  const std::size_t bytes = entries_ * sizeof(Place);
  if (!arena_.reserve(bytes + alignof(Place) - 1)) return out_of_memory();
  const std::span<Place> places(static_cast<Place*>(arena_.allocate(bytes, alignof(Place))), entries_);
  Place* place = places.data();
  for (const Stored* stored = first_; stored != nullptr; stored = stored->next, ++place) {
    new (place) Place{key_head(stored->key(), common_prefix_bytes_), stored};
  }
  if (!std::is_sorted(places.begin(), places.end(), Before())) std::sort(places.begin(), places.end(), Before());
  return std::unique_ptr<Cursor>(std::make_unique<SortedCursor>(places));
}

Status ReplayRun::out_of_memory() const {
  return Status(StatusCode::kOutOfMemory,
                "recovery: no memory for more than " + std::to_string(entries_) + " entries of the log at a time");
}

}  // namespace firn::lsm
