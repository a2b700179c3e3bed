#include "tools/crashtest/steps.h"

#include <array>

#include "platform/sim/hash.h"

namespace firn::crashtest {

namespace {

constexpr std::array<std::string_view, kStepKindCount> kNames{"put",  "erase",    "batch",   "synced-put",
                                                              "sync", "flush",    "compact", "create",
                                                              "drop", "snapshot", "reopen",  "rotate"};

}  // namespace

std::string_view step_name(StepKind kind) { return kNames[static_cast<std::size_t>(kind)]; }

std::uint64_t fingerprint(const std::string& family, const std::map<std::string, std::string>& rows) {
  std::uint64_t hash = sim::hash_text(family, rows.size());
  for (const auto& [key, value] : rows) hash = sim::hash_text(value, sim::hash_text(key, hash));
  return hash;
}

std::uint64_t fingerprint(const Contents& contents) {
  std::uint64_t hash = contents.size();
  for (const auto& [family, rows] : contents) hash = sim::hash_mix(hash, fingerprint(family, rows));
  return hash;
}

bool applies(const Step& step, const Contents& contents) {
  const bool there = contents.contains(step.family);
  return step.kind == StepKind::kCreateFamily ? !there : there;
}

void apply(const Step& step, Contents& contents) {
  if (!applies(step, contents)) return;
  switch (step.kind) {
    case StepKind::kPut:
    case StepKind::kSyncedPut:
    case StepKind::kSnapshotRead:
    case StepKind::kRotateLog: contents[step.family][step.key] = step.value; break;
    case StepKind::kErase: contents[step.family].erase(step.key); break;
    case StepKind::kBatch:
      contents["default"][step.key] = step.value;
      contents[step.family][step.key + "+"] = step.value;
      contents[step.family].erase(step.key + "-");
      break;
    case StepKind::kCreateFamily: contents[step.family]; break;
    case StepKind::kDropFamily: contents.erase(step.family); break;
    case StepKind::kSync:
    case StepKind::kFlush:
    case StepKind::kCompact:
    case StepKind::kReopen: break;
  }
}

Result<Contents> read_contents(DB& db) {
  Contents contents;
  for (const FamilyInfo& info : db.families()) {
    std::map<std::string, std::string>& rows = contents[info.name];
    Iterator iterator = db.iterator(info.family);
    firn::Step step = iterator.next();
    for (; step == firn::Step::kEntry; step = iterator.next()) {
      rows.emplace_hint(rows.end(), std::string(iterator.key()), std::string(iterator.value()));
    }
    if (step != firn::Step::kEnd) return iterator.status();
  }
  return contents;
}

History::History(const std::vector<Step>& steps) {
  Contents contents{{"default", {}}};
  std::vector<std::string> families{"default"};
  for (const Step& step : steps) families.push_back(step.family);
  for (std::size_t i = 0; i <= steps.size(); ++i) {
    last_[fingerprint(contents)] = i;
    for (const std::string& family : families) {
      const auto found = contents.find(family);
      family_last_[family][found == contents.end() ? 0 : fingerprint(family, found->second)] = i;
    }
    if (i < steps.size()) apply(steps[i], contents);
  }
}

std::optional<std::size_t> History::steps_before(std::uint64_t contents) const {
  const auto found = last_.find(contents);
  return found == last_.end() ? std::nullopt : std::optional(found->second);
}

std::optional<std::size_t> History::steps_before(const std::string& family, const Contents& contents) const {
  const auto rows = contents.find(family);
  const auto& known = family_last_.at(family);
  const auto found = known.find(rows == contents.end() ? 0 : fingerprint(family, rows->second));
  return found == known.end() ? std::nullopt : std::optional(found->second);
}

std::vector<std::string> History::families() const {
  std::vector<std::string> names;
  for (const auto& [name, unused] : family_last_) names.push_back(name);
  return names;
}

}  // namespace firn::crashtest
