// All rows of a database, for a comparison with what was put.
//
// Thread safety: as the database passed in.
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <string>

#include "firn/db.h"

namespace firn::testing {

inline std::map<std::string, std::string> rows_of(DB& db) {
  std::map<std::string, std::string> rows;
  Iterator it = db.iterator();
  while (it.next() == Step::kEntry) rows.emplace(it.key(), it.value());
  EXPECT_TRUE(it.status().ok()) << it.status().to_string();
  return rows;
}

}  // namespace firn::testing
