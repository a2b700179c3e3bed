// Runs in memory for the tests of merging: entries that own their bytes, cursors and table lists over them, and cursors
// that fail on demand.
#pragma once

#include <rapidcheck.h>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <ostream>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "codec/cursor.h"
#include "compaction/level_cursor.h"

namespace firn::compaction {

struct Item {
  std::string key;
  Sequence sequence = 0;
  EntryKind kind = EntryKind::kPut;
  std::string value;

  Entry entry() const { return {key, value, sequence, kind}; }
  friend bool operator==(const Item&, const Item&) = default;
  friend bool operator<(const Item& a, const Item& b) {
    return a.key != b.key ? a.key < b.key : a.sequence > b.sequence;
  }
  friend std::ostream& operator<<(std::ostream& out, const Item& item) {
    return out << item.key << '@' << item.sequence << (item.kind == EntryKind::kPut ? "=" + item.value : " erased");
  }
};

using Items = std::vector<Item>;  // In internal order.

inline Item item_of(const Entry& entry) {
  return {std::string(entry.key), entry.sequence, entry.kind, std::string(entry.value)};
}

// A cursor over a run. The key it shows moves with every step, so that a stale borrow is seen by sanitizers.
class RunCursor final : public Cursor {
 public:
  // Fails instead of making its `moves_until_failure`-th move (seeks count).
  explicit RunCursor(const Items& run, std::uint64_t moves_until_failure = UINT64_MAX)
      : run_(run), moves_left_(moves_until_failure) {}

  void seek_to_first() override { seek_to(0); }
  void seek_to_last() override { seek_to(run_.size() - 1); }
  void seek(Slice key, Sequence sequence) override {
    const Item sought{std::string(key), sequence, EntryKind::kPut, {}};
    seek_to(static_cast<std::size_t>(std::lower_bound(run_.begin(), run_.end(), sought) - run_.begin()));
  }
  void seek_before(Slice key) override {
    const Item sought{std::string(key), kSequenceMax, EntryKind::kPut, {}};
    seek_to(static_cast<std::size_t>(std::lower_bound(run_.begin(), run_.end(), sought) - run_.begin()) - 1);
  }
  void next() override { show(at_ + 1); }
  void prev() override { show(at_ - 1); }

 private:
  void seek_to(std::size_t at) {
    status_ = Status();
    show(at);
  }
  void show(std::size_t at) {
    at_ = at;
    key_.reset();
    if (moves_left_ == 0) return fail(Status(StatusCode::kIo, "this run is broken"));
    --moves_left_;
    if (at_ >= run_.size()) return end();
    entry_ = run_[at_].entry();
    key_ = std::make_unique<char[]>(entry_.key.size() + 1);
    std::copy(entry_.key.begin(), entry_.key.end(), key_.get());
    entry_.key = Slice(key_.get(), entry_.key.size());
    valid_ = true;
  }

  const Items& run_;
  std::uint64_t moves_left_;
  std::size_t at_ = 0;
  std::unique_ptr<char[]> key_;
};

// A level of tables in memory that counts how often tables are opened.
class RunList final : public TableList {
 public:
  // Cuts `run` before each position in `cuts` that begins a new key.
  RunList(Items run, std::vector<std::size_t> cuts) : run_(std::move(run)) {
    std::sort(cuts.begin(), cuts.end());
    for (std::size_t i = 0; i < run_.size(); ++i) {
      const bool new_key = i == 0 || run_[i].key != run_[i - 1].key;
      if (tables_.empty() || (new_key && std::binary_search(cuts.begin(), cuts.end(), i))) tables_.emplace_back();
      tables_.back().push_back(run_[i]);
    }
    for (const Items& table : tables_) {
      TableMeta meta;
      meta.id = metas_.size() + 1;
      meta.smallest_key = table.front().key;
      meta.largest_key = table.back().key;
      meta.entries = table.size();
      metas_.push_back(meta);
    }
  }

  std::size_t count() const override { return tables_.size(); }
  const TableMeta& meta(std::size_t index) const override { return metas_[index]; }
  Result<std::unique_ptr<Cursor>> open(std::size_t index) const override {
    ++opened;
    if (index == broken) return Status(StatusCode::kIo, "this table is broken");
    return std::unique_ptr<Cursor>(std::make_unique<RunCursor>(tables_[index]));
  }
  const Items& run() const { return run_; }

  std::size_t broken = SIZE_MAX;
  mutable std::size_t opened = 0;

 private:
  Items run_;
  std::vector<Items> tables_;
  std::vector<TableMeta> metas_;
};

// Keys in few places: heads tie, zeros look like padding, prefixes and empty keys occur.
inline rc::Gen<std::string> key_gen() {
  const auto telling = rc::gen::element('\x00', 'a', 'b', '\xFF');
  const auto short_key = rc::gen::resize(4, rc::gen::container<std::string>(telling));
  return rc::gen::oneOf(short_key,
                        rc::gen::map(short_key, [](std::string tail) { return std::string(8, '\xFF') + tail; }),
                        rc::gen::map(short_key, [](std::string tail) { return std::string(7, '\0') + tail; }));
}

// Entries with sequences 1, 2, ... in the order they were written.
inline rc::Gen<Items> history_gen(std::size_t size_max) {
  return rc::gen::mapcat(
      rc::gen::resize(rc::kNominalSize, rc::gen::inRange<std::size_t>(0, size_max + 1)), [](std::size_t size) {
        const auto pairs = rc::gen::container<std::vector<std::pair<std::string, int>>>(
            size, rc::gen::pair(key_gen(), rc::gen::resize(rc::kNominalSize, rc::gen::inRange(0, 4))));
        return rc::gen::map(pairs, [](const std::vector<std::pair<std::string, int>>& writes) {
          Items history;
          for (const auto& [key, kind] : writes) {
            const Sequence sequence = history.size() + 1;
            history.push_back(kind == 0 ? Item{key, sequence, EntryKind::kTombstone, {}}
                                        : Item{key, sequence, EntryKind::kPut, "v" + std::to_string(sequence)});
          }
          return history;
        });
      });
}

}  // namespace firn::compaction
