// The memtable against a std::map: every answer, after every kind of write.
#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "codec/key_hash.h"
#include "lsm/memtable/memtable.h"

namespace firn {

namespace {

struct NewestFirst {
  bool operator()(const std::pair<std::string, Sequence>& a, const std::pair<std::string, Sequence>& b) const {
    return a.first != b.first ? a.first < b.first : a.second > b.second;
  }
};
struct Written {
  EntryKind kind;
  std::string value;
};
using Model = std::map<std::pair<std::string, Sequence>, Written, NewestFirst>;

struct Operation {
  std::string key;
  std::string value;
  EntryKind kind;
  std::uint32_t skipped;  // Sequences left out before it.
};

// Keys that collide, tie and nest: short strings over few bytes, behind a long or short common beginning.
rc::Gen<std::string> key_gen() {
  const auto byte = rc::gen::element<char>('\0', '\0', 'a', 'b', '\x7F', '\x80', '\xFF', '\xFF');
  const auto tail = rc::gen::mapcat(rc::gen::inRange(0, 14), [byte](int bytes) {
    return rc::gen::container<std::string>(static_cast<std::size_t>(bytes), byte);
  });
  return rc::gen::map(
      rc::gen::pair(rc::gen::element<std::string>("", "", "user", "user0000", std::string(40, '\xFF')), tail),
      [](const std::pair<std::string, std::string>& parts) { return parts.first + parts.second; });
}

rc::Gen<Operation> operation_gen() {
  return rc::gen::build<Operation>(
      rc::gen::set(&Operation::key, key_gen()),
      rc::gen::set(&Operation::value,
                   rc::gen::map(rc::gen::inRange(0, 200),
                                [](int bytes) { return std::string(static_cast<std::size_t>(bytes), 'v'); })),
      rc::gen::set(&Operation::kind, rc::gen::element(EntryKind::kPut, EntryKind::kPut, EntryKind::kTombstone)),
      rc::gen::set(&Operation::skipped, rc::gen::element(0U, 0U, 0U, 5U)));
}

rc::Gen<std::vector<Operation>> operations_gen() {
  return rc::gen::mapcat(rc::gen::element(5, 30, 200, 1500), [](int count) {
    return rc::gen::resize(
        rc::kNominalSize, rc::gen::container<std::vector<Operation>>(static_cast<std::size_t>(count), operation_gen()));
  });
}

void expect_equal(const Entry& entry, const Model::value_type& expected) {
  RC_ASSERT(entry.key == expected.first.first);
  RC_ASSERT(entry.sequence == expected.first.second);
  RC_ASSERT(entry.kind == expected.second.kind);
  RC_ASSERT(entry.value == expected.second.value);
}

// `cursor` stands where `position` does.
void expect_at(const Cursor& cursor, const Model& model, Model::const_iterator position) {
  RC_ASSERT(cursor.status().ok());
  RC_ASSERT(cursor.valid() == (position != model.end()));
  if (cursor.valid()) expect_equal(cursor.entry(), *position);
}

Model::const_iterator model_seek(const Model& model, const std::string& key, Sequence sequence) {
  return model.lower_bound({key, sequence});
}
Model::const_iterator model_seek_before(const Model& model, const std::string& key) {
  const auto position = model.lower_bound({key, kSequenceMax});
  return position == model.begin() ? model.end() : std::prev(position);
}

// The newest version not newer than `at` of the first key after (the last key before) `key` that has one.
Model::const_iterator model_next_key(const Model& model, const std::string& key, Sequence at) {
  auto position = model.lower_bound({key, 0});
  while (position != model.end() && position->first.second > at) ++position;
  return position;
}
Model::const_iterator model_prev_key(const Model& model, const std::string& key, Sequence at) {
  auto position = model_seek_before(model, key);
  if (position == model.end()) return position;
  for (;; --position) {
    const auto newest = model.lower_bound({position->first.first, at});
    if (newest != model.end() && newest->first.first == position->first.first) return newest;
    if (position == model.begin()) return model.end();
  }
}

void expect_scans(const MemTable& memtable, const Model& model) {
  MemTableCursor cursor(memtable);
  cursor.seek_to_first();
  for (auto at = model.begin(); at != model.end(); ++at, cursor.next()) expect_at(cursor, model, at);
  RC_ASSERT(!cursor.valid());
  cursor.seek_to_last();
  for (auto at = model.end(); at != model.begin(); cursor.prev()) expect_at(cursor, model, --at);
  RC_ASSERT(!cursor.valid());
}

void expect_lookups(const MemTable& memtable, const Model& model, const std::string& key, Sequence at) {
  const auto newest = model.lower_bound({key, at});
  const bool found = newest != model.end() && newest->first.first == key;
  MemTable::Hit hit;
  RC_ASSERT(memtable.get(key, key_hash(key), at, hit) == found);
  if (found) expect_equal({key, hit.value, hit.sequence, hit.kind}, *newest);

  MemTableCursor cursor(memtable);
  cursor.seek(key, at);
  expect_at(cursor, model, model_seek(model, key, at));
  if (cursor.valid()) {
    cursor.next_key(at);
    expect_at(cursor, model, model_next_key(model, model_seek(model, key, at)->first.first, at));
  }
  cursor.seek(key, at);
  if (cursor.valid()) {
    cursor.prev_key(at);
    expect_at(cursor, model, model_prev_key(model, model_seek(model, key, at)->first.first, at));
  }
  cursor.seek_before(key);
  expect_at(cursor, model, model_seek_before(model, key));
}

// A walk of single steps that turns around as `turns` says.
void expect_walk(const MemTable& memtable, const Model& model, const std::string& from, std::uint64_t turns) {
  MemTableCursor cursor(memtable);
  cursor.seek(from, kSequenceMax);
  auto at = model_seek(model, from, kSequenceMax);
  for (int step = 0; step < 64 && at != model.end(); ++step) {
    expect_at(cursor, model, at);
    if (turns >> step & 1) {
      cursor.prev();
      at = at == model.begin() ? model.end() : std::prev(at);
    } else {
      cursor.next();
      ++at;
    }
  }
  expect_at(cursor, model, at);
}

}  // namespace

RC_GTEST_PROP(MemTableModel, AnswersAsAMapDoes, ()) {
  const auto operations = *operations_gen();
  const auto prefix = *rc::gen::element<std::string>("", "a", "user", "user0", std::string(39, '\xFF'), "zzz");
  const auto batch = *rc::gen::element<std::size_t>(1, 1, 7, 100);
  MemTable memtable(1 << 20, prefix);
  Model model;
  Sequence sequence = 0;
  std::uint64_t tombstones = 0;
  for (std::size_t i = 0; i < operations.size(); ++i) {
    if (i % batch == 0) {
      std::size_t bytes = 0;
      for (std::size_t j = i; j < std::min(i + batch, operations.size()); ++j) {
        bytes += operations[j].key.size() + operations[j].value.size();
      }
      RC_ASSERT(memtable.reserve(batch, bytes).ok());
    }
    const Operation& operation = operations[i];
    sequence += 1 + operation.skipped;
    const std::string value = operation.kind == EntryKind::kPut ? operation.value : std::string();
    memtable.add(sequence, operation.kind, operation.key, key_hash(operation.key), value);
    model[{operation.key, sequence}] = {operation.kind, value};
    tombstones += operation.kind == EntryKind::kTombstone ? 1 : 0;
  }
  RC_ASSERT(memtable.entries() == model.size());
  RC_ASSERT(memtable.tombstones() == tombstones);
  RC_ASSERT(memtable.largest_sequence() == sequence);

  expect_scans(memtable, model);
  for (int probe = 0; probe < 50; ++probe) {
    const auto key = *rc::gen::resize(
        rc::kNominalSize, rc::gen::oneOf(key_gen(), rc::gen::map(rc::gen::elementOf(operations),
                                                                 [](const Operation& o) { return o.key; })));
    const auto at = *rc::gen::oneOf(rc::gen::inRange<Sequence>(0, sequence + 2), rc::gen::just(kSequenceMax));
    expect_lookups(memtable, model, key, at);
    expect_walk(memtable, model, key, *rc::gen::arbitrary<std::uint64_t>());
  }
}

}  // namespace firn
