// What iterators do whatever their backend: the reads of db.h that are iterators with bounds, and values copied whole.
#include <new>
#include <string>
#include <utility>

#include "firn/db.h"

namespace firn {

namespace {

// The first key after all those that start with `prefix`; absent when there is none ("", "\xFF", "\xFF\xFF", ...).
std::optional<std::string> prefix_end(Slice prefix) {
  std::string end(prefix);
  while (!end.empty() && end.back() == '\xFF') end.pop_back();
  if (end.empty()) return std::nullopt;
  end.back() = static_cast<char>(static_cast<unsigned char>(end.back()) + 1);
  return end;
}

}  // namespace

const Status& Iterator::no_memory() {
  static const Status status = Status::out_of_memory();
  return status;
}

Step Iterator::copy_value(std::string& value) {
  Step step = load_value();
  while (step == Step::kEntry) {
    value.assign(this->value());
    if (intact()) [[likely]]
      break;
    // From the file now. What an iterator has shown it finds again, or an error.
    step = seek(std::string(key()));
    if (step == Step::kEntry) step = load_value();
  }
  return step;
}

Iterator DB::scan(Family family, Slice from, Slice to, const ReadOptions& options) try {
  IteratorOptions bounds;
  if (!from.empty()) bounds.lower.emplace(from);
  if (!to.empty()) bounds.upper.emplace(to);
  bounds.snapshot = options.snapshot;
  return iterator(family, bounds);
} catch (const std::bad_alloc&) {
  return Iterator(nullptr);
}

Iterator DB::scan_prefix(Family family, Slice prefix, const ReadOptions& options) try {
  IteratorOptions bounds;
  if (!prefix.empty()) bounds.lower.emplace(prefix);
  bounds.upper = prefix_end(prefix);
  bounds.snapshot = options.snapshot;
  return iterator(family, bounds);
} catch (const std::bad_alloc&) {
  return Iterator(nullptr);
}

}  // namespace firn
