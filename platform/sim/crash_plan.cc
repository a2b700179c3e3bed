// Plans: by chance, as text, and all of them in turn. Tested in tests/sim/crash_test.cc.
#include <algorithm>
#include <charconv>
#include <unordered_set>

#include "firn/sim/crash.h"
#include "platform/random.h"
#include "platform/sim/hash.h"

namespace firn::sim {

namespace {

std::uint32_t last_choice(const CrashUnit& unit) { return unit.garbage ? unit.garbage_choice() : unit.whole; }

// What becomes of a unit that is to be there (or not) by chance; now and then something between.
std::uint32_t random_choice(const CrashUnit& unit, SplitMix64& random, std::uint32_t keep_percent) {
  const bool kept = random.next() % 100 < keep_percent;
  if (kept && unit.cuts && keep_percent < 100 && random.next() % 8 == 0) {
    return static_cast<std::uint32_t>(random.next() % (unit.whole + std::uint64_t{1}));
  }
  if (!kept && unit.garbage && keep_percent > 0 && random.next() % 4 == 0) return unit.garbage_choice();
  return kept ? unit.whole : 0;
}

// All plans of one sort, by number.
struct PlanKind {
  std::uint64_t count = 0;
  std::function<CrashPlan(std::uint64_t)> make;
};

class Enumerator {
 public:
  Enumerator(const CrashPoint& point, const CrashLimits& limits, const std::function<bool(const CrashPlan&)>& visit)
      : point_(point), units_(point.units()), limits_(limits), visit_(visit), random_(limits.seed) {}

  std::uint64_t run() {
    std::vector<PlanKind> kinds = plan_kinds();
    for (std::size_t i = 0; i < kinds.size() && !stopped_; ++i) {
      const std::uint64_t share = (limits_.plans_max - visited_) / (kinds.size() - i + 1);
      enumerate(kinds[i], std::max<std::uint64_t>(share, 1));
    }
    // Few units have few plans: give up when chance finds no new one.
    constexpr std::uint32_t kPercents[] = {50, 10, 90, 30, 70};
    for (std::uint32_t old = 0, round = 0; old < 32 && !stopped_; ++round) {
      old = visit(point_.random(random_.next(), kPercents[round % std::size(kPercents)])) ? 0 : old + 1;
    }
    return visited_;
  }

 private:
  std::vector<PlanKind> plan_kinds() const {
    const std::uint64_t n = units_.size();
    std::vector<PlanKind> kinds;
    kinds.push_back({1, [this](std::uint64_t) { return point_.none(); }});
    kinds.push_back({1, [this](std::uint64_t) { return point_.all(); }});
    if (n == 0) return kinds;
    kinds.push_back({n - 1, [this](std::uint64_t i) { return prefix(i + 1); }});
    kinds.push_back({n, [this](std::uint64_t i) { return without({i}); }});
    kinds.push_back({n, [this](std::uint64_t i) {
                       CrashPlan plan = point_.none();
                       plan.choices[i] = units_[i].whole;
                       return plan;
                     }});
    add_cuts(kinds);
    add_garbage(kinds);
    kinds.push_back({n * (n - 1) / 2, [this](std::uint64_t i) { return without(pair_of(i)); }});
    if (n <= std::min<std::uint64_t>(limits_.subset_units_max, 62)) {
      kinds.push_back({std::uint64_t{1} << n, [this](std::uint64_t bits) {
                         CrashPlan plan = point_.all();
                         for (std::size_t i = 0; i < plan.choices.size(); ++i) {
                           if ((bits >> i & 1) == 0) plan.choices[i] = 0;
                         }
                         return plan;
                       }});
    }
    return kinds;
  }

  // Each cut with what came later lost, and with all the rest there.
  void add_cuts(std::vector<PlanKind>& kinds) const {
    std::vector<std::uint64_t> ends;  // For each unit: the number of cuts up to its last.
    std::uint64_t cuts = 0;
    for (const CrashUnit& unit : units_) ends.push_back(cuts += unit.cuts ? unit.whole - 1 : 0);
    if (cuts == 0) return;
    kinds.push_back({2 * cuts, [this, ends](std::uint64_t i) {
                       const auto end = std::upper_bound(ends.begin(), ends.end(), i / 2);
                       const auto unit = static_cast<std::size_t>(end - ends.begin());
                       CrashPlan plan = i % 2 == 0 ? prefix(unit) : point_.all();
                       plan.choices[unit] = static_cast<std::uint32_t>(*end - i / 2);
                       return plan;
                     }});
  }

  void add_garbage(std::vector<PlanKind>& kinds) const {
    std::vector<std::size_t> garbage;
    for (std::size_t i = 0; i < units_.size(); ++i) {
      if (units_[i].garbage) garbage.push_back(i);
    }
    if (garbage.empty()) return;
    kinds.push_back({garbage.size() + 1, [this, garbage](std::uint64_t i) {
                       CrashPlan plan = point_.all();
                       for (std::size_t j = 0; j < garbage.size(); ++j) {
                         if (i == j || i == garbage.size()) {
                           plan.choices[garbage[j]] = units_[garbage[j]].garbage_choice();
                         }
                       }
                       return plan;
                     }});
  }

  CrashPlan prefix(std::size_t units) const {
    CrashPlan plan = point_.all();
    std::fill(plan.choices.begin() + static_cast<std::ptrdiff_t>(units), plan.choices.end(), 0);
    return plan;
  }

  CrashPlan without(std::vector<std::uint64_t> lost) const {
    CrashPlan plan = point_.all();
    for (const std::uint64_t unit : lost) plan.choices[unit] = 0;
    return plan;
  }

  // The i-th of (0,1), (0,2), (1,2), (0,3), ...
  static std::vector<std::uint64_t> pair_of(std::uint64_t i) {
    std::uint64_t second = 1;
    while (i >= second) i -= second++;
    return {i, second};
  }

  void enumerate(const PlanKind& kind, std::uint64_t share) {
    const bool sampled = kind.count > share;
    for (std::uint64_t i = 0; i < std::min(kind.count, share) && !stopped_; ++i) {
      visit(kind.make(sampled ? random_.next() % kind.count : i));
    }
  }

  // Whether it was a new one.
  bool visit(const CrashPlan& plan) {
    std::uint64_t hash = 0;
    for (const std::uint32_t choice : plan.choices) hash = hash_mix(hash, choice);
    if (!seen_.insert(hash).second) return false;
    ++visited_;
    stopped_ = !visit_(plan) || visited_ >= limits_.plans_max;
    return true;
  }

  const CrashPoint& point_;
  const std::vector<CrashUnit>& units_;
  const CrashLimits limits_;
  const std::function<bool(const CrashPlan&)>& visit_;
  SplitMix64 random_;
  std::unordered_set<std::uint64_t> seen_;
  std::uint64_t visited_ = 0;
  bool stopped_ = false;
};

std::string operation_text(const PendingOperation& operation, const CrashUnit& unit) {
  constexpr std::string_view kNames[] = {"write", "store", "truncate", "link", "unlink", "rename"};
  std::string text = std::string(kNames[static_cast<std::size_t>(operation.kind)]) + " " + operation.path;
  switch (unit.kind) {
    case CrashUnit::Kind::kBytes: return text + " " + std::to_string(unit.offset) + "+" + std::to_string(unit.whole);
    case CrashUnit::Kind::kSize: return text + " size " + std::to_string(operation.offset + operation.bytes);
    case CrashUnit::Kind::kName: break;
    case CrashUnit::Kind::kJournal: return "journal from " + text;
  }
  return text;
}

}  // namespace

CrashPlan CrashPoint::none() const { return {std::vector<std::uint32_t>(units().size(), 0)}; }

CrashPlan CrashPoint::all() const {
  CrashPlan plan;
  for (const CrashUnit& unit : units()) plan.choices.push_back(unit.whole);
  return plan;
}

CrashPlan CrashPoint::random(std::uint64_t seed, std::uint32_t keep_percent) const {
  SplitMix64 random(seed);
  CrashPlan plan;
  std::uint32_t operation = UINT32_MAX;
  bool torn = false;
  bool whole = false;
  for (const CrashUnit& unit : units()) {
    // Pieces decided one by one would hardly ever leave a large transfer whole.
    if (unit.operation != operation) {
      operation = unit.operation;
      torn = random.next() % 2 == 0;
      whole = random.next() % 100 < keep_percent;
    }
    plan.choices.push_back(torn ? random_choice(unit, random, keep_percent) : whole ? unit.whole : 0);
  }
  return plan;
}

std::string CrashPoint::format(const CrashPlan& plan) const {
  std::string text;
  for (std::size_t i = 0; i < units().size();) {
    const auto choice_of = [&](std::size_t unit) { return unit < plan.choices.size() ? plan.choices[unit] : 0; };
    const auto sign_of = [&](std::size_t unit) {
      const std::uint32_t choice = choice_of(unit);
      const std::uint32_t whole = units()[unit].whole;
      return choice == 0 ? '-' : choice == whole ? '+' : choice > whole ? '?' : 'c';
    };
    const char sign = sign_of(i);
    if (sign == 'c') {
      text += std::to_string(choice_of(i++)) + sign;
      continue;
    }
    std::size_t end = i + 1;
    while (end < units().size() && sign_of(end) == sign) ++end;
    if (end - i > 1) text += std::to_string(end - i);
    text += sign;
    i = end;
  }
  return text;
}

Result<CrashPlan> CrashPoint::parse(std::string_view text) const {
  const auto refuse = [&] {
    return Status(StatusCode::kInvalidArgument,
                  "crash plan \"" + std::string(text) + "\": not one of " + std::to_string(units().size()) + " units");
  };
  CrashPlan plan;
  for (const char *at = text.data(), *const end = at + text.size(); at != end;) {
    std::uint32_t number = 1;
    at = std::from_chars(at, end, number).ptr;
    const std::size_t left = units().size() - plan.choices.size();
    if (at == end || number == 0 || left == 0) return refuse();
    const char sign = *at++;
    if (sign == 'c') {
      plan.choices.push_back(number);
      continue;
    }
    if (number > left || (sign != '+' && sign != '-' && sign != '?')) return refuse();
    for (; number > 0; --number) {
      const CrashUnit& unit = units()[plan.choices.size()];
      plan.choices.push_back(sign == '-' ? 0 : sign == '+' ? unit.whole : last_choice(unit));
    }
  }
  if (plan.choices.size() != units().size()) return refuse();
  return plan;
}

std::string CrashPoint::describe(const CrashPlan& plan) const {
  const std::vector<PendingOperation> pending = operations();
  std::string text;
  for (std::size_t i = 0; i < units().size(); ++i) {
    const CrashUnit& unit = units()[i];
    const std::uint32_t choice = i < plan.choices.size() ? plan.choices[i] : 0;
    if (choice == unit.whole) continue;
    const std::string fate = choice == 0           ? "lost"
                             : choice > unit.whole ? "garbage"
                                                   : "only " + std::to_string(choice) + " of";
    text += fate + ": " + operation_text(pending[unit.operation], unit) + "\n";
  }
  return text;
}

std::uint64_t for_each_crash_plan(const CrashPoint& point, const CrashLimits& limits,
                                  const std::function<bool(const CrashPlan&)>& visit) {
  return limits.plans_max == 0 ? 0 : Enumerator(point, limits, visit).run();
}

}  // namespace firn::sim
