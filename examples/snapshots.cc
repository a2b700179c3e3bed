// Read one moment while writes go on.   usage: snapshots DATABASE

#include <cstdio>

#include "firn/firn.h"

int main(int, char** argv) {
  auto db = firn::DB::open(argv[1]);
  if (!db.ok()) return std::puts(db.status().to_string().c_str()), 1;

  if (!(*db)->put("balance", "100").ok()) return 1;
  const firn::Snapshot before = (*db)->snapshot();
  if (!(*db)->put("balance", "250").ok()) return 1;

  auto then = (*db)->get("balance", {&before});
  auto now = (*db)->get("balance");
  if (!then.ok() || !now.ok()) return 1;
  std::printf("then %s, now %s\n", then->c_str(), now->c_str());
  return *then == "100" && *now == "250" && (*db)->close().ok() ? 0 : 1;
}
