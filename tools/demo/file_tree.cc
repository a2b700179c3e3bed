#include "tools/demo/file_tree.h"

#include <fmt/core.h>
#include <fts.h>
#include <sys/stat.h>

#include <array>
#include <ctime>
#include <memory>

namespace firn::demo {

namespace {

const char* type_of(const struct stat& info) {
  if (S_ISREG(info.st_mode)) return "file";
  if (S_ISDIR(info.st_mode)) return "directory";
  return S_ISLNK(info.st_mode) ? "link" : "other";
}

std::string time_text(std::time_t time) {
  std::tm parts{};
  std::array<char, 32> text{};
  if (gmtime_r(&time, &parts) == nullptr) return "-";
  return {text.data(), std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &parts)};
}

}  // namespace

std::vector<FileRow> read_tree(const std::string& root) {
  std::vector<FileRow> rows;
  std::string path = root;
  std::array<char*, 2> roots{path.data(), nullptr};
  const std::unique_ptr<FTS, int (*)(FTS*)> walk(fts_open(roots.data(), FTS_PHYSICAL | FTS_NOCHDIR, nullptr),
                                                 fts_close);
  if (walk == nullptr) return rows;
  while (const FTSENT* entry = fts_read(walk.get())) {
    if (entry->fts_info == FTS_DP || entry->fts_info == FTS_DNR || entry->fts_info == FTS_ERR ||
        entry->fts_info == FTS_NS) {
      continue;
    }
    const struct stat& info = *entry->fts_statp;
    rows.push_back({std::string(entry->fts_path, entry->fts_pathlen),
                    fmt::format("{} {} {}", type_of(info), info.st_size, time_text(info.st_mtime))});
  }
  return rows;
}

}  // namespace firn::demo
