#include "firn/platform.h"
#include "tools/dump/dump.h"
#include "tools/dump/inspect_database.h"
#include "tools/dump/source.h"

namespace firn::tools {

Status inspect(const std::string& path, const DumpOptions& options) {
  FileSystem& files = *real_platform().files;
  if (!files.list(path).ok()) return show(path, Depth::kSummary, options);
  Output out(options);
  if (Status status = inspect_database(files, path, out); !status.ok()) return status;
  return out.finish();
}

}  // namespace firn::tools
