#include "tests/contract/backend.h"

#include <utility>

#include "firn/memory_db.h"
#include "firn/platform.h"
#include "firn/sim/file_system.h"
#include "tests/platform/temporary_directory.h"

namespace firn::testing {

namespace {

class MemoryBackend final : public Backend {
 public:
  Result<std::unique_ptr<DB>> open() override { return open_memory_db(); }
  bool persistent() const override { return false; }
  Status settle(DB&) override { return {}; }
};

class DirectoryBackend final : public Backend {
 public:
  explicit DirectoryBackend(Options options) : options_(std::move(options)) {}
  Result<std::unique_ptr<DB>> open() override { return DB::open(directory_.path("db"), options_); }
  bool persistent() const override { return true; }
  Status settle(DB&) override { return {}; }

 private:
  const Options options_;
  TemporaryDirectory directory_;
};

enum class Place : std::uint8_t { kAnywhere, kLevel0, kLastLevel };

// Values of a few bytes and more in value files, which are collected all the time.
Options separated(Options options) {
  options.default_family.separate_value_bytes = 4;
  options.default_family.value_garbage_percent = 5;
  return options;
}

class TinyBackend final : public Backend {
 public:
  TinyBackend(Place place, Options options) : place_(place), options_(std::move(options)), platform_(real_platform()) {
    platform_.files = &files_;
    options_.platform = &platform_;
  }

  Result<std::unique_ptr<DB>> open() override { return DB::open("/db", options_); }
  bool persistent() const override { return true; }
  Status settle(DB& db) override {
    for (const FamilyInfo& info : db.families()) {
      if (place_ == Place::kAnywhere) continue;
      Status status = place_ == Place::kLevel0 ? db.flush(info.family) : db.compact_range(info.family, {}, {});
      if (!status.ok()) return status;
    }
    return {};
  }

 private:
  const Place place_;
  Options options_;
  sim::SimFileSystem files_;
  Platform platform_;
};

BackendKind tiny(std::string name, Place place, const Options& options = tiny_options()) {
  return {std::move(name), [place, options] { return std::make_unique<TinyBackend>(place, options); }};
}

BackendKind directory(std::string name, const Options& options) {
  return {std::move(name), [options] { return std::make_unique<DirectoryBackend>(options); }};
}

}  // namespace

Options tiny_options() {
  Options options;
  options.memory_bytes = std::uint64_t{1} << 20;
  options.sizes.memtable_bytes = 64 << 10;
  options.sizes.cache_bytes = 64 << 10;
  options.sizes.block_bytes = 512;
  options.sizes.table_bytes = 64 << 10;
  options.sizes.log_segment_bytes = 64 << 10;
  options.sizes.level_ratio = 2;
  options.sizes.l0_tables = 2;
  return options;
}

std::vector<BackendKind> persistent_backends() {
  return {
      directory("Directory", Options()),
      tiny("Tiny", Place::kAnywhere),
      tiny("TinyLevel0", Place::kLevel0),
      tiny("TinyLastLevel", Place::kLastLevel),
      tiny("TinySeparated", Place::kLastLevel, separated(tiny_options())),
  };
}

std::vector<BackendKind> model_backends() {
  return {
      tiny("Tiny", Place::kAnywhere),
      tiny("TinySeparated", Place::kAnywhere, separated(tiny_options())),
      directory("TinyDirectory", tiny_options()),
      directory("TinySeparatedDirectory", separated(tiny_options())),
  };
}

std::vector<BackendKind> concurrency_backends() {
  return {
      {"Memory", [] { return std::make_unique<MemoryBackend>(); }},
      tiny("Tiny", Place::kAnywhere),
      directory("TinyDirectory", tiny_options()),
      directory("TinySeparatedDirectory", separated(tiny_options())),
  };
}

std::vector<BackendKind> all_backends() {
  std::vector<BackendKind> kinds = persistent_backends();
  kinds.push_back({"Memory", [] { return std::make_unique<MemoryBackend>(); }});
  return kinds;
}

}  // namespace firn::testing
