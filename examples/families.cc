// Two column families kept consistent by atomic batches: rows, and an index over them.   usage: families DATABASE

#include <cstdio>
#include <string>

#include "firn/firn.h"

namespace {

// The family `name`, made if it is not there yet.
firn::Result<firn::Family> family(firn::DB& db, const std::string& name) {
  auto found = db.family(name);
  return found.status().is_not_found() ? db.create_family(name) : found;
}

}  // namespace

int main(int, char** argv) {
  auto db = firn::DB::open(argv[1]);
  if (!db.ok()) return std::puts(db.status().to_string().c_str()), 1;
  auto people = family(**db, "people");
  auto by_town = family(**db, "by-town");
  if (!people.ok() || !by_town.ok()) return 1;

  firn::WriteBatch batch;
  batch.put(*people, "17", "Emma, Visp");
  batch.put(*by_town, "Visp/17", "");
  // This one must be on the device before the call returns; everything written before it then is, too.
  if (firn::Status status = (*db)->write(batch, {firn::Durability::kSync}); !status.ok()) return 1;

  firn::Iterator hits = (*db)->scan_prefix(*by_town, "Visp/");
  while (hits.next() == firn::Step::kEntry) {
    auto person = (*db)->get(*people, hits.key().substr(5));
    if (!person.ok()) return std::puts("the index names a row that is not there"), 1;
    std::printf("%s\n", person->c_str());
  }
  return hits.status().ok() && (*db)->close().ok() ? 0 : 1;
}
