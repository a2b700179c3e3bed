// What the golden databases hold. Never change: old files are compared with it for ever. New features get a new
// directory (v2, ...) and contents of their own.
#pragma once

#include <map>
#include <string>

namespace firn::golden {

using Rows = std::map<std::string, std::string>;

inline std::string key(int i) { return "key" + std::to_string(i * 7919 % 10007); }
inline std::string value(int i) { return std::to_string(i) + std::string(static_cast<std::size_t>(i % 300), 'v'); }

inline constexpr int kTableRows = 1500;  // Written first, and compacted.
inline constexpr int kLogRows = 200;     // Written last: in the log only, where the database was not closed.

// Family "default": every third row of the first ones deleted, every tenth overwritten. Family "other": all rows.
inline Rows default_rows(bool with_log) {
  Rows rows;
  for (int i = 0; i < kTableRows; ++i) rows[key(i)] = i % 10 == 0 ? "new" : value(i);
  for (int i = 0; i < kTableRows; i += 3) rows.erase(key(i));
  for (int i = kTableRows; with_log && i < kTableRows + kLogRows; ++i) rows[key(i)] = value(i);
  rows[""] = "the empty key";
  rows[std::string("\0\xFF", 2)] = std::string("\0", 1);
  return rows;
}
inline Rows other_rows(bool with_log) {
  Rows rows;
  for (int i = 0; i < kTableRows + (with_log ? kLogRows : 0); ++i) rows[key(i)] = value(i);
  return rows;
}

}  // namespace firn::golden
