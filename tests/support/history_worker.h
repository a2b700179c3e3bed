// What one client of a recorded history does, operation by operation, from a seed: batches over two families, reads of
// one key, of many, of ranges both ways, and of snapshots of any age.
//
// Thread safety: one thread. Lifetime: database and clock outlive it.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/history_client.h"

namespace firn::testing {

class HistoryWorker {
 public:
  HistoryWorker(DB& db, HistoryClock& clock, std::array<Family, 2> families, int number, std::uint64_t seed)
      : client_(db, clock, number), families_(families), number_(number), random_(seed) {}

  void run(std::uint64_t operations) {
    for (std::uint64_t i = 0; i < operations && status_.ok(); ++i) status_ = step();
  }
  const Status& status() const { return status_; }
  const std::vector<HistoryEvent>& events() const { return client_.events(); }
  // Of the last write that was acknowledged, and of the last one that is durable for that.
  Sequence acknowledged() const { return acknowledged_; }
  Sequence durable() const { return durable_; }

 private:
  static constexpr std::uint64_t kKeys = 24;  // Few, so that clients meet.

  static std::string key_of(std::uint64_t number) { return "key" + std::to_string(100 + number % kKeys); }

  Status step() {
    const std::uint64_t choice = random_() % 100;
    if (choice < 40) return write();
    if (choice < 65) return client_.get(family(), key_of(random_()));
    if (choice < 75) return client_.multi_get(family(), some_keys());
    if (choice < 82) return client_.scan(range(), random_() % 2 == 0);
    if (choice < 88) {
      snapshot_ = client_.snapshot();
      return {};
    }
    if (!snapshot_.has_value()) return {};
    if (choice < 95) return client_.get(family(), key_of(random_()), &*snapshot_);
    return client_.scan(range(), random_() % 2 == 0, &*snapshot_);
  }

  // A batch over both families; some keys are erased, and one may come twice.
  Status write() {
    std::vector<HistoryRow> rows;
    for (std::uint64_t count = 1 + random_() % 5; count > 0; --count) {
      std::optional<std::string> value;
      if (random_() % 4 != 0) {
        value = std::to_string(number_) + "." + std::to_string(++values_) + std::string(random_() % 300, '.');
      }
      rows.push_back({family(), key_of(random_()), std::move(value)});
    }
    const Durability durability = random_() % 30 == 0 ? Durability::kSync : Durability::kBuffered;
    const Result<Sequence> written = client_.write(std::move(rows), {durability});
    if (!written.ok()) return written.status();
    acknowledged_ = *written;
    if (durability == Durability::kSync) durable_ = *written;
    return {};
  }

  Family family() { return families_[random_() % families_.size()]; }
  std::vector<std::string> some_keys() {
    std::vector<std::string> keys;
    for (int i = 0; i < 5; ++i) keys.push_back(key_of(random_()));
    return keys;
  }
  HistoryRange range() {
    if (random_() % 3 == 0) return {family(), {}, {}};
    auto [from, to] = std::minmax({random_() % kKeys, random_() % kKeys});
    return {family(), key_of(from), key_of(to)};
  }

  HistoryClient client_;
  const std::array<Family, 2> families_;
  const int number_;
  std::mt19937_64 random_;
  std::uint64_t values_ = 0;
  std::optional<Snapshot> snapshot_;
  Sequence acknowledged_ = 0;
  Sequence durable_ = 0;
  Status status_;
};

}  // namespace firn::testing
