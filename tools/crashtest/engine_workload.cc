#include "tools/crashtest/engine_workload.h"

#include <algorithm>
#include <charconv>
#include <utility>

namespace firn::crashtest {

namespace {

constexpr const char* kPath = "db";
constexpr std::uint32_t kSyncPeriodMs = 1000;
constexpr std::uint64_t kNsPerMs = 1'000'000;
// Longer than the engine waits before it tries a failed job again.
constexpr std::uint64_t kPatienceNs = 2'000'000'000;
// What every check writes, to see that it can: no step uses this key.
constexpr Slice kProbeKey = "~probe";
constexpr Slice kProbeValue = "written after the crash";

// A promise: "after 17 steps, family orders" or, of all families, "after 17 steps".
struct Promised {
  std::size_t steps = 0;
  std::string_view family;  // Empty: all.
};

std::string promise_text(std::size_t steps, std::string_view family) {
  std::string text = "after " + std::to_string(steps) + " steps";
  if (!family.empty()) text += ", family " + std::string(family);
  return text;
}

Promised parse_promise(std::string_view text) {
  Promised promised;
  text.remove_prefix(std::string_view("after ").size());
  std::from_chars(text.data(), text.data() + text.size(), promised.steps);
  constexpr std::string_view kFamily = ", family ";
  if (const std::size_t at = text.find(kFamily); at != std::string_view::npos) {
    promised.family = text.substr(at + kFamily.size());
  }
  return promised;
}

bool writes_rows(StepKind kind) {
  switch (kind) {
    case StepKind::kPut:
    case StepKind::kErase:
    case StepKind::kBatch:
    case StepKind::kSyncedPut:
    case StepKind::kSnapshotRead:
    case StepKind::kRotateLog: return true;
    default: return false;
  }
}

}  // namespace

EngineWorkload::EngineWorkload(std::string name, Durability durability, std::vector<Step> steps, std::size_t prepared,
                               std::uint32_t separate_value_bytes)
    : name_(std::move(name)),
      durability_(durability),
      steps_(std::move(steps)),
      prepared_(prepared),
      separate_value_bytes_(separate_value_bytes),
      history_(steps_) {}

// Value files, where there are any, are collected at the first opportunity.
FamilyOptions EngineWorkload::family_options() const {
  FamilyOptions options;
  options.separate_value_bytes = separate_value_bytes_;
  options.value_garbage_percent = 10;
  return options;
}

Options EngineWorkload::options(const Platform& platform) const {
  Options options;
  options.platform = &platform;
  options.durability = durability_;
  options.sync_period_ms = kSyncPeriodMs;
  options.compression.fill(Compression::kNone);
  options.background_threads = 1;
  options.memory_bytes = 1 << 20;
  options.sizes.memtable_bytes = 64 << 10;
  options.sizes.table_bytes = 64 << 10;
  options.sizes.log_segment_bytes = 64 << 10;
  options.sizes.cache_bytes = 64 << 10;
  options.default_family = family_options();
  return options;
}

// One run of the steps. A step that fails after an injected fault is tried again, at last on a reopened database: every
// step can be done twice.
class EngineWorkload::Run {
 public:
  Run(const EngineWorkload& workload, sim::World& world) : workload_(workload), world_(world) {}

  Status all() {
    if (Status status = open(); !status.ok()) return status;
    for (const Step& step : workload_.steps_) {
      if (workload_.prepared_ > 0 && done_ == workload_.prepared_) world_.explore_from_here();
      const bool possible = applies(step, contents_);
      if (Status status = possible ? stubbornly(step) : Status(); !status.ok()) return status;
      apply(step, contents_);
      ++done_;
      if (possible) promise(step);
      if (world_.platform().random->next() % 2 == 0) world_.run_background();
      pass_time();
    }
    if (Status status = compare(); !status.ok()) return status;
    if (Status status = db_->close(); !status.ok()) return status;
    world_.acknowledge(promise_text(done_, {}));
    return Status();
  }

 private:
  Status open() {
    auto opened = DB::open(kPath, workload_.options(world_.platform()));
    if (!opened.ok() && world_.faulted()) opened = DB::open(kPath, workload_.options(world_.platform()));
    if (!opened.ok()) return opened.status();
    db_ = std::move(opened).value();
    return Status();
  }

  Status reopen() {
    Status status = db_ == nullptr ? Status() : db_->close();
    if (!status.ok() && workload_.durability_ == Durability::kNone) return status;
    db_.reset();
    if (Status opened = open(); !opened.ok()) return opened;
    return status;
  }

  Status stubbornly(const Step& step) {
    Status status = once(step);
    if (status.ok() || !world_.faulted()) return status;
    world_.advance_clock(kPatienceNs);
    status = again(step);
    // Without a log a close that fails has lost what was in memory: there is nothing to go on with.
    if (status.ok() || workload_.durability_ == Durability::kNone) return status;
    static_cast<void>(reopen());
    return again(step);
  }

  // The first attempt may have come through after all.
  Status again(const Step& step) {
    if (db_ == nullptr) {
      if (Status status = open(); !status.ok()) return status;
    }
    const Status status = once(step);
    const bool there = db_->family(step.family).ok();
    if (step.kind == StepKind::kCreateFamily && there) return Status();
    if (step.kind == StepKind::kDropFamily && !there) return Status();
    return status;
  }

  Status once(const Step& step) {
    if (step.kind == StepKind::kCreateFamily) return db_->create_family(step.family, workload_.family_options());
    auto family = db_->family(step.family);
    if (!family.ok()) return family.status();
    switch (step.kind) {
      case StepKind::kPut:
      case StepKind::kRotateLog: return note(db_->put(*family, step.key, step.value));
      case StepKind::kErase: return note(db_->erase(*family, step.key));
      case StepKind::kBatch: return note(db_->write(batch(step, *family)));
      case StepKind::kSyncedPut: return note(db_->put(*family, step.key, step.value, synced()));
      case StepKind::kSync: return db_->sync();
      case StepKind::kFlush: return db_->flush(*family);
      case StepKind::kCompact: return db_->compact_range(*family, {}, {});
      case StepKind::kDropFamily: return db_->drop_family(*family);
      case StepKind::kSnapshotRead: return snapshot_read(step, *family);
      case StepKind::kReopen: return reopen();
      case StepKind::kCreateFamily: break;
    }
    return Status();
  }

  static WriteBatch batch(const Step& step, Family family) {
    WriteBatch batch;
    batch.put(step.key, step.value);
    batch.put(family, step.key + "+", step.value);
    batch.erase(family, step.key + "-");
    return batch;
  }

  // Without a log nothing is: a synced write among others would make holes.
  WriteOptions synced() const {
    return {workload_.durability_ == Durability::kNone ? Durability::kNone : Durability::kSync};
  }

  Status note(const Result<Sequence>& written) {
    if (written.ok()) sequences_.emplace_back(done_ + 1, *written);
    return written.status();
  }

  Status snapshot_read(const Step& step, Family family) {
    const Snapshot snapshot = db_->snapshot();
    if (Status status = note(db_->put(family, step.key, step.value)); !status.ok()) return status;
    const auto& rows = contents_.at(step.family);
    const auto before = rows.find(step.key);
    const auto read = db_->get(family, step.key, {&snapshot});
    if (!read.ok() && !read.status().is_not_found()) return read.status();
    const bool right = before == rows.end() ? !read.ok() : read.ok() && *read == before->second;
    // A repeated step finds its own first attempt.
    return right || (world_.faulted() && read.ok() && *read == step.value)
               ? Status()
               : sim::broken("a snapshot shows what was written after it");
  }

  void promise(const Step& step) {
    if (writes_rows(step.kind)) touched_[step.family] = done_;
    if (step.kind == StepKind::kBatch) touched_["default"] = done_;
    const bool log = workload_.durability_ != Durability::kNone;
    const bool all_durable = step.kind == StepKind::kReopen ||
                             (log && (workload_.durability_ == Durability::kSync || step.kind == StepKind::kSyncedPut ||
                                      step.kind == StepKind::kSync || step.kind == StepKind::kCreateFamily ||
                                      step.kind == StepKind::kDropFamily));
    if (all_durable) {
      world_.acknowledge(promise_text(done_, {}));
    } else if (step.kind == StepKind::kFlush || step.kind == StepKind::kCompact) {
      if (const std::size_t touched = touched_[step.family]; touched > 0) {
        world_.acknowledge(promise_text(touched, step.family));
      }
    } else if (!log && (step.kind == StepKind::kCreateFamily || step.kind == StepKind::kDropFamily)) {
      world_.acknowledge(promise_text(done_, step.family));
    }
    if (!log) return;
    world_.acknowledge(promise_text(done_, {}), sim::Promise::kKill);
    promise_what_is_durable();
  }

  // The database says itself up to where everything is on the device.
  void promise_what_is_durable() {
    std::size_t steps = 0;
    const Sequence durable = db_->durable_sequence();
    while (!sequences_.empty() && sequences_.front().second <= durable) {
      steps = sequences_.front().first;
      sequences_.erase(sequences_.begin());
    }
    if (steps > 0) world_.acknowledge(promise_text(steps, {}));
  }

  void pass_time() {
    if (workload_.durability_ != Durability::kPeriodic || world_.platform().random->next() % 4 != 0) return;
    world_.advance_clock((kSyncPeriodMs + 1) * kNsPerMs);
    promise_what_is_durable();
  }

  Status compare() {
    auto found = read_contents(*db_);
    if (!found.ok()) return found.status();
    return *found == contents_ ? Status() : sim::broken("the open database does not hold what was written to it");
  }

  const EngineWorkload& workload_;
  sim::World& world_;
  std::unique_ptr<DB> db_;
  Contents contents_{{"default", {}}};
  std::size_t done_ = 0;
  std::map<std::string, std::size_t> touched_;               // By family: steps up to the last write.
  std::vector<std::pair<std::size_t, Sequence>> sequences_;  // Of writes not known to be durable, by steps.
};

Status EngineWorkload::run(sim::World& world) { return Run(*this, world).all(); }

Status EngineWorkload::check_families(const Contents& contents, std::span<const std::string> acknowledged) const {
  std::map<std::string_view, std::size_t> least;
  for (const std::string& text : acknowledged) {
    const Promised promised = parse_promise(text);
    std::size_t& steps = least[promised.family];
    steps = std::max(steps, promised.steps);
  }
  for (const std::string& family : history_.families()) {
    const auto survived = history_.steps_before(family, contents);
    if (!survived.has_value()) return sim::broken("family " + family + " never had these contents");
    const std::size_t promised = std::max(least[""], least[family]);
    if (*survived < promised) {
      return sim::broken("family " + family + " is as it was after " + std::to_string(*survived) +
                         " steps; promised: after " + std::to_string(promised));
    }
  }
  return Status();
}

Status EngineWorkload::check_prefix(std::uint64_t contents, std::span<const std::string> acknowledged) const {
  std::size_t promised = 0;
  for (const std::string& text : acknowledged) promised = std::max(promised, parse_promise(text).steps);
  const auto survived = history_.steps_before(contents);
  if (!survived.has_value()) return sim::broken("the contents are not those after any number of steps: no prefix");
  if (*survived >= promised) return Status();
  return sim::broken("the database is as it was after " + std::to_string(*survived) + " steps; promised: after " +
                     std::to_string(promised));
}

Result<Contents> EngineWorkload::read_survivors(DB& db) {
  auto contents = read_contents(db);
  if (!contents.ok()) return contents;
  auto& rows = (*contents)["default"];
  if (const auto probe = rows.find(std::string(kProbeKey)); probe != rows.end()) {
    if (probe->second != kProbeValue) return sim::broken("what an earlier check wrote has changed");
    rows.erase(probe);
  }
  return contents;
}

Status EngineWorkload::check(sim::World& world, std::span<const std::string> acknowledged) {
  auto opened = DB::open(kPath, options(world.platform()));
  if (!opened.ok()) return opened.status();
  DB& db = **opened;
  const auto contents = read_survivors(db);
  if (!contents.ok()) return contents.status();
  const std::uint64_t survived = fingerprint(*contents);
  // Without a log families stand for themselves; where the device has lied, too, for not everything can be proven.
  const bool apart = durability_ == Durability::kNone || world.damaged();
  Status status = apart ? check_families(*contents, acknowledged) : check_prefix(survived, acknowledged);
  if (!status.ok()) return status;
  world.note_outcome(survived);
  // It goes on working, and what it does now is there when it is opened again.
  if (status = db.put(kProbeKey, kProbeValue, {Durability::kSync}); !status.ok()) return status;
  if (status = db.verify(); !status.ok()) return status;
  if (status = db.close(); !status.ok()) return status;
  auto reopened = DB::open(kPath, options(world.platform()));
  if (!reopened.ok()) return reopened.status();
  const auto again = read_survivors(**reopened);
  if (!again.ok()) return again.status();
  if (*again != *contents) return sim::broken("opened again after a clean close, it holds something else");
  const auto probe = (*reopened)->get(kProbeKey);
  return probe.ok() ? Status() : sim::broken("what was written after the crash is lost: " + probe.status().to_string());
}

}  // namespace firn::crashtest
