// Writes the golden databases of the present format: make_golden DIRECTORY makes DIRECTORY/closed and
// DIRECTORY/crashed. Run once for each version of the format; what it wrote is then kept for ever.

#include <unistd.h>

#include <cstdio>
#include <string>

#include "firn/firn.h"
#include "tests/golden/contents.h"

namespace firn::golden {
namespace {

Options golden_options() {
  Options options;
  options.sizes.memtable_bytes = 64 << 10;
  options.sizes.table_bytes = 64 << 10;
  options.sizes.log_segment_bytes = 64 << 10;
  options.compression = {Compression::kNone, Compression::kNone, Compression::kNone, Compression::kNone,
                         Compression::kNone, Compression::kNone, Compression::kZstd};
  return options;
}

Status fill_tables(DB& db, Family other) {
  for (int i = 0; i < kTableRows; ++i) {
    WriteBatch batch;
    batch.put(key(i), value(i));
    batch.put(other, key(i), value(i));
    if (Status status = db.write(batch); !status.ok()) return status;
  }
  if (Status status = db.compact_range(); !status.ok()) return status;
  WriteBatch changes;
  for (int i = 0; i < kTableRows; i += 10) changes.put(key(i), "new");
  for (int i = 0; i < kTableRows; i += 3) changes.erase(key(i));
  changes.put("", "the empty key");
  changes.put(std::string("\0\xFF", 2), std::string("\0", 1));
  if (Status status = db.write(changes); !status.ok()) return status;
  if (Status status = db.flush(); !status.ok()) return status;
  return db.flush(other);
}

Status make(const std::string& path, bool crash) {
  auto db = DB::open(path, golden_options());
  if (!db.ok()) return db.status();
  auto other = (*db)->create_family("other");
  if (!other.ok()) return other.status();
  if (Status status = fill_tables(**db, *other); !status.ok()) return status;
  if (!crash) return (*db)->close();
  for (int i = kTableRows; i < kTableRows + kLogRows; ++i) {
    WriteBatch batch;
    batch.put(key(i), value(i));
    batch.put(*other, key(i), value(i));
    if (Status status = (*db)->write(batch, {Durability::kSync}); !status.ok()) return status;
  }
  _exit(0);  // Not closed: the log has the last rows.
}

}  // namespace
}  // namespace firn::golden

int main(int, char** argv) {
  const std::string directory = argv[1];
  firn::Status status = firn::golden::make(directory + "/closed", false);
  if (status.ok()) status = firn::golden::make(directory + "/crashed", true);
  std::puts(status.to_string().c_str());
  return 1;
}
