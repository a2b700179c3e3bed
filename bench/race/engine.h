// What the race asks of a storage engine. Each program of the race links one implementation (firn_engine.cc,
// rocksdb_engine.cc, leveldb_engine.cc) and the same driver, so that no engine sees another.
//
// A call that fails ends the program with the engine's own message: a race has no use for a run with errors.
// Calls are coarse enough (a whole scan, a batch) that their being virtual does not show in a measurement.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace firn::race {

// The budgets that every engine gets alike.
struct EngineConfig {
  std::string directory;
  bool sync = false;  // Each write is on the device before it returns.
  std::uint64_t memtable_bytes = std::uint64_t{64} << 20;
  std::uint64_t cache_bytes = std::uint64_t{256} << 20;
  std::uint64_t table_bytes = 0;  // Target size of a table; 0: the engine's default.
  int filter_bits = 10;
  int background_threads = 2;
};

struct Row {
  std::string_view key;
  std::string_view value;
};

// What a scan saw: proof that it read every row and its value.
struct ScanSum {
  std::uint64_t rows = 0;
  std::uint64_t bytes = 0;
  std::uint64_t checksum = 0;  // Sum over rows of tail(key) ^ head(value).

  // Precondition: key and value have at least 8 bytes each.
  void add(std::string_view key, std::string_view value) {
    std::uint64_t tail = 0;
    std::uint64_t head = 0;
    std::memcpy(&tail, key.data() + key.size() - sizeof(tail), sizeof(tail));
    std::memcpy(&head, value.data(), sizeof(head));
    rows += 1;
    bytes += key.size() + value.size();
    checksum += tail ^ head;
  }
};

// What one thread uses. Thread safety: one thread.
class Session {
 public:
  Session() = default;
  virtual ~Session() = default;
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  virtual void put(std::string_view key, std::string_view value) = 0;
  virtual void erase(std::string_view key) = 0;
  virtual void put_batch(std::span<const Row> rows) = 0;  // Atomic.
  // False when there is no such key. `value` is valid until the next call.
  virtual bool get(std::string_view key, std::string_view& value) = 0;
  // One value per key, of null data where there is no such key, valid until the next call.
  virtual void multi_get(std::span<const std::string_view> keys, std::span<std::string_view> values) = 0;
  // Up to `limit` rows from the first at or after `from`. Iterators are new ones, as a server makes for a request;
  // with `reuse_iterator` that of this session's last such scan, which is right where the data does not change.
  virtual ScanSum scan(std::string_view from, std::uint64_t limit, bool reuse_iterator) = 0;
  virtual ScanSum scan_prefix(std::string_view prefix) = 0;
  virtual ScanSum scan_all(bool reverse) = 0;
};

// An open database. Thread safety: any thread. Sessions must be gone before it is destroyed, which closes it.
class Engine {
 public:
  Engine() = default;
  virtual ~Engine() = default;
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  virtual std::unique_ptr<Session> session() = 0;
  // Everything written is in tables and no compaction is due when it returns.
  virtual void settle() = 0;
};

// Name and version, such as "rocksdb 7.8.3".
std::string engine_name();
// Opens the database in `config.directory`, creating it where there is none.
std::unique_ptr<Engine> open_engine(const EngineConfig& config);

// Prints "race: <what>: <why>" and ends the program.
[[noreturn]] void die(std::string_view what, std::string_view why);

}  // namespace firn::race
