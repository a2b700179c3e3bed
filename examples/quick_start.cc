// Write a batch, read a value, walk a prefix.   usage: quick_start DATABASE

#include <cstdio>
#include <string>

#include "firn/firn.h"

int main(int, char** argv) {
  auto db = firn::DB::open(argv[1]);
  if (!db.ok()) return std::puts(db.status().to_string().c_str()), 1;

  firn::WriteBatch batch;  // All of it, or nothing, whatever happens.
  batch.put("glacier/aletsch", "23 km");
  batch.put("glacier/gorner", "12 km");
  batch.put("peak/dom", "4545 m");
  if (firn::Status status = (*db)->write(batch); !status.ok()) return std::puts(status.to_string().c_str()), 1;

  if (auto length = (*db)->get("glacier/aletsch"); length.ok()) std::printf("aletsch: %s\n", length->c_str());

  firn::Iterator rows = (*db)->scan_prefix("glacier/");
  while (rows.next() == firn::Step::kEntry) {
    std::printf("%s: %s\n", std::string(rows.key()).c_str(), std::string(rows.value()).c_str());
  }
  // The loop ends at the end and at an error; status() tells which.
  return rows.status().ok() && (*db)->close().ok() ? 0 : 1;
}
