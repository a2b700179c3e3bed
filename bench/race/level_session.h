// A session of LevelDB or of RocksDB, which began as LevelDB: what both do by the same calls.
//
// `Api` names the types of one of them: DB, Slice, Status, Iterator, WriteBatch, WriteOptions and ReadOptions.
#pragma once

#include <memory>
#include <span>
#include <string_view>

#include "bench/race/engine.h"

namespace firn::race {

template <class Api>
class LevelSession : public Session {
 public:
  using Slice = typename Api::Slice;
  using Status = typename Api::Status;
  using Iterator = typename Api::Iterator;

  LevelSession(typename Api::DB& db, bool sync) : db_(db) { write_options_.sync = sync; }

  static Slice slice(std::string_view bytes) { return {bytes.data(), bytes.size()}; }
  static std::string_view view(const Slice& bytes) { return {bytes.data(), bytes.size()}; }

  static void check(const Status& status, std::string_view what) {
    if (!status.ok()) die(what, status.ToString());
  }

  void put(std::string_view key, std::string_view value) final {
    check(db_.Put(write_options_, slice(key), slice(value)), "Put");
  }

  void erase(std::string_view key) final { check(db_.Delete(write_options_, slice(key)), "Delete"); }

  void put_batch(std::span<const Row> rows) final {
    batch_.Clear();
    for (const Row& row : rows) batch_.Put(slice(row.key), slice(row.value));
    check(db_.Write(write_options_, &batch_), "Write");
  }

  ScanSum scan(std::string_view from, std::uint64_t limit, bool reuse_iterator) final {
    if (!iterator_ || !reuse_iterator) iterator_.reset(db_.NewIterator(read_options_));
    ScanSum sum;
    for (iterator_->Seek(slice(from)); iterator_->Valid(); iterator_->Next()) {
      sum.add(view(iterator_->key()), view(iterator_->value()));
      if (sum.rows == limit) break;
    }
    check(iterator_->status(), "Iterator");
    return sum;
  }

  ScanSum scan_all(bool reverse) final {
    const std::unique_ptr<Iterator> it(db_.NewIterator(read_options_));
    ScanSum sum;
    if (reverse) {
      for (it->SeekToLast(); it->Valid(); it->Prev()) sum.add(view(it->key()), view(it->value()));
    } else {
      for (it->SeekToFirst(); it->Valid(); it->Next()) sum.add(view(it->key()), view(it->value()));
    }
    check(it->status(), "Iterator");
    return sum;
  }

 protected:
  typename Api::DB& db_;
  typename Api::WriteOptions write_options_;
  typename Api::ReadOptions read_options_;

 private:
  typename Api::WriteBatch batch_;
  std::unique_ptr<Iterator> iterator_;
};

}  // namespace firn::race
