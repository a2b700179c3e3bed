// RocksDB in the race, set up as a careful user would: a shared LRU cache, full bloom filters, dynamic level sizes,
// pinned reads, batched MultiGet, and no statistics.
#include <rocksdb/cache.h>
#include <rocksdb/convenience.h>
#include <rocksdb/db.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/options.h>
#include <rocksdb/table.h>
#include <rocksdb/version.h>
#include <rocksdb/write_batch.h>

#include <chrono>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

#include "bench/race/engine.h"
#include "bench/race/level_session.h"

namespace firn::race {

namespace {

struct RocksDb {
  using DB = rocksdb::DB;
  using Slice = rocksdb::Slice;
  using Status = rocksdb::Status;
  using Iterator = rocksdb::Iterator;
  using WriteBatch = rocksdb::WriteBatch;
  using WriteOptions = rocksdb::WriteOptions;
  using ReadOptions = rocksdb::ReadOptions;
};

class RocksSession final : public LevelSession<RocksDb> {
 public:
  using LevelSession::LevelSession;

  bool get(std::string_view key, std::string_view& value) override {
    value_.Reset();
    const rocksdb::Status status = db_.Get(read_options_, db_.DefaultColumnFamily(), slice(key), &value_);
    if (status.IsNotFound()) return false;
    check(status, "Get");
    value = view(value_);
    return true;
  }

  void multi_get(std::span<const std::string_view> keys, std::span<std::string_view> values) override {
    keys_.clear();
    for (const std::string_view key : keys) keys_.push_back(slice(key));
    if (values_.size() < keys.size()) {
      values_ = std::vector<rocksdb::PinnableSlice>(keys.size());
      statuses_.resize(keys.size());
    }
    for (rocksdb::PinnableSlice& value : values_) value.Reset();
    db_.MultiGet(read_options_, db_.DefaultColumnFamily(), keys.size(), keys_.data(), values_.data(), statuses_.data());
    for (std::size_t i = 0; i < keys.size(); ++i) {
      if (!statuses_[i].IsNotFound()) check(statuses_[i], "MultiGet");
      values[i] = statuses_[i].ok() ? view(values_[i]) : std::string_view();
    }
  }

  ScanSum scan_prefix(std::string_view prefix) override {
    upper_bound_ = prefix;
    while (!upper_bound_.empty() && upper_bound_.back() == '\xFF') upper_bound_.pop_back();
    if (!upper_bound_.empty()) ++upper_bound_.back();
    const rocksdb::Slice upper = upper_bound_;
    rocksdb::ReadOptions options = read_options_;
    if (!upper_bound_.empty()) options.iterate_upper_bound = &upper;
    const std::unique_ptr<rocksdb::Iterator> it(db_.NewIterator(options));
    ScanSum sum;
    for (it->Seek(slice(prefix)); it->Valid(); it->Next()) sum.add(view(it->key()), view(it->value()));
    check(it->status(), "Iterator");
    return sum;
  }

 private:
  rocksdb::PinnableSlice value_;
  std::vector<rocksdb::Slice> keys_;
  std::vector<rocksdb::PinnableSlice> values_;
  std::vector<rocksdb::Status> statuses_;
  std::string upper_bound_;
};

class RocksEngine final : public Engine {
 public:
  RocksEngine(std::unique_ptr<rocksdb::DB> db, bool sync) : db_(std::move(db)), sync_(sync) {}
  ~RocksEngine() override { RocksSession::check(db_->Close(), "Close"); }

  std::unique_ptr<Session> session() override { return std::make_unique<RocksSession>(*db_, sync_); }

  void settle() override {
    RocksSession::check(db_->Flush(rocksdb::FlushOptions()), "Flush");
    // There is no call that waits for compactions in this version; a job may schedule the next one a moment later.
    for (int idle_polls = 0; idle_polls < 5; idle_polls = busy() ? 0 : idle_polls + 1) {
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
  }

 private:
  bool busy() {
    for (const char* property : {"rocksdb.mem-table-flush-pending", "rocksdb.num-running-flushes",
                                 "rocksdb.compaction-pending", "rocksdb.num-running-compactions"}) {
      std::uint64_t value = 0;
      if (!db_->GetIntProperty(property, &value)) die("GetIntProperty", property);
      if (value > 0) return true;
    }
    return false;
  }

  std::unique_ptr<rocksdb::DB> db_;
  bool sync_;
};

// Newer versions hand out an owner, older ones a pointer.
template <class Owner>
Owner open_database(const rocksdb::Options& options, const std::string& directory) {
  Owner db;
  if constexpr (requires { rocksdb::DB::Open(options, directory, &db); }) {
    RocksSession::check(rocksdb::DB::Open(options, directory, &db), "Open");
  } else {
    typename Owner::pointer opened = nullptr;
    RocksSession::check(rocksdb::DB::Open(options, directory, &opened), "Open");
    db.reset(opened);
  }
  return db;
}

}  // namespace

std::string engine_name() { return "rocksdb " + rocksdb::GetRocksVersionAsString(); }

std::unique_ptr<Engine> open_engine(const EngineConfig& config) {
  rocksdb::BlockBasedTableOptions table;
  table.block_cache = rocksdb::NewLRUCache(config.cache_bytes);
  table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(config.filter_bits));

  rocksdb::Options options;
  options.create_if_missing = true;
  options.write_buffer_size = config.memtable_bytes;
  options.max_background_jobs = config.background_threads;
  options.compression = rocksdb::kNoCompression;
  options.level_compaction_dynamic_level_bytes = true;
  if (config.table_bytes > 0) options.target_file_size_base = config.table_bytes;
  options.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));

  return std::make_unique<RocksEngine>(open_database<std::unique_ptr<rocksdb::DB>>(options, config.directory),
                                       config.sync);
}

}  // namespace firn::race
