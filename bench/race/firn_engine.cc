// Firn in the race, through its public API only.
#include <optional>
#include <utility>
#include <vector>

#include "bench/race/engine.h"
#include "firn/firn.h"
#include "firn/version.h"

namespace firn::race {

namespace {

void check(const Status& status, std::string_view what) {
  if (!status.ok()) die(what, status.to_string());
}

// True while there are rows.
bool on_row(Step step, const Iterator& iterator) {
  if (step == Step::kError) die("iterator", iterator.status().to_string());
  return step == Step::kEntry;
}

class FirnSession final : public Session {
 public:
  explicit FirnSession(DB& db) : db_(db) {}

  void put(std::string_view key, std::string_view value) override { check(db_.put(key, value), "put"); }
  void erase(std::string_view key) override { check(db_.erase(key), "erase"); }

  void put_batch(std::span<const Row> rows) override {
    batch_.clear();
    for (const Row& row : rows) batch_.put(row.key, row.value);
    check(db_.write(batch_), "write");
  }

  bool get(std::string_view key, std::string_view& value) override {
    auto found = db_.get_pinned(key);
    if (!found.ok()) {
      if (!found.status().is_not_found()) die("get", found.status().to_string());
      return false;
    }
    value_ = std::move(found).value();
    value = value_.slice();
    return true;
  }

  void multi_get(std::span<const std::string_view> keys, std::span<std::string_view> values) override {
    values_ = db_.multi_get(keys);
    for (std::size_t i = 0; i < keys.size(); ++i) {
      if (values_[i].ok()) {
        values[i] = values_[i]->slice();
      } else {
        if (!values_[i].status().is_not_found()) die("multi_get", values_[i].status().to_string());
        values[i] = {};
      }
    }
  }

  ScanSum scan(std::string_view from, std::uint64_t limit, bool reuse_iterator) override {
    if (!iterator_ || !reuse_iterator) iterator_.emplace(db_.iterator());
    Iterator& it = *iterator_;
    ScanSum sum;
    for (bool more = on_row(it.seek(from), it); more; more = on_row(it.next(), it)) {
      sum.add(it.key(), it.value());
      if (sum.rows == limit) break;
    }
    return sum;
  }

  ScanSum scan_prefix(std::string_view prefix) override {
    Iterator it = db_.scan_prefix(prefix);
    ScanSum sum;
    while (on_row(it.next(), it)) sum.add(it.key(), it.value());
    return sum;
  }

  ScanSum scan_all(bool reverse) override {
    Iterator it = db_.iterator();
    ScanSum sum;
    if (reverse) {
      while (on_row(it.prev(), it)) sum.add(it.key(), it.value());
    } else {
      while (on_row(it.next(), it)) sum.add(it.key(), it.value());
    }
    return sum;
  }

 private:
  DB& db_;
  WriteBatch batch_;
  PinnedValue value_;
  std::vector<Result<PinnedValue>> values_;
  std::optional<Iterator> iterator_;
};

class FirnEngine final : public Engine {
 public:
  explicit FirnEngine(std::unique_ptr<DB> db) : db_(std::move(db)) {}
  ~FirnEngine() override { check(db_->close(), "close"); }

  std::unique_ptr<Session> session() override { return std::make_unique<FirnSession>(*db_); }
  void settle() override {
    check(db_->flush(), "flush");
    check(db_->wait_idle(), "wait_idle");
  }

 private:
  std::unique_ptr<DB> db_;
};

}  // namespace

std::string engine_name() { return "firn " FIRN_VERSION_STRING; }

std::unique_ptr<Engine> open_engine(const EngineConfig& config) {
  Options options;
  options.durability = config.sync ? Durability::kSync : Durability::kBuffered;
  options.compression.fill(Compression::kNone);
  options.background_threads = static_cast<std::uint32_t>(config.background_threads);
  options.default_family.filter_bits_per_key = static_cast<std::uint32_t>(config.filter_bits);
  options.memory_bytes = config.memtable_bytes + config.cache_bytes;
  options.sizes.memtable_bytes = config.memtable_bytes;
  options.sizes.cache_bytes = config.cache_bytes;
  options.sizes.table_bytes = config.table_bytes;
  auto db = DB::open(config.directory, options);
  check(db.status(), "open");
  return std::make_unique<FirnEngine>(std::move(db).value());
}

}  // namespace firn::race
