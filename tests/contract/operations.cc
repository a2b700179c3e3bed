#include "tests/contract/operations.h"

#include <array>
#include <cstdio>
#include <utility>

#include "firn/pinned_value.h"

namespace firn::testing {

namespace {

struct Weight {
  Action action;
  std::uint32_t weight;
  const char* name;
};

constexpr std::array kWeights = {
    Weight{Action::kPut, 300, "put"},
    Weight{Action::kErase, 120, "erase"},
    Weight{Action::kBatch, 80, "batch"},
    Weight{Action::kFill, 12, "fill"},
    Weight{Action::kEraseRun, 10, "erase_run"},
    Weight{Action::kGet, 120, "get"},
    Weight{Action::kMultiGet, 30, "multi_get"},
    Weight{Action::kScan, 50, "scan"},
    Weight{Action::kScanPrefix, 40, "scan_prefix"},
    Weight{Action::kWalk, 40, "walk"},
    Weight{Action::kHold, 12, "hold"},
    Weight{Action::kMoveHeld, 40, "move_held"},
    Weight{Action::kSnapshot, 15, "snapshot"},
    Weight{Action::kRelease, 12, "release"},
    Weight{Action::kGetAt, 40, "get_at"},
    Weight{Action::kScanAt, 20, "scan_at"},
    Weight{Action::kFlush, 20, "flush"},
    Weight{Action::kCompact, 8, "compact"},
    Weight{Action::kReopen, 8, "reopen"},
    Weight{Action::kCreateFamily, 10, "create_family"},
    Weight{Action::kDropFamily, 5, "drop_family"},
};

constexpr std::uint32_t total_weight() {
  std::uint32_t sum = 0;
  for (const Weight& row : kWeights) sum += row.weight;
  return sum;
}

Action action_from(std::uint32_t ticket) {
  for (const Weight& row : kWeights) {
    if (ticket < row.weight) return row.action;
    ticket -= row.weight;
  }
  return Action::kPut;
}

std::string printable(const std::string& bytes) {
  std::string text;
  for (const char byte : bytes) {
    char escaped[5];
    std::snprintf(escaped, sizeof escaped, "\\x%02X", static_cast<unsigned char>(byte));
    text += byte > ' ' && byte < '\x7F' ? std::string(1, byte) : std::string(escaped);
  }
  return text;
}

}  // namespace

std::ostream& operator<<(std::ostream& out, const Operation& operation) {
  for (const Weight& row : kWeights) {
    if (row.action == operation.action) out << row.name;
  }
  return out << "(pick " << operation.pick << ", key \"" << printable(operation.key) << "\", other \""
             << printable(operation.other) << "\", seed " << operation.seed << ")\n";
}

rc::Gen<std::vector<Operation>> program_gen(std::size_t count_max) {
  // Numbers have their whole range from the start, and a failing program is shortened by leaving operations out.
  const auto below = [](std::uint32_t end) {
    return rc::gen::noShrink(rc::gen::resize(rc::kNominalSize, rc::gen::inRange<std::uint32_t>(0, end)));
  };
  const auto operation = rc::gen::map(
      rc::gen::tuple(below(total_weight()), below(1 << 16), below(1U << 31), below(1U << 31), below(1U << 31)),
      [](const std::tuple<std::uint32_t, std::uint32_t, std::uint32_t, std::uint32_t, std::uint32_t>& drawn) {
        return Operation{action_from(std::get<0>(drawn)), std::get<1>(drawn), key_from(std::get<2>(drawn)),
                         key_from(std::get<3>(drawn)), std::get<4>(drawn)};
      });
  return rc::gen::resize(static_cast<int>(count_max), rc::gen::container<std::vector<Operation>>(operation));
}

std::string key_from(std::uint32_t bits) {
  static constexpr char kBytes[] = {'a', '\0', '\xFF', 'b'};
  std::string key;
  const std::uint32_t shape = bits % 16;
  bits /= 16;
  if (shape >= 12) key.assign(20, 'P');              // A shared beginning longer than a key head.
  if (shape == 11) key.assign(bits % 3 * 400, 'L');  // A long key.
  if (shape == 10) key = "\xFF\xFF\xFF\xFF\xFF\xFF\xFF";
  const std::uint32_t length = bits % 6;
  bits /= 6;
  for (std::uint32_t i = 0; i < length; ++i, bits /= 4) key += kBytes[bits % 4];
  return key;
}

std::string value_from(std::uint32_t bits, std::uint64_t tag) {
  static constexpr std::size_t kLengths[] = {
      0, 8, 16, 40, PinnedValue::kInlineBytes, PinnedValue::kInlineBytes + 1, 300, 600, 5000, 20};
  std::string value = std::to_string(tag);
  value.resize(kLengths[bits % std::size(kLengths)], static_cast<char>('a' + tag % 26));
  return value;
}

}  // namespace firn::testing
