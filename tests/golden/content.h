// What the golden databases hold: a program that is run on a database when they are made, and on MemoryDB when they are
// read, to know what to expect. A program that has written a golden database must never change: add another one.
//
// Thread safety: none needed.
#pragma once

#include <functional>

#include "firn/db.h"

namespace firn::golden {

// Version 1: families (one of them dropped), overwritten and erased keys, keys and values of every kind of length and
// byte, a batch over families; in the last level, in L0 and, the last part of it, only in the log.
// `codec`: of every table below L0. `after_step` is called after each call of the database that changes it.
// Errors: the first of the database.
Status write_version_1(DB& db, Compression codec, const std::function<void()>& after_step = {});

// Settings under which that makes several tables and few bytes.
Options version_1_options();

}  // namespace firn::golden
