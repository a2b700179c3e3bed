// The versions of a key, without a memtable around them: node.h.
#include <gtest/gtest.h>

#include <bit>
#include <cstdint>
#include <vector>

#include "lsm/memtable/node.h"

namespace firn::memtable {

namespace {

class Chain {
 public:
  explicit Chain(std::size_t length) : links_(length) {
    for (std::size_t i = 0; i < length; ++i) {
      // Sequences 10, 20, 30, ...
      const std::uint64_t packed = pack_sequence(10 * (i + 1), EntryKind::kPut);
      links_[i].version = {packed, 0, static_cast<std::uint32_t>(i)};
      if (i > 0) links_[i].links = {at(i - 1), jump_behind(at(i - 1))};
    }
  }
  const Version* at(std::size_t ordinal) const { return &links_[ordinal].version; }
  const Version* newest() const { return at(links_.size() - 1); }

 private:
  struct Linked {
    Version version;
    Version::Links links;
  };
  std::vector<Linked> links_;
};

// How many versions version_at() looks at, going the way it goes.
unsigned steps_to(const Version* version, std::uint32_t ordinal) {
  unsigned steps = 0;
  while (version->ordinal > ordinal) {
    const Version::Links& links = version->links();
    version = links.jump->ordinal >= ordinal ? links.jump : links.older;
    ++steps;
  }
  return steps;
}

TEST(VersionChain, FindsTheNewestVersionNotNewerThanASequence) {
  const Chain chain(1000);
  for (Sequence at = 0; at <= 10'010; ++at) {
    const Version* const expected = at < 10 ? nullptr : chain.at(std::min<Sequence>(at, 10'000) / 10 - 1);
    ASSERT_EQ(version_at(chain.newest(), at), expected) << at;
  }
  EXPECT_EQ(version_at(chain.newest(), kSequenceMax), chain.newest());
}

TEST(VersionChain, FindsTheVersionOfANumber) {
  const Chain chain(1000);
  for (std::uint32_t ordinal = 0; ordinal < 1000; ++ordinal) {
    ASSERT_EQ(version_numbered(chain.newest(), ordinal), chain.at(ordinal));
  }
}

TEST(VersionChain, NoVersionIsFarAway) {
  const Chain chain(500'000);
  const unsigned limit = 3 * static_cast<unsigned>(std::bit_width(500'000U));
  for (std::uint32_t ordinal = 0; ordinal < 500'000; ordinal += 7) ASSERT_LE(steps_to(chain.newest(), ordinal), limit);
}

}  // namespace

}  // namespace firn::memtable
