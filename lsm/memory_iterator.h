// The iterator of MemoryDB: stands on a copy of an entry, or at an end, and looks up its neighbours anew at each move.
//
// Thread safety: one thread at a time. Lifetime: keeps what it reads alive.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "firn/iterator.h"
#include "firn/options.h"
#include "lsm/memory_store.h"

namespace firn::lsm {

class MemoryIterator final : public IteratorImpl {
 public:
  // Sees `family`, which `pin` keeps, as of the pin's sequence.
  MemoryIterator(std::shared_ptr<const MemoryStore::Pin> pin, const MemoryFamily& family, const IteratorOptions& bounds)
      : pin_(std::move(pin)), family_(family), lower_(bounds.lower), upper_(bounds.upper) {}

  Step seek_to_first() override { return forward(lower_.value_or(std::string()), Start::kInclusive); }
  Step seek_to_last() override { return backward(upper_); }
  Step seek(Slice key) override;
  Step seek_before(Slice key) override;
  Step next() override;
  Step prev() override;
  Slice key() const override { return key_; }
  Slice value() const override { return *value_; }
  const Status& status() const override { return status_; }

 private:
  enum class Position : std::uint8_t { kNew, kEntry, kFirstEnd, kLastEnd };
  enum class Start : std::uint8_t { kInclusive, kExclusive };

  // To the first visible entry from `from` on.
  Step forward(const std::string& from, Start start);
  // To the last visible entry before `to`; absent: to the last of all.
  Step backward(const std::optional<std::string>& to);

  const std::shared_ptr<const MemoryStore::Pin> pin_;
  const MemoryFamily& family_;
  const std::optional<std::string> lower_;
  const std::optional<std::string> upper_;
  const Status status_;  // Ok: nothing here can fail.
  Position position_ = Position::kNew;
  std::string key_;
  SharedValue value_;
};

}  // namespace firn::lsm
