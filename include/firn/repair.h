// What is left of a damaged database, and how to get it out. Neither call writes a byte into the database it reads;
// both work without CURRENT, with a manifest that can be read in part or not at all, and with files missing.
//
// Thread safety: any thread. A database that is open for writing changes under verify_files(), which then may report
// what is none; repair() refuses it.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "firn/export.h"
#include "firn/options.h"
#include "firn/status.h"

namespace firn {

// One damaged part of a file. Keys k with first_key <= k, and k < last_key unless that is empty, may be lost with it,
// or show the value they had before.
struct Damage {
  Status status;  // kCorruption or kIo, naming the file and, where there is one, the offset.
  std::string file;
  std::uint64_t offset = 0;  // Of the damaged part,
  std::uint64_t bytes = 0;   // and its size; 0 where it cannot be told.
  std::string family;        // Whose keys; empty where no keys are lost, or of unknown families.
  bool loses_keys = false;   // Only then are the next two of use.
  std::string first_key;
  std::string last_key;
};

// Reads every file of the database in `path` and reports every damaged part, in one pass. The first of them, or Ok.
// Writes nothing. Other errors: kBusy (open somewhere: DB::verify() is for that), kNotADatabase, kNewerFormat.
FIRN_EXPORT Status verify_files(const std::string& path, const Options& options,
                                const std::function<void(const Damage&)>& report);

struct RepairReport {
  std::uint64_t tables_read = 0;   // In full or in part.
  std::uint64_t tables_lost = 0;   // Of which nothing can be read.
  std::uint64_t blocks_lost = 0;   // Of the tables read.
  std::uint64_t log_records = 0;   // Sound ones that count.
  std::uint64_t rows = 0;          // Written into the new database.
  bool manifest_complete = false;  // Else which tables count, and for which family, is known in part:
  std::uint64_t tables_guessed =
      0;                       // so many were not listed and went to the family "default". Deleted rows may be back.
  std::vector<Damage> damage;  // What is lost or suspect.
};

// Makes a new database in `destination`, which must not exist or be empty, of everything sound that is in `source`:
// blocks of tables, records of the log, families. Rows of damaged parts are left out; where an older version of such a
// row is sound, that is taken, so the ranges in RepairReport::damage are suspect. Errors: kInvalidArgument
// (destination), kBusy (source is open), kNotADatabase, and those of writing.
FIRN_EXPORT Result<RepairReport> repair(const std::string& source, const std::string& destination,
                                        const Options& options = {});

}  // namespace firn
