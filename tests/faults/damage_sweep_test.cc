// Damage sweeps: each byte of each file of a small database changed one at a time, each file cut at every length,
// deleted, duplicated, renamed; its sectors and pages zeroed, filled with noise, swapped, and replaced by others of the
// same file, as a misdirected write leaves them.
#include "tests/faults/damage_sweep.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <functional>
#include <string>
#include <vector>

#include "platform/random.h"
#include "tests/support/cases.h"

namespace firn::testing {
namespace {

// Every `stride`-th place, another residue in every file; FIRN_TEST_CASES=1000 takes all.
std::uint64_t stride() { return std::max<std::uint64_t>(1, 1000 / cases(100)); }

// Where a file has been written to: preallocated zeros beyond are sampled.
std::size_t used_bytes(const std::string& contents) {
  const std::size_t last = contents.find_last_not_of('\0');
  return last == std::string::npos ? 0 : last + 1;
}

class DamageSweepTest : public ::testing::TestWithParam<DamageSweep::Shape> {
 protected:
  DamageSweepTest() : sweep_(GetParam(), stride()) {}
  ~DamageSweepTest() override {
    std::printf("%ju damages, %ju answered with an error, the others with the right rows; %ju opened for writing too\n",
                static_cast<std::uintmax_t>(sweep_.damages()), static_cast<std::uintmax_t>(sweep_.errors()),
                static_cast<std::uintmax_t>(sweep_.writing()));
  }

  void for_each_file(const std::function<void(const std::string&, const std::string&)>& visit) {
    for (const auto& [name, contents] : sweep_.originals()) {
      visit(name, contents);
      if (HasFailure()) return;
    }
  }
  void damage_units(const std::string& name, const std::string& contents, std::size_t unit_bytes);

  DamageSweep sweep_;
};

// The file's contents with changes to one unit: a sector, or a page. The last one may be shorter.
class Unit {
 public:
  Unit(const std::string& contents, std::size_t at, std::size_t bytes)
      : contents_(contents), at_(at), bytes_(std::min(bytes, contents.size() - at)) {}

  std::size_t bytes() const { return bytes_; }
  bool fits(std::size_t other) const { return other != at_ && other + bytes_ <= contents_.size(); }

  std::string zeroed() const { return replaced(std::string(bytes_, '\0')); }
  std::string noisy(SplitMix64& random) const {
    std::string noise(bytes_, '\0');
    for (char& c : noise) c = static_cast<char>(random.next());
    return replaced(noise);
  }
  // By what is at `other`.
  std::string misdirected(std::size_t other) const { return replaced(contents_.substr(other, bytes_)); }
  std::string swapped(std::size_t other) const {
    return misdirected(other).replace(other, bytes_, contents_.substr(at_, bytes_));
  }

 private:
  std::string replaced(const std::string& by) const { return std::string(contents_).replace(at_, bytes_, by); }

  const std::string& contents_;
  const std::size_t at_;
  const std::size_t bytes_;
};

TEST_P(DamageSweepTest, EveryByteFlipped) {
  for_each_file([&](const std::string& name, const std::string& contents) {
    const std::size_t used = used_bytes(contents);
    for (std::size_t offset = name.size() % stride(); offset < contents.size(); offset += stride()) {
      // One bit; all of them at one place in eight.
      const auto bit = static_cast<unsigned char>(1U << (offset % 8));
      sweep_.flip(name, offset, offset % 64 < 8 ? static_cast<unsigned char>(0xFF) : bit);
      if (offset >= used) offset += 64 * stride();
    }
  });
}

TEST_P(DamageSweepTest, EveryLengthCut) {
  for_each_file([&](const std::string& name, const std::string& contents) {
    const std::size_t used = used_bytes(contents);
    for (std::size_t length = name.size() % stride(); length < contents.size(); length += stride()) {
      sweep_.replace(name, contents.substr(0, length), "cut at " + std::to_string(length));
      if (length >= used) length += 64 * stride();
    }
    sweep_.replace(name, contents + std::string(DamageSweep::kSectorBytes, '\0'), "longer by a sector of zeros");
    sweep_.replace(name, contents + contents, "twice over");
  });
}

TEST_P(DamageSweepTest, FilesDeletedDuplicatedRenamedSwapped) {
  std::vector<std::string> names;
  for_each_file([&](const std::string& name, const std::string&) { names.push_back(name); });
  for (const std::string& name : names) {
    sweep_.remove(name);
    const std::string& contents = sweep_.originals().at(name);
    for (const char* const other : {"000099.table", "000099.log", "MANIFEST-000099", "CURRENT.tmp", "stranger"}) {
      sweep_.add(other, contents, "a copy of " + name);
    }
    for (const std::string& other : names) {
      if (other == name) continue;
      const std::string& strange = sweep_.originals().at(other);
      sweep_.swap(name, other);
      if (name.ends_with(".log")) {
        sweep_.replace_end_of_log(name, strange, "replaced by " + other);
      } else {
        sweep_.replace(name, strange, "replaced by " + other);
      }
    }
  }
}

void DamageSweepTest::damage_units(const std::string& name, const std::string& contents, std::size_t unit_bytes) {
  SplitMix64 random(7);
  const std::size_t units = (used_bytes(contents) + unit_bytes - 1) / unit_bytes;
  for (std::size_t i = 0; i < units; ++i) {
    const std::size_t at = i * unit_bytes;
    const Unit unit(contents, at, unit_bytes);
    const auto judge = [&](const std::string& damaged, const std::string& what, std::size_t last_unit) {
      const std::string where = std::to_string(unit.bytes()) + " bytes at " + std::to_string(at) + " " + what;
      if (name.ends_with(".log") && last_unit + 1 == units) {
        sweep_.replace_end_of_log(name, damaged, where);
      } else {
        sweep_.replace(name, damaged, where);
      }
    };
    judge(unit.zeroed(), "zeroed", i);
    judge(unit.noisy(random), "filled with noise", i);
    // Every other one of a small file, else eight of them.
    const std::size_t others = std::min<std::size_t>(units, 8);
    for (std::size_t k = 0; k < others; ++k) {
      const std::size_t j = units == others ? k : static_cast<std::size_t>(random.next() % units);
      const std::size_t other = j * unit_bytes;
      if (!unit.fits(other)) continue;
      judge(unit.misdirected(other), "replaced by those at " + std::to_string(other), i);
      judge(unit.swapped(other), "swapped with those at " + std::to_string(other), std::max(i, j));
    }
  }
}

TEST_P(DamageSweepTest, SectorsZeroedNoisyMisdirectedSwapped) {
  for_each_file([&](const std::string& name, const std::string& contents) {
    damage_units(name, contents, DamageSweep::kSectorBytes);
  });
}

TEST_P(DamageSweepTest, PagesZeroedNoisyMisdirectedSwapped) {
  for_each_file([&](const std::string& name, const std::string& contents) {
    damage_units(name, contents, DamageSweep::kPageBytes);
  });
}

std::string shape_name(const ::testing::TestParamInfo<DamageSweep::Shape>& shape) {
  constexpr std::array kEnds{"Closed", "Crashed", "CrashedProven"};
  return std::string(kEnds[static_cast<std::size_t>(shape.param.end)]) + (shape.param.mapped ? "Mapped" : "Unmapped");
}

INSTANTIATE_TEST_SUITE_P(Shapes, DamageSweepTest,
                         ::testing::Values(DamageSweep::Shape{DamageSweep::End::kClosed, false},
                                           DamageSweep::Shape{DamageSweep::End::kClosed, true},
                                           DamageSweep::Shape{DamageSweep::End::kCrashed, false},
                                           DamageSweep::Shape{DamageSweep::End::kCrashed, true},
                                           DamageSweep::Shape{DamageSweep::End::kCrashedProven, false}),
                         shape_name);

}  // namespace
}  // namespace firn::testing
