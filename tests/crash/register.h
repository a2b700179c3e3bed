// A toy program for crash tests: it keeps one number in one file, and makes the mistake that it is told to make.
//
// Thread safety: one thread.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "firn/sim/crash_explorer.h"

namespace firn::sim {

enum class Mistake : std::uint8_t {
  kNone,
  kNoDirectorySync,      // The new file's name is not made durable.
  kRenameBeforeSync,     // The new file is renamed into place before its bytes are durable.
  kAcknowledgeTooSoon,   // Before anything is durable.
  kInPlace,              // The file is overwritten.
  kShortWrite,           // A short write counts as a whole one.
  kIgnoredSync,          // A failed sync is no failure.
  kRecoveryInPlace,      // Recovery overwrites the file; only a crash during recovery shows it.
  kRecoveryTrustsCache,  // Recovery tells others of what it found, which is not durable; needs a kill, then a power
                         // loss.
  kRemembers,            // Each run does something else: not deterministic.
};

class Register final : public Workload {
 public:
  explicit Register(Mistake mistake, std::uint64_t saves = 6) : mistake_(mistake), saves_(saves) {}

  std::string name() const override { return "register"; }

  Status run(World& world) override {
    FileSystem& files = *world.platform().files;
    if (mistake_ == Mistake::kRemembers) ++runs_;
    if (Status status = files.create_directory(kTold); !status.ok()) return status;
    if (Status status = files.sync_directory(kRoot); !status.ok()) return status;
    for (std::uint64_t number = 1; number <= saves_ + runs_; ++number) {
      if (mistake_ == Mistake::kAcknowledgeTooSoon) world.acknowledge(std::to_string(number));
      Status status = save(files, number);
      // Trying again is what a careful program does, too.
      if (!status.ok() && world.faulted()) status = save(files, number);
      if (!status.ok()) return status;
      world.acknowledge(std::to_string(number));
    }
    return Status();
  }

  Status check(World& world, std::span<const std::string> acknowledged) override {
    FileSystem& files = *world.platform().files;
    const auto number = load(files, kRoot);
    if (!number.ok()) return number.status();
    const auto told = load(files, kTold);
    if (!told.ok()) return told.status();
    if (*number < *told) return broken("has forgotten what an earlier recovery found");
    const std::uint64_t promised = acknowledged.empty() ? 0 : std::stoull(acknowledged.back());
    world.note_outcome(*number);
    if (*number < promised) {
      return broken("holds " + std::to_string(*number) + ", promised " + std::to_string(promised));
    }
    if (*number == 0) return Status();
    if (mistake_ == Mistake::kRecoveryTrustsCache) return save(files, *number, kTold);
    if (mistake_ == Mistake::kRecoveryInPlace) return overwrite(files, *number);
    return save(files, *number);
  }

 private:
  static constexpr const char* kRoot = "/";
  static constexpr const char* kTold = "/told/";
  static constexpr std::size_t kLineBytes = 512;
  static constexpr std::size_t kFileBytes = 2 * kLineBytes;

  // The number twice, a sector each, so that a torn file shows.
  static std::string contents(std::uint64_t number) {
    std::string line = std::to_string(number);
    line.resize(kLineBytes, ' ');
    return line + line;
  }

  static Result<std::uint64_t> load(FileSystem& files, const std::string& directory) {
    auto file = files.open(directory + "number", OpenMode::kRead, FileKind::kOther);
    if (file.status().is_not_found()) return std::uint64_t{0};
    if (!file.ok()) return file.status();
    std::string bytes(kFileBytes + 1, '\0');
    const IoResult read = (*file)->read_at(0, std::as_writable_bytes(std::span(bytes)));
    bytes.resize(read.bytes);
    const std::uint64_t number = std::strtoull(bytes.c_str(), nullptr, 10);
    if (bytes != contents(number)) return broken("the file is torn");
    return number;
  }

  Status write(File& file, std::uint64_t number) const {
    const std::string bytes = contents(number);
    for (std::size_t done = 0; done < bytes.size();) {
      const IoResult written = file.write_at(done, std::as_bytes(std::span(bytes)).subspan(done));
      if (written.error != 0) return Status(StatusCode::kIo, "write");
      done += written.bytes;
      if (mistake_ == Mistake::kShortWrite) break;
    }
    const Status synced = mistake_ == Mistake::kRenameBeforeSync ? Status() : file.sync();
    return mistake_ == Mistake::kIgnoredSync ? Status() : synced;
  }

  Status overwrite(FileSystem& files, std::uint64_t number) const {
    auto file = files.open("number", OpenMode::kReadWrite, FileKind::kOther);
    if (file.status().is_not_found()) file = files.open("number", OpenMode::kCreate, FileKind::kOther);
    if (!file.ok()) return file.status();
    if (Status status = (*file)->truncate(0); !status.ok()) return status;
    if (Status status = write(**file, number); !status.ok()) return status;
    return files.sync_directory("/");
  }

  Status save(FileSystem& files, std::uint64_t number, const std::string& directory = kRoot) const {
    if (mistake_ == Mistake::kInPlace) return overwrite(files, number);
    const std::string path = directory + "new";
    if (Status status = files.remove(path); !status.ok() && !status.is_not_found()) return status;
    auto file = files.open(path, OpenMode::kCreate, FileKind::kOther);
    if (!file.ok()) return file.status();
    if (Status status = write(**file, number); !status.ok()) return status;
    if (Status status = files.rename(path, directory + "number"); !status.ok()) return status;
    if (mistake_ == Mistake::kRenameBeforeSync) {
      if (Status status = (*file)->sync(); !status.ok()) return status;
    }
    return mistake_ == Mistake::kNoDirectorySync ? Status() : files.sync_directory(directory);
  }

  const Mistake mistake_;
  const std::uint64_t saves_;
  std::uint64_t runs_ = 0;
};

}  // namespace firn::sim
