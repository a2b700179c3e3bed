// A small database with every kind of file, and the judgement of what it says when its files are damaged: the right
// answers or errors that name the file; never a wrong one, a crash, a hang or a large allocation. Each damage is opened
// for reading only, and on a copy for writing too: what is then flushed, merged and removed must not turn damage into
// wrong answers.
//
// Thread safety: one thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "firn/firn.h"
#include "firn/sim/file_system.h"

namespace firn::testing {

class DamageSweep {
 public:
  static constexpr std::size_t kSectorBytes = 512;
  static constexpr std::size_t kPageBytes = 4096;

  enum class End : std::uint8_t {
    kClosed,         // Cleanly.
    kCrashed,        // As a crash left it.
    kCrashedProven,  // Likewise, but with a manifest edit behind the last record: it says that the record was durable.
  };
  struct Shape {
    End end = End::kClosed;
    bool mapped = false;  // Tables are; else they are read through the cache.
  };
  // Every `writing_stride`-th damage is opened for writing too.
  DamageSweep(const Shape& shape, std::uint64_t writing_stride);

  // By name, without LOCK: its contents mean nothing.
  const std::map<std::string, std::string>& originals() const { return originals_; }
  std::uint64_t damages() const { return damages_; }
  std::uint64_t writing() const { return writing_; }  // Of these, opened for writing.
  std::uint64_t errors() const { return errors_; }    // Answered with one.

  // Each makes one damage, judges it and undoes it. Failures are GoogleTest's.
  void flip(const std::string& name, std::size_t offset, unsigned char mask);
  void replace(const std::string& name, const std::string& contents, const std::string& what);
  // The same where all that could prove the loss is lost with it: after a crash the log may end anywhere (contract C5).
  void replace_end_of_log(const std::string& name, const std::string& contents, const std::string& what);
  void remove(const std::string& name);
  void add(const std::string& name, const std::string& contents, const std::string& what);
  void swap(const std::string& one, const std::string& other);

 private:
  using Rows = std::map<std::string, std::string>;  // "family/key" to value.
  enum class Outcome : std::uint8_t { kRight, kError };

  void make();
  void write(const std::string& name, const std::string& contents);
  void poke(const std::string& name, std::size_t offset, char byte);

  void judge(const std::string& name, const std::string& what);
  Outcome check_reading(const std::string& what);
  void check_writing(const std::string& what);
  // Everything by scans and by gets: `rows` is what the scans give where none fails.
  Outcome check_answers(DB& db, const std::string& what, Rows& rows) const;
  bool gets_agree(DB& db, const Rows& rows, const std::string& what, bool& failed) const;
  std::vector<Rows>::const_iterator possible_states() const;
  bool possible(const Rows& rows) const;

  const Shape shape_;
  const std::uint64_t writing_stride_;
  sim::SimFileSystem files_;
  Platform platform_;
  std::map<std::string, std::string> originals_;
  std::vector<Rows> states_;             // With 0, 1, 2, ... of the records in the log.
  std::ptrdiff_t records_in_doubt_ = 1;  // At the end of the log of a crashed database.
  std::uint64_t damages_ = 0;
  std::uint64_t writing_ = 0;
  std::uint64_t errors_ = 0;
};

}  // namespace firn::testing
