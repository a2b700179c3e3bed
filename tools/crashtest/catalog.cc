#include "tools/crashtest/catalog.h"

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>
#include <utility>

#include "platform/random.h"
#include "platform/sim/hash.h"

namespace firn::crashtest {

namespace {

constexpr std::array<std::pair<std::string_view, Durability>, 4> kDurabilities{{
    {"sync", Durability::kSync},
    {"buffered", Durability::kBuffered},
    {"periodic", Durability::kPeriodic},
    {"none", Durability::kNone},
}};

// A list of steps from a seed: keys out of `keys`, values of up to `value_bytes`.
class StepMaker {
 public:
  StepMaker(std::uint64_t seed, std::uint64_t keys, std::uint64_t value_bytes)
      : random_(seed), keys_(keys), value_bytes_(value_bytes) {}

  std::uint64_t draw(std::uint64_t below) { return random_.next() % below; }
  std::string key() { return "key" + std::to_string(draw(keys_)); }
  // Every value is another one, so that contents tell how many steps there were.
  std::string value(std::uint64_t bytes) {
    std::string value = "value " + std::to_string(steps_.size()) + " ";
    value.resize(std::max<std::size_t>(value.size(), static_cast<std::size_t>(bytes)),
                 static_cast<char>('a' + draw(26)));
    return value;
  }
  std::string value() { return value(draw(value_bytes_)); }

  void add(StepKind kind, const std::string& family = "default") { steps_.push_back({kind, family, key(), value()}); }
  void add(Step step) { steps_.push_back(std::move(step)); }
  std::vector<Step> take() { return std::move(steps_); }

 private:
  SplitMix64 random_;
  const std::uint64_t keys_;
  const std::uint64_t value_bytes_;
  std::vector<Step> steps_;
};

// Something of everything.
std::vector<Step> mixed(std::uint64_t seed) {
  StepMaker maker(seed, 24, 700);
  const std::array<std::string, 3> families{"default", "other", "third"};
  maker.add(StepKind::kCreateFamily, "other");
  for (int i = 0; i < 60; ++i) {
    const std::string& family = families[maker.draw(families.size())];
    const std::uint64_t draw = maker.draw(100);
    if (draw < 35) {
      maker.add(StepKind::kPut, family);
    } else if (draw < 50) {
      maker.add(StepKind::kErase, family);
    } else if (draw < 70) {
      maker.add(StepKind::kBatch, family);
    } else if (draw < 74) {
      maker.add(StepKind::kSyncedPut, family);
    } else if (draw < 76) {
      maker.add(StepKind::kSync);
    } else if (draw < 82) {
      maker.add(StepKind::kFlush, family);
    } else if (draw < 86) {
      maker.add(StepKind::kCompact, family);
    } else if (draw < 90) {
      maker.add(StepKind::kCreateFamily, families[1 + maker.draw(2)]);
    } else if (draw < 93) {
      maker.add(StepKind::kDropFamily, families[1 + maker.draw(2)]);
    } else if (draw < 96) {
      maker.add(StepKind::kSnapshotRead, family);
    } else if (draw < 98) {
      maker.add(StepKind::kReopen);
    } else {
      maker.add({StepKind::kRotateLog, family, maker.key(), maker.value(40'000)});
    }
  }
  return maker.take();
}

// Few keys, written again and again, with flushes between: tombstones and old versions go in compactions.
std::vector<Step> overwrite(std::uint64_t seed) {
  StepMaker maker(seed, 4, 200);
  for (int i = 0; i < 70; ++i) {
    const std::uint64_t draw = maker.draw(20);
    if (draw < 10) {
      maker.add(StepKind::kPut);
    } else if (draw < 15) {
      maker.add(StepKind::kErase);
    } else if (draw < 18) {
      maker.add(StepKind::kFlush);
    } else {
      maker.add(draw == 18 ? StepKind::kCompact : StepKind::kSnapshotRead);
    }
  }
  return maker.take();
}

// A dozen families that come and go.
std::vector<Step> families(std::uint64_t seed) {
  StepMaker maker(seed, 6, 100);
  for (int i = 0; i < 70; ++i) {
    const std::string family = "family" + std::to_string(maker.draw(12));
    const std::uint64_t draw = maker.draw(20);
    if (draw < 6 || i < 4) {
      maker.add(StepKind::kCreateFamily, family);
    } else if (draw < 15) {
      maker.add(draw % 2 == 0 ? StepKind::kBatch : StepKind::kPut, family);
    } else if (draw < 18) {
      maker.add(StepKind::kDropFamily, family);
    } else {
      maker.add(draw == 18 ? StepKind::kFlush : StepKind::kReopen, family);
    }
  }
  return maker.take();
}

// Values of many blocks: flushes by themselves, records over many sectors, compactions.
std::vector<Step> large_values(std::uint64_t seed) {
  StepMaker maker(seed, 8, 20'000);
  maker.add(StepKind::kCreateFamily, "other");
  for (int i = 0; i < 24; ++i) {
    const std::uint64_t draw = maker.draw(10);
    maker.add(draw < 5    ? StepKind::kPut
              : draw < 8  ? StepKind::kBatch
              : draw == 8 ? StepKind::kErase
                          : StepKind::kCompact,
              draw % 2 == 0 ? "default" : "other");
  }
  return maker.take();
}

// Every third step changes the log's segment; a family that is seldom written keeps old segments alive.
std::vector<Step> log_rotation(std::uint64_t seed) {
  StepMaker maker(seed, 12, 100);
  maker.add(StepKind::kCreateFamily, "other");
  maker.add(StepKind::kPut, "other");
  for (int i = 0; i < 26; ++i) {
    const std::uint64_t draw = maker.draw(10);
    if (draw < 4) {
      maker.add({StepKind::kRotateLog, "default", maker.key(), maker.value(33'000)});
    } else if (draw < 9) {
      maker.add(draw == 8 ? StepKind::kBatch : StepKind::kPut, draw == 4 ? "other" : "default");
    } else {
      maker.add(StepKind::kFlush);
    }
  }
  return maker.take();
}

// Values in value files, most of which are soon garbage: files go, and what is left in them moves to others.
std::vector<Step> values(std::uint64_t seed) {
  StepMaker maker(seed, 5, 900);
  maker.add(StepKind::kCreateFamily, "other");
  for (int i = 0; i < 60; ++i) {
    const std::uint64_t draw = maker.draw(20);
    const std::string family = draw % 4 == 0 ? "other" : "default";
    if (draw < 8) {
      maker.add(StepKind::kPut, family);
    } else if (draw < 11) {
      maker.add(StepKind::kBatch, family);
    } else if (draw < 13) {
      maker.add(draw == 11 ? StepKind::kErase : StepKind::kSnapshotRead, family);
    } else if (draw < 16) {
      maker.add(StepKind::kFlush, family);
    } else if (draw < 18) {
      maker.add(StepKind::kCompact, family);
    } else {
      maker.add(draw == 18 ? StepKind::kReopen : StepKind::kDropFamily, "other");
      if (draw == 19) maker.add(StepKind::kCreateFamily, "other");
    }
  }
  return maker.take();
}

struct Family {
  std::string_view name;
  std::string_view help;
  std::vector<Step> (*make)(std::uint64_t seed);
  std::uint32_t separate_value_bytes = 0;
};

constexpr std::array<Family, 6> kFamilies{{
    {"mixed", "puts, deletes, batches, flushes, compactions, families, snapshots, reopening", mixed},
    {"overwrite", "few keys, written and deleted again and again", overwrite},
    {"families", "a dozen column families that come and go", families},
    {"large", "values of many blocks", large_values},
    {"rotate", "a log of many segments", log_rotation},
    {"values", "values in value files, and their garbage collection", values, 100},
}};

std::string_view take_word(std::string_view& text, char separator) {
  const std::size_t at = text.find(separator);
  const std::string_view word = text.substr(0, at);
  text.remove_prefix(at == std::string_view::npos ? text.size() : at + 1);
  return word;
}

std::optional<Durability> durability_of(std::string_view name) {
  for (const auto& [known, durability] : kDurabilities) {
    if (known == name) return durability;
  }
  return std::nullopt;
}

// "seq-sync+put+flush": a family with a row in memory and one in a table first, so that every step has work to do.
// Explored from the last step on: what comes before is explored as a shorter sequence.
std::unique_ptr<EngineWorkload> make_sequence(const std::string& name) {
  std::string_view rest = name;
  rest.remove_prefix(std::string_view("seq-").size());
  const std::optional<Durability> durability = durability_of(take_word(rest, '+'));
  if (!durability.has_value()) return nullptr;
  std::vector<Step> steps{{StepKind::kCreateFamily, "other", {}, {}},
                          {StepKind::kBatch, "other", "a", "first"},
                          {StepKind::kFlush, "other", {}, {}},
                          {StepKind::kBatch, "other", "b", "second"}};
  while (!rest.empty()) {
    const std::string_view word = take_word(rest, '+');
    std::size_t kind = 0;
    while (kind < kStepKindCount && step_name(static_cast<StepKind>(kind)) != word) ++kind;
    if (kind == kStepKindCount) return nullptr;
    Step step{static_cast<StepKind>(kind), "other", "a+", "value " + std::to_string(steps.size())};
    if (step.kind == StepKind::kCreateFamily) step.family = "third";
    if (step.kind == StepKind::kRotateLog) step.value.resize(40'000, 'x');
    if (step.kind == StepKind::kReopen || step.kind == StepKind::kSync) step.family = "default";
    steps.push_back(std::move(step));
  }
  const std::size_t prepared = steps.size() - 1;
  return std::make_unique<EngineWorkload>(name, *durability, std::move(steps), prepared);
}

}  // namespace

std::vector<CatalogEntry> catalog() {
  std::vector<CatalogEntry> entries;
  for (const Family& family : kFamilies) {
    for (const auto& [name, durability] : kDurabilities) {
      entries.push_back({std::string(family.name) + "-" + std::string(name),
                         std::string(family.help) + "; durability " + std::string(name)});
    }
  }
  return entries;
}

std::vector<std::string> sequence_names(std::size_t length) {
  std::vector<std::string> names{"seq-sync", "seq-buffered"};
  for (std::size_t i = 0; i < length; ++i) {
    std::vector<std::string> longer;
    for (const std::string& name : names) {
      for (std::size_t kind = 0; kind < kStepKindCount; ++kind) {
        longer.push_back(name + "+" + std::string(step_name(static_cast<StepKind>(kind))));
      }
    }
    names = std::move(longer);
  }
  return names;
}

std::unique_ptr<EngineWorkload> make_workload(const std::string& name, std::uint64_t seed) {
  if (name.starts_with("seq-")) return make_sequence(name);
  for (const Family& family : kFamilies) {
    if (!name.starts_with(std::string(family.name) + "-")) continue;
    const auto durability = durability_of(std::string_view(name).substr(family.name.size() + 1));
    if (!durability.has_value()) return nullptr;
    return std::make_unique<EngineWorkload>(name, *durability, family.make(sim::hash_mix(seed, 0x9E37)), std::size_t{0},
                                            family.separate_value_bytes);
  }
  return nullptr;
}

}  // namespace firn::crashtest
