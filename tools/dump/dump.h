// What Firn's files hold, for people and for programs. Nothing is written, no lock is taken: a database in use may be
// looked at, and what is shown is then one moment of it.
//
// Everything readable is printed first, then all damage; the first damage is the result: kCorruption naming file and
// offset. A torn end, which a crash may leave and the next open cuts, is shown and is no damage.
// Other errors: kNotADatabase (no such file, or none of Firn's), kNewerFormat, kInvalidArgument, kIo.
//
// Thread safety: one call at a time: they share standard output.
#pragma once

#include <string>

#include "firn/status.h"

namespace firn::tools {

struct DumpOptions {
  bool json = false;    // One JSON document.
  bool hex = false;     // Keys and values as hexadecimal digits.
  bool colour = false;  // For a terminal; text only.
  // Asked at every row; true ends the output, in good form, with what was printed so far. Null: never.
  bool (*interrupted)() = nullptr;
};

// Prints all that is in the log segment, table, value file, manifest or CURRENT at `path`.
Status dump_file(const std::string& path, const DumpOptions& options);

// Prints one page about the database in directory `path`, or about one of its files.
Status inspect(const std::string& path, const DumpOptions& options);

}  // namespace firn::tools
