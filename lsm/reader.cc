#include "lsm/reader.h"

#include <algorithm>
#include <array>

#include "codec/key_hash.h"
#include "firn/file_system.h"
#include "platform/epoch.h"

namespace firn {

bool PinnedValue::intact() const noexcept { return release_ == nullptr || mapping_ == nullptr || !mapping_->damaged(); }

}  // namespace firn

namespace firn::lsm {

namespace {

// A value that lives as long as `view` (in a memtable or in `mapping`, a table's).
PinnedValue pin_by_view(const ReadView& view, Slice value, const FileMapping* mapping = nullptr) {
  if (value.size() <= PinnedValue::kInlineBytes) return PinnedValue(value);
  view.add_reference();
  return {value, const_cast<ReadView*>(&view), ReadView::release, mapping};
}

Result<PinnedValue> answer(const ReadView& view, const MemTable::Hit& hit) {
  if (hit.kind == EntryKind::kTombstone) return Status::not_found();
  return pin_by_view(view, hit.value);
}

// One read of one key.
struct Lookup {
  Slice key;
  std::uint64_t hash = 0;
  Sequence at = 0;
};

PinnedValue pin(const ReadView& view, const ValueHit& hit) {
  if (hit.block == nullptr || hit.value.size() <= PinnedValue::kInlineBytes)
    return pin_by_view(view, hit.value, hit.mapping);
  hit.block->add_reference();
  return {hit.value, hit.block, CachedBlock::drop_reference};
}

// `file`: whose table has `hit`.
Result<PinnedValue> answer(const EpochGuard& guard, const ReadView& view, const TableFile& file, const Lookup& lookup,
                           TableHit& hit) {
  while (hit.found) {
    if (hit.kind == EntryKind::kTombstone) return Status::not_found();
    ValueHit value{hit.value, hit.block, hit.mapping};
    if (hit.kind == EntryKind::kReference) [[unlikely]] {
      if (Status status = file.read_value(guard, hit.reference, lookup.key, value); !status.ok()) return status;
    }
    PinnedValue pinned = pin(view, value);
    if (value.mapping == nullptr || !value.mapping->damaged()) [[likely]]
      return pinned;
    // It was lost since it was found, perhaps before it was copied. From now on the file is read without it.
    const Table& table = **file.open();
    if (Status status = table.find(guard, table.locate(lookup.key), lookup.key, lookup.at, hit); !status.ok()) {
      return status;
    }
  }
  return Status::not_found();
}

// Whether most of this thread's last gets found their keys in the oldest table that might have them, where most rows
// are. Then the next one walks that table's index before it knows what the filters say, so that these cache misses
// overlap, too.
class OldestHasKey {
 public:
  static bool expected() { return score > kMax / 2; }
  static void note(bool true_now) {
    if (true_now ? score < kMax : score > 0) score = static_cast<std::uint8_t>(true_now ? score + 1 : score - 1);
  }

 private:
  static constexpr std::uint8_t kMax = 3;
  // Initial-exec: one load, also inside the shared library.
  [[gnu::tls_model("initial-exec")]] static constinit thread_local std::uint8_t score;
};
[[gnu::tls_model("initial-exec")]] constinit thread_local std::uint8_t OldestHasKey::score = 0;

// The tables that may hold a key, newest first, a few at a time: their filters are asked for together, so that these
// cache misses overlap.
class Candidates {
 public:
  Candidates(const Version& version, const Lookup& lookup)
      : version_(version), lookup_(lookup), head_(version.head(lookup.key)), bits_(lookup.hash) {
    more();
  }
  // Goes on to the next few; false when there are none.
  bool more() {
    const Slice key = lookup_.key;
    const std::uint64_t hash = lookup_.hash;
    const std::uint64_t head = head_;
    std::size_t count = 0;
    bool all_ready = true;
    const auto add = [this, hash, &count, &all_ready](const TableFile* file) {
      if (file == nullptr) return;
      const Table* const table = file->opened();
      if (table != nullptr && table->has_filter()) [[likely]] {
        lines_[count] = table->filter_line(hash);
        __builtin_prefetch(lines_[count]);
      } else {
        all_ready = false;
      }
      files_[count++] = file;
    };
    const std::span<const Version::Bounded> newest = version_.newest();
    std::size_t run = run_;
    for (; run < newest.size() && count < kWidth; ++run) add(newest[run].find(head, key));
    for (; run < runs_ && count < kWidth; ++run) add(version_.find_deeper(run - newest.size(), head, key));
    run_ = run;
    count_ = count;
    all_ready_ = all_ready;
    foreseen_ = OldestHasKey::expected() && count_ != 0 ? files_[count_ - 1]->opened() : nullptr;
    if (foreseen_ != nullptr) foreseen_start_ = foreseen_->start_locate(lookup_.key);
    return count_ != 0;
  }
  // The block of `table`, one of these, where the key is if it is there.
  std::uint32_t locate(const Table* table) const {
    return table == foreseen_ ? table->finish_locate(lookup_.key, foreseen_start_) : table->locate(lookup_.key);
  }
  // Whether `file`, one of these, is the oldest table that may hold the key.
  bool is_oldest(const TableFile* file) const { return run_ == runs_ && file == files_[count_ - 1]; }
  // Makes them ready for the get, together.
  void open() {
    if (!all_ready_) [[unlikely]]
      TableFile::prepare_gets({files_.data(), files_.data() + count_});
  }
  // Whether open() had nothing to do: these are open with their filters.
  bool all_ready() const { return all_ready_; }
  std::size_t count() const { return count_; }
  const TableFile* operator[](std::size_t i) const { return files_[i]; }
  // Whether the filter of number `i` does not deny the key. Precondition: all_ready(). A branch on each answer lets the
  // processor go on with the table that it foresees, before the filters' lines are here.
  bool may_contain(std::size_t i) const { return bits_.all_in(lines_[i]); }

 private:
  static constexpr std::size_t kWidth = 16;

  const Version& version_;
  const Lookup& lookup_;
  const std::uint64_t head_;
  const sstable::FilterBits bits_;
  const std::size_t runs_ = version_.runs();
  std::size_t run_ = 0;
  std::size_t count_ = 0;
  bool all_ready_ = true;
  const Table* foreseen_ = nullptr;  // Whose index was walked already, as far as this:
  std::uint32_t foreseen_start_ = 0;
  // NOLINTBEGIN: only the first count_ are read; of lines_ none unless all_ready_.
  std::array<const TableFile*, kWidth> files_;
  std::array<const char*, kWidth> lines_;
  // NOLINTEND
};

// `found`: whose table has `hit`.
Status find_in_tables(Core& core, const EpochGuard& guard, Candidates& candidates, const Lookup& lookup, TableHit& hit,
                      const TableFile*& found) {
  std::uint64_t skips = 0;
  do {
    candidates.open();
    for (std::size_t i = 0; i < candidates.count(); ++i) {
      const TableFile* const file = candidates[i];
      bool may_contain = false;
      if (candidates.all_ready()) [[likely]] {
        may_contain = candidates.may_contain(i);
      } else {
        auto opened = file->open_to_get();
        if (!opened.ok()) return opened.status();
        may_contain = (*opened)->may_contain(lookup.hash);
      }
      if (!may_contain) {
        ++skips;
        continue;
      }
      const Table& table = *file->opened();
      Status status = table.find(guard, candidates.locate(&table), lookup.key, lookup.at, hit);
      if (hit.found || !status.ok()) {
        found = file;
        OldestHasKey::note(candidates.is_oldest(file));
        if (skips != 0) core.counters.filter_skips.add(skips);
        return status;
      }
    }
  } while (candidates.more());
  if (skips != 0) core.counters.filter_skips.add(skips);
  OldestHasKey::note(false);
  return {};
}

Result<PinnedValue> get_from_view(Core& core, const EpochGuard& guard, const ReadView& view, const Lookup& lookup) {
  view.active()->prefetch(lookup.hash);
  Candidates candidates(*view.version(), lookup);
  MemTable::Hit hit;
  if (view.active()->get(lookup.key, lookup.hash, lookup.at, hit)) return answer(view, hit);
  for (const auto& memtable : view.immutables()) {
    if (memtable->get(lookup.key, lookup.hash, lookup.at, hit)) return answer(view, hit);
  }
  TableHit table_hit;
  const TableFile* file = nullptr;
  if (Status status = find_in_tables(core, guard, candidates, lookup, table_hit, file); !status.ok()) return status;
  if (!table_hit.found) return Status::not_found();
  return answer(guard, view, *file, lookup, table_hit);
}

// The keys of a multi_get that are still looked for.
struct Pending {
  Lookup lookup;
  std::uint64_t head = 0;  // Version::head.
  std::size_t index = 0;   // Of its answer.
  const TableFile* file = nullptr;
  Table* table = nullptr;  // Of `file`.
  std::uint32_t block = 0;
  bool probing = false;  // The table at hand may hold it.
};

constexpr std::size_t kMultiGetWidth = 32;  // As many misses as one core keeps in flight, twice over.

class MultiGet {
 public:
  MultiGet(Core& core, const ReadView& view, std::vector<Result<PinnedValue>>& results)
      : core_(core), view_(view), results_(results) {}

  void run(std::span<const Slice> keys, std::size_t first, Sequence at);

 private:
  void probe_memtable(const MemTable& memtable);
  // Asks the table that each pending key was given (null: none) in lockstep.
  void probe_tables(const EpochGuard& guard);
  void assign(Pending& pending, const TableFile& file);
  void open_tables();
  // Removes the keys that have their answer.
  template <class Answered>
  void settle(Answered answered);

  Core& core_;
  const ReadView& view_;
  std::vector<Result<PinnedValue>>& results_;
  std::array<Pending, kMultiGetWidth> pending_;
  std::size_t count_ = 0;
  bool opened_tables_ = false;
};

template <class Answered>
void MultiGet::settle(Answered answered) {
  std::size_t kept = 0;
  for (std::size_t i = 0; i < count_; ++i) {
    if (answered(pending_[i])) continue;
    if (kept != i) pending_[kept] = pending_[i];
    ++kept;
  }
  count_ = kept;
}

void MultiGet::probe_memtable(const MemTable& memtable) {
  for (std::size_t i = 0; i < count_; ++i) memtable.prefetch(pending_[i].lookup.hash);
  settle([&](const Pending& pending) {
    MemTable::Hit hit;
    if (!memtable.get(pending.lookup.key, pending.lookup.hash, pending.lookup.at, hit)) return false;
    results_[pending.index] = answer(view_, hit);
    return true;
  });
}

// Makes all tables that the pending keys may be in ready together, where they would be met one by one, run after run.
void MultiGet::open_tables() {
  opened_tables_ = true;
  const Version& version = *view_.version();
  std::vector<const TableFile*> files;
  for (std::size_t run = 0; run < version.runs(); ++run) {
    for (std::size_t i = 0; i < count_; ++i) {
      const TableFile* const file = version.find(run, pending_[i].head, pending_[i].lookup.key);
      if (file != nullptr && !file->ready_to_get()) files.push_back(file);
    }
  }
  TableFile::prepare_gets(files);
}

void MultiGet::assign(Pending& pending, const TableFile& file) {
  if (!file.ready_to_get() && !opened_tables_) [[unlikely]]
    open_tables();
  auto table = file.open_to_get();
  if (table.ok()) {
    pending.file = &file;
    pending.table = *table;
    pending.table->prefetch_filter(pending.lookup.hash);
  } else {
    results_[pending.index] = table.status();
  }
}

void MultiGet::probe_tables(const EpochGuard& guard) {
  const auto each = [this](auto step) {
    for (std::size_t i = 0; i < count_; ++i) {
      if (pending_[i].probing) step(pending_[i]);
    }
  };
  for (std::size_t i = 0; i < count_; ++i) {
    Pending& pending = pending_[i];
    pending.probing = pending.table != nullptr && pending.table->may_contain(pending.lookup.hash);
    if (pending.table != nullptr && !pending.probing) core_.counters.filter_skips.add(1);
  }
  each([](Pending& pending) { pending.block = pending.table->start_locate(pending.lookup.key); });
  each([&guard](Pending& pending) {
    pending.block = pending.table->finish_locate(pending.lookup.key, pending.block);
    pending.table->request_block(guard, pending.block);
  });
  settle([&](Pending& pending) {
    Table* table = std::exchange(pending.table, nullptr);
    if (!pending.probing) return false;
    TableHit hit;
    if (Status status = table->find(guard, pending.block, pending.lookup.key, pending.lookup.at, hit); !status.ok()) {
      results_[pending.index] = std::move(status);
      return true;
    }
    if (hit.found) results_[pending.index] = answer(guard, view_, *pending.file, pending.lookup, hit);
    return hit.found;
  });
}

void MultiGet::run(std::span<const Slice> keys, std::size_t first, Sequence at) {
  count_ = keys.size();
  opened_tables_ = false;
  for (std::size_t i = 0; i < count_; ++i) {
    pending_[i] = Pending{.lookup = {keys[i], key_hash(keys[i]), at}, .index = first + i};
  }
  EpochGuard guard;
  probe_memtable(*view_.active());
  for (const auto& memtable : view_.immutables()) probe_memtable(*memtable);
  const auto failed = [this](const Pending& pending) {
    return results_[pending.index].status().code() != StatusCode::kNotFound && !results_[pending.index].ok();
  };
  const Version& version = *view_.version();
  for (std::size_t i = 0; i < count_; ++i) pending_[i].head = version.head(pending_[i].lookup.key);
  for (std::size_t run = 0; run < version.runs() && count_ > 0; ++run) {
    for (std::size_t i = 0; i < count_; ++i) {
      const Pending& pending = pending_[i];
      if (const TableFile* file = version.find(run, pending.head, pending.lookup.key)) assign(pending_[i], *file);
    }
    settle(failed);
    probe_tables(guard);
  }
}

}  // namespace

Result<PinnedValue> get(Core& core, const FamilyState& family, Slice key, std::optional<Sequence> at) {
  core.counters.gets.add(1);
  EpochGuard guard;
  const ReadView& view = *family.view();
  // After the view: whatever is visible now and not in this view was written during this call.
  return get_from_view(core, guard, view,
                       {key, key_hash(key), at ? *at : core.visible_sequence.load(std::memory_order_acquire)});
}

Result<PinnedValue> get(Core& core, const ReadView& view, Slice key, Sequence at) {
  core.counters.gets.add(1);
  EpochGuard guard;
  return get_from_view(core, guard, view, {key, key_hash(key), at});
}

std::vector<Result<PinnedValue>> multi_get(Core& core, const ReadView& view, std::span<const Slice> keys, Sequence at) {
  core.counters.gets.add(keys.size());
  std::vector<Result<PinnedValue>> results;
  results.reserve(keys.size());
  for (std::size_t i = 0; i < keys.size(); ++i) results.emplace_back(Status::not_found());
  MultiGet reads(core, view, results);
  for (std::size_t first = 0; first < keys.size(); first += kMultiGetWidth) {
    reads.run(keys.subspan(first, std::min(kMultiGetWidth, keys.size() - first)), first, at);
  }
  return results;
}

}  // namespace firn::lsm
