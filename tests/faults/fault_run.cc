#include "tests/faults/fault_run.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <utility>

namespace firn::testing {

namespace {

constexpr const char* kPath = "db";
constexpr std::size_t kValueBytes = 1500;
// A run without faults takes a few hundred: beyond this something tries for ever.
constexpr std::uint64_t kOperationsMax = 100'000;

std::string key_of(int i) { return "key" + std::to_string(i * 37 % 101); }
std::string value_of(int i) { return std::to_string(i) + std::string(kValueBytes, static_cast<char>('a' + i % 26)); }

sim::FaultRule nth(sim::FaultRule rule, std::uint64_t target) {
  rule.nth = target;
  return rule;
}

// Nothing where a read failed; `error` says so then.
Contents read_all(DB& db, Status& error) {
  Contents contents;
  for (const FamilyInfo& info : db.families()) {
    contents.emplace(info.name, "");
    Iterator rows = db.iterator(info.family);
    Step step = rows.next();
    for (; step == Step::kEntry; step = rows.next()) {
      contents.emplace(info.name + "/" + std::string(rows.key()), rows.value());
    }
    if (step != Step::kEnd) error = rows.status();
  }
  return contents;
}

std::string difference(const Contents& expected, const Contents& found) {
  for (const auto& [key, value] : expected) {
    const auto it = found.find(key);
    if (it == found.end()) return key + " is missing";
    if (it->second != value) return key + " is " + it->second.substr(0, 8) + ", expected " + value.substr(0, 8);
  }
  for (const auto& [key, value] : found) {
    if (!expected.contains(key)) return key + " = " + value.substr(0, 8) + " should not be there";
  }
  return "no difference";
}

}  // namespace

FaultRun::FaultRun(const FaultCase& kind, std::uint64_t target, Durability durability)
    : kind_(kind),
      durability_(durability),
      separated_(target % 2 == 1),
      plan_({nth(kind.rule, target)}),
      platform_(step_platform(files_, control_)) {
  plan_.enable(false);
  now_.emplace("default", "");
  history_.push_back(now_);
}

FaultRun::~FaultRun() = default;

Options FaultRun::options(const Platform& platform) const {
  Options options;
  options.platform = &platform;
  options.durability = durability_;
  options.sizes.memtable_bytes = 64 << 10;
  options.sizes.table_bytes = 64 << 10;
  options.sizes.log_segment_bytes = 64 << 10;
  options.sizes.cache_bytes = 64 << 10;
  // In every other run values go to value files, which are collected at the first opportunity.
  options.default_family.separate_value_bytes = separated_ ? kValueBytes : 0;
  options.default_family.value_garbage_percent = 5;
  return options;
}

bool FaultRun::run() {
  files_.set_fault_hook([this](const sim::Operation& operation) {
    if (operations_.fetch_add(1) > kOperationsMax) {
      std::fprintf(stderr, "no end: %s, step %s\n", fault().c_str(), step_.c_str());
      std::abort();
    }
    return plan_.consult(operation);
  });
  // A directory whose making could neither be synced nor undone stays in doubt: no open can know of that.
  if (kind_.sticky()) {
    EXPECT_TRUE(files_.create_directory(kPath).ok());
    EXPECT_TRUE(files_.sync_directory(".").ok());
  }
  plan_.enable(true);
  workload();
  check_reads();
  check_crashes();
  plan_.enable(false);
  if (!plan_.injected()) return false;
  check_service();
  check_reopened();
  return true;
}

void FaultRun::step(const std::string& what, const std::function<void()>& action) {
  step_ = what;
  SCOPED_TRACE(what + ", " + fault());
  const bool fired_before = plan_.injected();
  if (db_ != nullptr || what == "open") action();
  control_->settle();
  control_->release_delayed();
  control_->settle();
  if (plan_.injected() && !fired_before) check_reads();
  if (history_.back() != now_) history_.push_back(now_);
}

void FaultRun::workload() {
  step("open", [this] { open(); });
  step("create", [this] { create("other"); });
  step("write", [this] { put_batches(14); });
  step("flush", [this] { upkeep([](DB& db) { return db.flush(); }); });
  step("write more", [this] { put_batches(9); });
  step("compact", [this] { upkeep([](DB& db) { return db.compact_range(); }); });
  step("create another", [this] { create("another"); });
  step("write again", [this] { put_batches(4); });
  step("drop", [this] { drop("another"); });
  step("close", [this] { close(); });
  step("open", [this] { open(); });
  step("write on", [this] { put_batches(9); });
  step("idle", [this] { upkeep([](DB& db) { return db.wait_idle(); }); });
}

void FaultRun::open() {
  if (db_ != nullptr) return;
  auto opened = DB::open(kPath, options(platform_));
  if (!opened.ok() && !kind_.sticky()) opened = DB::open(kPath, options(platform_));
  if (!opened.ok()) {
    EXPECT_TRUE(kind_.sticky()) << "a second try, without a fault: " << opened.status().to_string();
    return;
  }
  db_ = std::move(opened).value();
  Status error;
  const Contents found = read_all(*db_, error);
  if (!error.ok()) return;
  EXPECT_TRUE(expected(found)) << explain(found);
  now_ = found;
  otherwise_.clear();
}

void FaultRun::close() {
  const Status status = db_->close();
  if (!plan_.injected()) {
    EXPECT_TRUE(status.ok()) << status.to_string();
  }
  EXPECT_TRUE(db_->close().ok());
  db_.reset();
}

void FaultRun::put_batches(int count) {
  for (int i = 0; i < count; ++i, ++next_key_) {
    WriteBatch batch;
    std::vector<std::pair<std::string, std::string>> puts;
    for (const FamilyInfo& info : db_->families()) {
      batch.put(info.family, key_of(next_key_), value_of(next_key_));
      puts.emplace_back(info.name + "/" + key_of(next_key_), value_of(next_key_));
    }
    const std::string erased = next_key_ % 4 == 3 ? key_of(next_key_ - 2) : std::string();
    if (!erased.empty()) batch.erase(erased);
    const bool was_stopped = stopped();
    const Status status = db_->write(batch);
    if (was_stopped) {
      EXPECT_FALSE(status.ok()) << "writes were stopped";
    }
    note(status, !was_stopped && stopped(), [&](Contents& contents) {
      for (const auto& [key, value] : puts) contents[key] = value;
      if (!erased.empty()) contents.erase("default/" + erased);
    });
  }
}

void FaultRun::create(const std::string& name) {
  note(db_->create_family(name), true, [&name](Contents& contents) { contents.emplace(name, ""); });
}

void FaultRun::drop(const std::string& name) {
  const auto family = db_->family(name);
  if (!family.ok()) return;
  note(db_->drop_family(*family), true, [&name](Contents& contents) {
    std::erase_if(contents,
                  [&name](const auto& entry) { return entry.first == name || entry.first.starts_with(name + "/"); });
  });
}

void FaultRun::upkeep(const std::function<Status(DB&)>& call) {
  const Status status = call(*db_);
  if (!plan_.injected()) {
    EXPECT_TRUE(status.ok()) << status.to_string();
  }
}

void FaultRun::note(const Status& status, bool may_have_happened, const Change& change) {
  if (!plan_.injected()) {
    EXPECT_TRUE(status.ok()) << status.to_string();
  }
  if (status.ok()) {
    change(now_);
    for (Contents& contents : otherwise_) change(contents);
    history_.push_back(now_);
    history_.insert(history_.end(), otherwise_.begin(), otherwise_.end());
  } else if (may_have_happened) {
    // Beside what is not known already.
    std::vector<Contents> happened = otherwise_;
    happened.push_back(now_);
    for (Contents& contents : happened) change(contents);
    otherwise_.insert(otherwise_.end(), happened.begin(), happened.end());
    history_.insert(history_.end(), happened.begin(), happened.end());
  }
}

std::string FaultRun::fault() const {
  const std::vector<sim::Injection> injections = plan_.injections();
  if (injections.empty()) return kind_.name;
  const sim::Operation& operation = injections.front().operation;
  return kind_.name + " at operation " + std::to_string(operation.index) + " (" +
         std::string(operation_kind_name(operation.kind)) + " " + operation.path + ")";
}

bool FaultRun::stopped() const { return db_->health().level == ErrorLevel::kHard; }

bool FaultRun::expected(const Contents& found) const {
  return found == now_ || std::find(otherwise_.begin(), otherwise_.end(), found) != otherwise_.end();
}

std::string FaultRun::explain(const Contents& found) const {
  std::string text = "what readers saw last: " + difference(now_, found);
  for (const Contents& contents : otherwise_) text += "; or: " + difference(contents, found);
  return text + "; state " + std::to_string(std::find(history_.begin(), history_.end(), found) - history_.begin()) +
         " of " + std::to_string(history_.size());
}

void FaultRun::check_reads() {
  if (db_ == nullptr) return;
  SCOPED_TRACE("reading, " + fault());
  Status error;
  const Contents found = read_all(*db_, error);
  if (error.ok()) {
    EXPECT_EQ(found, now_) << difference(now_, found);
  }
  for (const FamilyInfo& info : db_->families()) {
    for (int i = 0; i < 101; i += 10) {
      const auto value = db_->get(info.family, key_of(i));
      if (!value.ok() && !value.status().is_not_found()) continue;
      const auto it = now_.find(info.name + "/" + key_of(i));
      EXPECT_EQ(value.ok(), it != now_.end()) << info.name << "/" << key_of(i);
      if (value.ok() && it != now_.end()) {
        EXPECT_EQ(*value, it->second);
      }
    }
  }
}

void FaultRun::check_crashes() {
  check_recovery(sim::CrashMode::kKeepAll, 0);
  check_recovery(sim::CrashMode::kDropUnsynced, 0);
  check_recovery(sim::CrashMode::kRandom, operations_.load());
}

void FaultRun::check_recovery(sim::CrashMode mode, std::uint64_t seed) {
  SCOPED_TRACE("crash " + std::to_string(static_cast<int>(mode)) + " after " + fault());
  const auto files = files_.crash_clone({mode, seed, 50});
  auto control = std::make_shared<StepControl>();
  const Platform platform = step_platform(*files, control);
  auto db = DB::open(kPath, options(platform));
  ASSERT_TRUE(db.ok()) << db.status().to_string();
  Status error;
  const Contents found = read_all(**db, error);
  ASSERT_TRUE(error.ok()) << error.to_string();
  if (mode == sim::CrashMode::kKeepAll || durability_ == Durability::kSync) {
    EXPECT_TRUE(expected(found)) << explain(found);
  } else {
    EXPECT_TRUE(expected(found) || std::find(history_.begin(), history_.end(), found) != history_.end())
        << "no prefix of what was written: " << difference(now_, found);
  }
  EXPECT_TRUE((*db)->put("after", "crash").ok());
  const Status closed = (*db)->close();
  EXPECT_TRUE(closed.ok()) << closed.to_string();
}

// The fault is over: everything works again, without a restart where the database was open.
void FaultRun::check_service() {
  SCOPED_TRACE("back in service after " + fault());
  if (db_ == nullptr) step("open", [this] { open(); });
  ASSERT_NE(db_, nullptr);
  control_->release_delayed();
  control_->settle();
  if (!db_->health().ok()) {
    const Status resumed = db_->resume();
    ASSERT_TRUE(resumed.ok()) << resumed.to_string();
  }
  control_->release_delayed();
  control_->settle();
  const Status health = db_->health();
  EXPECT_TRUE(health.ok()) << health.to_string();
  put_batches(3);
  EXPECT_TRUE(db_->flush().ok());
  EXPECT_TRUE(db_->compact_range().ok());
  const Status idle = db_->wait_idle();
  EXPECT_TRUE(idle.ok()) << idle.to_string();
  otherwise_.clear();  // What nobody knew is decided now, as it was shown.
  check_reads();
  check_crashes();
  const Status closed = db_->close();
  EXPECT_TRUE(closed.ok()) << closed.to_string();
  db_.reset();
}

void FaultRun::check_reopened() {
  SCOPED_TRACE("reopened after " + fault());
  // What the run could not remove goes at an open.
  for (int i = 0; i < 2; ++i) {
    auto db = DB::open(kPath, options(platform_));
    ASSERT_TRUE(db.ok()) << db.status().to_string();
    EXPECT_TRUE((*db)->recovery().clean);
    Status error;
    const Contents found = read_all(**db, error);
    EXPECT_EQ(found, now_) << difference(now_, found);
    const Status verified = (*db)->verify();
    EXPECT_TRUE(verified.ok()) << verified.to_string();
    check_files(**db);
    EXPECT_TRUE((*db)->close().ok());
  }
}

void FaultRun::check_files(DB& db) {
  std::size_t tables = 0;
  for (const FamilyInfo& info : db.families()) tables += db.properties(info.family)->tables.size();
  const auto entries = files_.list(kPath);
  ASSERT_TRUE(entries.ok());
  std::string names;
  for (const DirectoryEntry& entry : *entries) names += entry.name + " ";
  const auto count = [&entries](const std::string& part) {
    return static_cast<std::size_t>(std::count_if(entries->begin(), entries->end(), [&](const auto& entry) {
      return entry.name.find(part) != std::string::npos;
    }));
  };
  EXPECT_EQ(count(".table"), tables) << names;
  EXPECT_EQ(count(".log") + count(".tmp"), 0U) << names;
  EXPECT_LE(count("MANIFEST-"), 1U) << names;
}

}  // namespace firn::testing
