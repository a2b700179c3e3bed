// The demo's input: a real file tree, one row a path.
#pragma once

#include <string>
#include <vector>

namespace firn::demo {

struct FileRow {
  std::string path;   // The key.
  std::string facts;  // The value: "file 1234 2026-01-31T12:00:00Z", type, bytes, modification time.
};

// Every path under `root`, in the order of the directories. What cannot be read is left out; links are not followed.
std::vector<FileRow> read_tree(const std::string& root);

}  // namespace firn::demo
