// LevelDB in the race. It has one background thread and no multi-get: keys are read one by one.
#include <leveldb/cache.h>
#include <leveldb/db.h>
#include <leveldb/filter_policy.h>
#include <leveldb/options.h>
#include <leveldb/write_batch.h>

#include <chrono>
#include <thread>
#include <vector>

#include "bench/race/engine.h"
#include "bench/race/level_session.h"
#include "bench/race/meter.h"

namespace firn::race {

namespace {

struct LevelDb {
  using DB = leveldb::DB;
  using Slice = leveldb::Slice;
  using Status = leveldb::Status;
  using Iterator = leveldb::Iterator;
  using WriteBatch = leveldb::WriteBatch;
  using WriteOptions = leveldb::WriteOptions;
  using ReadOptions = leveldb::ReadOptions;
};

class LevelDbSession final : public LevelSession<LevelDb> {
 public:
  using LevelSession::LevelSession;

  bool get(std::string_view key, std::string_view& value) override {
    if (!read(key, value_)) return false;
    value = value_;
    return true;
  }

  void multi_get(std::span<const std::string_view> keys, std::span<std::string_view> values) override {
    if (values_.size() < keys.size()) values_.resize(keys.size());
    for (std::size_t i = 0; i < keys.size(); ++i) {
      values[i] = read(keys[i], values_[i]) ? std::string_view(values_[i]) : std::string_view();
    }
  }

  ScanSum scan_prefix(std::string_view prefix) override {
    const std::unique_ptr<leveldb::Iterator> it(db_.NewIterator(read_options_));
    ScanSum sum;
    for (it->Seek(slice(prefix)); it->Valid() && view(it->key()).starts_with(prefix); it->Next()) {
      sum.add(view(it->key()), view(it->value()));
    }
    check(it->status(), "Iterator");
    return sum;
  }

 private:
  bool read(std::string_view key, std::string& value) {
    const leveldb::Status status = db_.Get(read_options_, slice(key), &value);
    if (status.IsNotFound()) return false;
    check(status, "Get");
    return true;
  }

  std::string value_;
  std::vector<std::string> values_;
};

class LevelEngine final : public Engine {
 public:
  explicit LevelEngine(const EngineConfig& config)
      : cache_(leveldb::NewLRUCache(config.cache_bytes)),
        filter_(leveldb::NewBloomFilterPolicy(config.filter_bits)),
        sync_(config.sync) {
    leveldb::Options options;
    options.create_if_missing = true;
    options.write_buffer_size = config.memtable_bytes;
    options.compression = leveldb::kNoCompression;
    options.block_cache = cache_.get();
    options.filter_policy = filter_.get();
    if (config.table_bytes > 0) options.max_file_size = config.table_bytes;
    leveldb::DB* db = nullptr;
    LevelDbSession::check(leveldb::DB::Open(options, config.directory, &db), "Open");
    db_.reset(db);
  }

  std::unique_ptr<Session> session() override { return std::make_unique<LevelDbSession>(*db_, sync_); }

  // LevelDB neither flushes on demand (a compaction of no keys does it) nor tells what is due: it is idle when the
  // process has written nothing and used no time for a while.
  void settle() override {
    const leveldb::Slice nothing("\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF");
    db_->CompactRange(&nothing, &nothing);
    for (int idle_polls = 0; idle_polls < 10;) {
      const Usage before = process_usage();
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
      const Usage after = process_usage();
      const bool idle = after.write_bytes == before.write_bytes && after.cpu_seconds - before.cpu_seconds < 0.001;
      idle_polls = idle ? idle_polls + 1 : 0;
    }
  }

 private:
  std::unique_ptr<leveldb::Cache> cache_;
  std::unique_ptr<const leveldb::FilterPolicy> filter_;
  std::unique_ptr<leveldb::DB> db_;  // Uses both.
  bool sync_;
};

}  // namespace

std::string engine_name() {
  return "leveldb " + std::to_string(leveldb::kMajorVersion) + "." + std::to_string(leveldb::kMinorVersion);
}

std::unique_ptr<Engine> open_engine(const EngineConfig& config) { return std::make_unique<LevelEngine>(config); }

}  // namespace firn::race
