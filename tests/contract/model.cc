#include "tests/contract/model.h"

#include <algorithm>
#include <utility>

namespace firn::testing {

namespace {

constexpr std::size_t kSnapshotsMax = 12;
constexpr std::size_t kHeldMax = 4;
constexpr std::size_t kFamiliesMax = 5;

// Operations of one batch or run, from one seed.
class Draw {
 public:
  explicit Draw(std::uint32_t seed) : state_(seed * 2862933555777941757ULL + 3037000493ULL) {}
  std::uint32_t next() {
    state_ = state_ * 6364136223846793005ULL + 1442695040888963407ULL;
    return static_cast<std::uint32_t>(state_ >> 33);
  }
  std::uint32_t below(std::uint32_t end) { return next() % end; }

 private:
  std::uint64_t state_;
};

void same(const Status& actual, const Status& expected) {
  RC_ASSERT(status_code_name(actual.code()) == status_code_name(expected.code()));
}

template <class T>
void same(const Result<T>& actual, const Result<T>& expected) {
  same(actual.status(), expected.status());
  if (!expected.ok()) return;
  if constexpr (std::is_same_v<T, PinnedValue>) {
    RC_ASSERT(actual->to_string() == expected->to_string());
  } else {
    RC_ASSERT(*actual == *expected);
  }
}

std::string run_key(const std::string& base, std::uint32_t number) {
  std::string digits = std::to_string(number);
  return base + std::string(5 - std::min<std::size_t>(5, digits.size()), '0') + digits;
}

}  // namespace

Model::Model(Backend& backend) : backend_(backend), expected_(open_memory_db()) { open(); }

void Model::open() {
  auto opened = backend_.open();
  RC_ASSERT(opened.status().to_string() == "ok");
  actual_ = std::move(opened).value();
}

void Model::run(const Operation& operation) {
  const Family family = live_family(operation.pick);
  const bool forward = operation.seed % 2 == 0;
  switch (operation.action) {
    case Action::kPut: {
      const std::string value = next_value(operation.seed);
      return same(actual_->put(family, operation.key, value), expected_->put(family, operation.key, value));
    }
    case Action::kErase: return same(actual_->erase(family, operation.key), expected_->erase(family, operation.key));
    case Action::kBatch: return write_batch(operation);
    case Action::kFill: return fill(operation);
    case Action::kEraseRun: return erase_run(operation);
    case Action::kGet: return get(family, operation.key, nullptr);
    case Action::kMultiGet: return multi_get(operation);
    case Action::kScan: return compare_all(iterators(family, bounds(operation), nullptr), forward);
    case Action::kScanPrefix:
      return compare_all({actual_->scan_prefix(family, operation.key), expected_->scan_prefix(family, operation.key)},
                         forward);
    case Action::kWalk: {
      IteratorPair pair = iterators(family, bounds(operation), nullptr);
      return walk(pair, operation.seed, 20);
    }
    case Action::kHold:
      if (held_.size() == kHeldMax) held_.erase(held_.begin());
      return held_.push_back(iterators(family, bounds(operation), snapshot(operation.seed)));
    case Action::kMoveHeld:
      return held_.empty() ? void() : walk(held_[operation.pick % held_.size()], operation.seed, 8);
    case Action::kSnapshot:
      if (snapshots_.size() == kSnapshotsMax) release(operation);
      return snapshots_.push_back({actual_->snapshot(), expected_->snapshot()});
    case Action::kRelease: return release(operation);
    case Action::kGetAt: return get(any_family(operation.pick), operation.key, snapshot(operation.seed));
    case Action::kScanAt:
      return compare_all(iterators(any_family(operation.pick), bounds(operation), snapshot(operation.seed / 2)),
                         forward);
    case Action::kFlush: return same(actual_->flush(family), Status());
    case Action::kCompact: return same(actual_->compact_range(family, operation.key, operation.other), Status());
    case Action::kReopen: return reopen();
    case Action::kCreateFamily: return create_family(operation);
    case Action::kDropFamily: return drop_family(operation);
  }
}

void Model::reopen() {
  if (!backend_.persistent()) return;
  snapshots_.clear();
  same(actual_->close(), Status());
  actual_.reset();  // Iterators made before go on.
  open();
  RC_ASSERT(actual_->visible_sequence() == expected_->visible_sequence());
  RC_ASSERT(actual_->recovery().clean);
}

void Model::write_batch(const Operation& operation) {
  Draw draw(operation.seed);
  WriteBatch batch;
  for (std::uint32_t i = draw.below(12); i > 0; --i) {
    const Family family = live_family(draw.next());
    const std::string key = draw.below(3) == 0 ? operation.key : key_from(draw.next());
    if (draw.below(3) == 0) {
      batch.erase(family, key);
    } else {
      batch.put(family, key, next_value(draw.next()));
    }
  }
  if (draw.below(30) == 0) batch.put(Family{1'000'000}, "key", "of no family: the whole batch is refused");
  same(actual_->write(batch), expected_->write(batch));
}

void Model::fill(const Operation& operation) {
  Draw draw(operation.seed);
  const Family family = live_family(operation.pick);
  const std::uint32_t first = draw.below(300);
  const std::uint32_t count = draw.below(150);
  const std::uint32_t value_bits = draw.next();
  for (std::uint32_t i = first; i < first + count; ++i) {
    const std::string key = run_key(operation.key, i * 37 % 500);
    const std::string value = next_value(value_bits);
    same(actual_->put(family, key, value), expected_->put(family, key, value));
  }
}

void Model::erase_run(const Operation& operation) {
  Draw draw(operation.seed);
  const Family family = live_family(operation.pick);
  const std::uint32_t first = draw.below(500);
  for (std::uint32_t i = first; i < first + draw.below(200); ++i) {
    const std::string key = run_key(operation.key, i);
    same(actual_->erase(family, key), expected_->erase(family, key));
  }
}

void Model::multi_get(const Operation& operation) {
  Draw draw(operation.seed);
  std::vector<std::string> owned = {operation.key, operation.other};
  for (std::uint32_t i = draw.below(80); i > 0; --i) {
    owned.push_back(draw.below(2) == 0 ? key_from(draw.next()) : run_key(operation.key, draw.below(500)));
  }
  const std::vector<Slice> keys(owned.begin(), owned.end());
  const SnapshotPair* at = draw.below(2) == 0 ? snapshot(draw.next()) : nullptr;
  const Family family = at != nullptr ? any_family(operation.pick) : live_family(operation.pick);
  const auto actual = actual_->multi_get(family, keys, {at != nullptr ? &at->actual : nullptr});
  const auto expected = expected_->multi_get(family, keys, {at != nullptr ? &at->expected : nullptr});
  RC_ASSERT(actual.size() == expected.size());
  for (std::size_t i = 0; i < expected.size(); ++i) same(actual[i], expected[i]);
}

void Model::get(Family family, Slice key, const SnapshotPair* at) {
  same(actual_->get_pinned(family, key, {at != nullptr ? &at->actual : nullptr}),
       expected_->get_pinned(family, key, {at != nullptr ? &at->expected : nullptr}));
}

Model::IteratorPair Model::iterators(Family family, const IteratorOptions& bounds, const SnapshotPair* at) {
  IteratorOptions actual = bounds;
  IteratorOptions expected = bounds;
  actual.snapshot = at != nullptr ? &at->actual : nullptr;
  expected.snapshot = at != nullptr ? &at->expected : nullptr;
  return {actual_->iterator(family, actual), expected_->iterator(family, expected)};
}

Step Model::compare(IteratorPair& pair, Step actual, Step expected) {
  RC_ASSERT(static_cast<int>(actual) == static_cast<int>(expected));
  if (expected == Step::kEntry) {
    RC_ASSERT(pair.actual.key() == pair.expected.key());
    RC_ASSERT(pair.actual.value() == pair.expected.value());
  }
  same(pair.actual.status(), pair.expected.status());
  return expected;
}

void Model::compare_all(IteratorPair pair, bool forward) {
  Step step = Step::kEntry;
  while (step == Step::kEntry) {
    step = forward ? compare(pair, pair.actual.next(), pair.expected.next())
                   : compare(pair, pair.actual.prev(), pair.expected.prev());
  }
}

void Model::walk(IteratorPair& pair, std::uint32_t seed, int moves) {
  Draw draw(seed);
  for (int i = 0; i < moves; ++i) {
    switch (draw.below(10)) {
      case 0: compare(pair, pair.actual.seek_to_first(), pair.expected.seek_to_first()); break;
      case 1: compare(pair, pair.actual.seek_to_last(), pair.expected.seek_to_last()); break;
      case 2:
      case 3: {
        const std::string key = key_from(draw.next());
        compare(pair, pair.actual.seek(key), pair.expected.seek(key));
        break;
      }
      case 4:
      case 5: {
        const std::string key = key_from(draw.next());
        compare(pair, pair.actual.seek_before(key), pair.expected.seek_before(key));
        break;
      }
      case 6:
      case 7: compare(pair, pair.actual.next(), pair.expected.next()); break;
      default: compare(pair, pair.actual.prev(), pair.expected.prev()); break;
    }
  }
}

void Model::release(const Operation& operation) {
  if (snapshots_.empty()) return;
  snapshots_.erase(snapshots_.begin() + static_cast<std::ptrdiff_t>(operation.seed % snapshots_.size()));
}

const Model::SnapshotPair* Model::snapshot(std::uint32_t pick) const {
  return snapshots_.empty() ? nullptr : &snapshots_[pick % snapshots_.size()];
}

IteratorOptions Model::bounds(const Operation& operation) const {
  IteratorOptions bounds;
  if (operation.seed % 3 != 0) bounds.lower = operation.key;
  if (operation.seed % 5 < 2) bounds.upper = operation.other;
  return bounds;
}

void Model::create_family(const Operation& operation) {
  if (live_.size() == kFamiliesMax) return;
  const std::string name = "family" + std::to_string(operation.seed % 8);
  const auto actual = actual_->create_family(name);
  same(actual, expected_->create_family(name));
  if (!actual.ok()) return;
  live_.push_back(*actual);
  ever_.push_back(*actual);
}

void Model::drop_family(const Operation& operation) {
  const Family family = live_family(operation.pick);
  same(actual_->drop_family(family), expected_->drop_family(family));
  if (family != kDefaultFamily) std::erase(live_, family);
  // No later snapshot is to be of the same sequence as the drop: whether it sees the family would be anybody's guess.
  same(actual_->put("a", "drop"), expected_->put("a", "drop"));
}

void Model::finish() {
  for (int pass = 0; pass < (backend_.persistent() ? 2 : 1); ++pass) {
    for (const Family family : live_) {
      compare_all(iterators(family, {}, nullptr), true);
      compare_all(iterators(family, {}, nullptr), false);
    }
    for (const Family family : ever_) {
      for (const SnapshotPair& at : snapshots_) compare_all(iterators(family, {}, &at), true);
    }
    same(actual_->verify(), Status());
    same(actual_->health(), Status());
    RC_ASSERT(actual_->families().size() == live_.size());
    if (pass == 0) reopen();
  }
}

}  // namespace firn::testing
