#include "lsm/core.h"

namespace firn::lsm {

namespace {

const Platform& platform_of(const Options& options) {
  return options.platform != nullptr ? *options.platform : real_platform();
}

}  // namespace

Core::Core(std::string path, Options given)
    : directory(std::move(path)),
      options(std::move(given)),
      sizes(derive_sizes(options)),
      platform(platform_of(options)),
      files(*platform.files),
      store(std::make_shared<TableStore>(files, directory, sizes.cache_bytes)),
      snapshots(std::make_shared<SnapshotList>()),
      chunks(std::make_shared<memtable::ChunkPool>()) {}

Status closed_status() { return Status(StatusCode::kClosed, "the database was closed: open it again before using it"); }

Status read_only_status() {
  return Status(StatusCode::kNotSupported, "the database is open read-only: open it without read_only to change it");
}

}  // namespace firn::lsm
