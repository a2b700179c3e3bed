// Any bytes as a filter: every hash may be asked. And a filter that is built of hashes contains them.
#include <cstdint>
#include <string>
#include <vector>

#include "platform/assert.h"
#include "sstable/filter.h"
#include "tests/fuzz/input.h"
#include "tests/fuzz/target.h"

namespace firn::fuzz {

namespace {

using namespace sstable;

void run(Slice bytes) {
  const std::vector<char> lines(bytes.begin(),
                                bytes.end() - static_cast<std::ptrdiff_t>(bytes.size() % kFilterLineBytes));
  const Filter any(Slice(lines.data(), lines.size()));
  Input input(bytes);
  FilterBuilder builder(input.byte() % 33U);
  std::vector<std::uint64_t> hashes;
  while (!input.empty()) hashes.push_back(input.number(8));
  for (const std::uint64_t hash : hashes) {
    FIRN_ASSERT(builder.add(hash));
    static_cast<void>(any.may_contain(hash));
  }
  std::vector<std::uint64_t> built(builder.bytes() / sizeof(std::uint64_t));
  builder.finish(reinterpret_cast<char*>(built.data()));
  const Filter filter(Slice(reinterpret_cast<const char*>(built.data()), sizeof(std::uint64_t) * built.size()));
  for (const std::uint64_t hash : hashes) FIRN_ASSERT(filter.may_contain(hash));
}

std::vector<std::string> seeds() { return {std::string("\12") + std::string(128, '\x5A'), std::string(65, '\0')}; }

const Registration kRegistered({"filter", run, seeds, 50'000});

}  // namespace

}  // namespace firn::fuzz
