// golden_writer DIRECTORY: makes the golden databases of this version, one directory each. See README.md.
#include <cstdio>
#include <filesystem>
#include <memory>
#include <string>

#include "tests/golden/content.h"

namespace firn::golden {
namespace {

// Leaves a database in `path` as a clean close leaves it, and in `crashed` (unless empty) as a kill before that would.
Status write_databases(const std::string& path, const std::string& crashed, Compression codec,
                       const Options& options = version_1_options()) {
  auto opened = DB::open(path, options);
  if (!opened.ok()) return opened.status();
  DB& db = **opened;
  if (Status status = write_version_1(db, codec); !status.ok()) return status;
  if (Status status = db.wait_idle(); !status.ok()) return status;
  if (!crashed.empty()) std::filesystem::copy(path, crashed);
  return db.close();
}

int run(const std::filesystem::path& directory) {
  std::filesystem::create_directories(directory);
  const auto report = [](const Status& status) {
    if (!status.ok()) std::fprintf(stderr, "golden_writer: %s\n", status.to_string().c_str());
    return status.ok();
  };
  bool done = report(write_databases(directory / "clean", directory / "crashed", Compression::kZstd));
  Options separated = version_1_options();
  separated.default_family.separate_value_bytes = 50;
  done = report(write_databases(directory / "values", "", Compression::kZstd, separated)) && done;
  if (compression_available(Compression::kLz4)) {
    done = report(write_databases(directory / "lz4", "", Compression::kLz4)) && done;
  }
  return done ? 0 : 1;
}

}  // namespace
}  // namespace firn::golden

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: golden_writer DIRECTORY\n");
    return 2;
  }
  return firn::golden::run(argv[1]);
}
