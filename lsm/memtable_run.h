// A memtable read as a run by an iterator that sees one sequence: of each key, the newest visible version alone. The
// interface is TableRun's.
//
// Thread safety: one thread at a time, beside the memtable's writer. Lifetime: the memtable outlives the run.
#pragma once

#include <cstdint>

#include "lsm/head_map.h"
#include "lsm/key_buffer.h"
#include "lsm/memtable/memtable.h"

namespace firn::lsm {

class MemTableRun {
 public:
  MemTableRun(const MemTable& memtable, const HeadMap& heads, Sequence at)
      : cursor_(memtable), heads_(heads), at_(at) {}

  void seek(Slice key) {
    cursor_.seek(key, at_);
    skip_invisible();
  }
  void seek_before(Slice key) {
    cursor_.seek_before(key);
    to_newest_visible();
  }
  void seek_to_first() {
    cursor_.seek_to_first();
    skip_invisible();
  }
  void seek_to_last() {
    cursor_.seek_to_last();
    to_newest_visible();
  }
  bool next() {
    cursor_.next_key(at_);
    learn_head();
    return valid();
  }
  bool prev() {
    cursor_.prev_key(at_);
    learn_head();
    return valid();
  }

  bool valid() const { return cursor_.valid(); }
  const Status& status() const { return cursor_.status(); }
  std::uint64_t head() const { return head_; }
  bool deleted() const { return cursor_.entry().kind == EntryKind::kTombstone; }
  void read_key(KeyBuffer& key) const { key.assign(cursor_.entry().key); }
  void read(KeyBuffer& key, RunEntry& entry) const {
    read_key(key);
    entry.value = cursor_.entry().value;
    entry.separated = nullptr;
  }
  int compare(Slice key) const { return cursor_.entry().key.compare(key); }
  bool trusted() const { return true; }

 private:
  void learn_head() {
    if (valid()) head_ = heads_.head(cursor_.entry().key);
  }
  // From a version to the newest visible one of its key, or of the next key that has one.
  void skip_invisible() {
    while (valid() && cursor_.entry().sequence > at_) cursor_.seek(cursor_.entry().key, at_);
    learn_head();
  }
  // From a key's oldest version to its newest visible one, or to that of the last key before that has one.
  void to_newest_visible() {
    if (valid() && cursor_.entry().sequence > at_) {
      cursor_.prev_key(at_);
    } else if (valid()) {
      cursor_.seek(cursor_.entry().key, at_);
    }
    learn_head();
  }

  MemTableCursor cursor_;
  const HeadMap& heads_;
  const Sequence at_;
  std::uint64_t head_ = 0;
};

}  // namespace firn::lsm
