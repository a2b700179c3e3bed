// The steps that workloads are made of. Each makes the body of a Group: what one of its threads does.
//
// Thread safety: a body shares only constants between its threads.
#pragma once

#include <cstdint>
#include <functional>

#include "bench/race/race.h"

namespace firn::race {

using Body = std::function<void(Worker&)>;

// Which rows a step visits, in what form their keys are.
struct Rows {
  std::uint64_t count;  // Of the data set.
  std::size_t value_bytes;
  KeyForm form = KeyForm::kNumber;

  // Bytes of `rows` of them, keys and values.
  double bytes(double rows) const;
};

// `threads` threads together put rows 0..rows.count-1 `times` times, each time in another random order (or in key
// order where not `shuffled`); `batch` rows at a time.
Body put_rows(const Rows& rows, int threads, bool shuffled = true, std::uint64_t batch = 1, std::uint64_t times = 1);
// Erases a random `count` of the rows, each once.
Body erase_rows(const Rows& rows, std::uint64_t count);
// Puts `count` rows chosen at random.
Body put_random(const Rows& rows, std::uint64_t count);
// Gets `count` rows chosen at random among the first `among`; dies on a wrong or missing value.
Body get_random(const Rows& rows, std::uint64_t count, std::uint64_t among);
// Gets `count` keys that are not there.
Body get_missing(const Rows& rows, std::uint64_t count);
// `count` rows chosen at random, `keys` at a time.
Body multi_get_random(const Rows& rows, std::uint64_t count, std::uint64_t keys);
// `count` scans of `limit` rows from random ones.
Body seek_random(const Rows& rows, std::uint64_t count, std::uint64_t limit, bool reuse_iterator);
// `count` scans of all rows of a random owner (KeyForm::kPrefix).
Body scan_random_owner(const Rows& rows, std::uint64_t count);
// `count` scans of everything, each of which must see `expected_rows` rows and, if those are all, all of their bytes.
Body scan_everything(const Rows& rows, std::uint64_t count, bool reverse, std::uint64_t expected_rows);

}  // namespace firn::race
