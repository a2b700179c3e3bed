#include "lsm/replay_run.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <string>
#include <tuple>
#include <vector>

namespace firn::lsm {
namespace {

// What a run holds, in the order of its fields: key ascending, newest first.
struct Row {
  std::string key;
  Sequence older = 0;  // kSequenceMax - sequence.
  EntryKind kind = EntryKind::kPut;
  std::string value;

  friend bool operator<(const Row& a, const Row& b) { return std::tie(a.key, a.older) < std::tie(b.key, b.older); }
  friend bool operator==(const Row&, const Row&) = default;
};

Row row_of(const Entry& entry) {
  return {std::string(entry.key), kSequenceMax - entry.sequence, entry.kind, std::string(entry.value)};
}

// Few different bytes, so that keys share prefixes, are prefixes of each other and differ in zeros only.
rc::Gen<std::string> keys() {
  return rc::gen::apply([](bool prefixed, std::string key) { return (prefixed ? "tenant-1/" : "") + key; },
                        rc::gen::weightedElement<bool>({{9, true}, {1, false}}),
                        rc::gen::container<std::string>(rc::gen::element('\0', 'a', 'b', '\xff')));
}

RC_GTEST_PROP(ReplayRun, ShowsWhatWasAddedInInternalOrder, ()) {
  ReplayRun run(*rc::gen::element<std::uint64_t>(0, 4096, 1 << 20));
  std::vector<Row> rows;
  Sequence sequence = 0;
  for (const std::string& key : *rc::gen::container<std::vector<std::string>>(keys())) {
    sequence += *rc::gen::inRange<Sequence>(1, 3);
    const auto kind = *rc::gen::element(EntryKind::kPut, EntryKind::kTombstone);
    const auto value = kind == EntryKind::kPut ? *rc::gen::arbitrary<std::string>() : std::string();
    RC_ASSERT(run.add(sequence, kind, key, value).ok());
    rows.push_back({key, kSequenceMax - sequence, kind, value});
  }
  RC_ASSERT(run.entries() == rows.size());
  RC_ASSERT(run.largest_sequence() == sequence);
  std::sort(rows.begin(), rows.end());

  auto sorted = run.sort();
  RC_ASSERT(sorted.ok());
  Cursor& cursor = **sorted;
  std::vector<Row> forwards;
  for (cursor.seek_to_first(); cursor.valid(); cursor.next()) forwards.push_back(row_of(cursor.entry()));
  RC_ASSERT(forwards == rows);
  std::vector<Row> backwards;
  for (cursor.seek_to_last(); cursor.valid(); cursor.prev())
    backwards.insert(backwards.begin(), row_of(cursor.entry()));
  RC_ASSERT(backwards == rows);

  const std::string wanted = *keys();
  const Sequence at = *rc::gen::inRange<Sequence>(0, sequence + 2);
  const auto first = std::lower_bound(rows.begin(), rows.end(), Row{wanted, kSequenceMax - at, {}, {}});
  cursor.seek(wanted, at);
  RC_ASSERT(cursor.valid() == (first != rows.end()));
  if (cursor.valid()) RC_ASSERT(row_of(cursor.entry()) == *first);
  const auto behind = std::lower_bound(rows.begin(), rows.end(), Row{wanted, 0, {}, {}});
  cursor.seek_before(wanted);
  RC_ASSERT(cursor.valid() == (behind != rows.begin()));
  if (cursor.valid()) RC_ASSERT(row_of(cursor.entry()) == *(behind - 1));
}

TEST(ReplayRun, CountsTheMemoryItTakes) {
  ReplayRun run(1 << 20);
  const std::string value(1000, 'v');
  Sequence sequence = 0;
  while (run.memory_bytes() < 1 << 20) ASSERT_TRUE(run.add(++sequence, EntryKind::kPut, "key", value).ok());
  EXPECT_GT(run.entries(), 500U);
  EXPECT_LT(run.entries(), 1049U);
}

}  // namespace
}  // namespace firn::lsm
