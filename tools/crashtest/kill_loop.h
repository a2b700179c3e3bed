// Real processes and SIGKILL: writers in a child process note what was acknowledged in memory shared with the parent,
// the child is killed at a random moment, the database is opened again, and whatever was acknowledged must be there,
// each batch whole and without a gap.
//
// Thread safety: one thread; it forks, so no other threads should run.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <string>

#include "firn/db.h"

namespace firn::crashtest {

class KillLoop {
 public:
  static constexpr std::size_t kWriters = 4;

  // `path`: a directory to be made, on a real file system.
  explicit KillLoop(std::string path);
  ~KillLoop();
  KillLoop(const KillLoop&) = delete;
  KillLoop& operator=(const KillLoop&) = delete;

  // Makes the database.
  Status create();
  // Lets the writers acknowledge `batches` more, kills them, and checks what is left.
  Status round(std::uint64_t batches);
  // Removes the database.
  Status destroy();

  // Batches that were acknowledged and found again.
  std::uint64_t batches() const;

 private:
  // How many batches each writer knows to be written.
  struct Acknowledged {
    std::array<std::atomic<std::uint64_t>, kWriters> batches;
  };

  [[noreturn]] void write_until_killed();
  [[noreturn]] void write(DB& db, Family other, std::size_t writer);
  Status kill_after(std::uint64_t batches);
  Status check();
  Status check_writer(DB& db, Family other, std::size_t writer);
  // The writer's batches in `family`, which must be its first ones without a gap.
  static Result<std::uint64_t> count(DB& db, Family family, std::size_t writer);

  const std::string path_;
  Acknowledged* const acknowledged_;  // Shared with the child.
};

}  // namespace firn::crashtest
