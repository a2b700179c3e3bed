// A file system whose mappings can lose pages, as real ones do when the device fails under them: the pages then read as
// zeros and the mapping says so.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstring>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "firn/file_system.h"

namespace firn::testing {

class FailingMapping final : public FileMapping {
 public:
  FailingMapping(std::vector<std::byte> bytes, std::size_t& questions)
      : bytes_(std::move(bytes)), questions_(questions) {}
  std::span<const std::byte> bytes() const override { return bytes_; }
  bool damaged() const override {
    const bool answer = damaged_;
    if (questions_ != 0 && --questions_ == 0) lose_bytes(0, bytes_.size());
    return answer;
  }

  void lose(std::size_t offset, std::size_t bytes) { lose_bytes(offset, bytes); }

 private:
  void lose_bytes(std::size_t offset, std::size_t bytes) const {
    std::memset(bytes_.data() + offset, 0, std::min(bytes, bytes_.size() - offset));
    damaged_ = true;
  }

  mutable std::vector<std::byte> bytes_;
  mutable std::atomic<bool> damaged_{false};
  std::size_t& questions_;
};

// Everything but map() is the file system below.
class FailingMappings final : public FileSystem {
 public:
  explicit FailingMappings(FileSystem& below) : below_(below) {}

  // The mapping made last.
  FailingMapping& mapping() { return *mapping_; }
  // The mapping that is asked for the `count`-th time from now on whether it is damaged loses all just after it said
  // no.
  void lose_after(std::size_t count) { questions_ = count; }
  bool lost() const { return questions_ == 0; }

  Result<std::unique_ptr<File>> open(const std::string& path, OpenMode mode, FileKind kind) override {
    auto file = below_.open(path, mode, kind);
    if (!file.ok()) return file.status();
    return std::unique_ptr<File>(std::make_unique<MappedFile>(std::move(file).value(), mapping_, questions_));
  }
  Result<std::unique_ptr<LogFile>> create_log(const std::string& path, std::uint64_t bytes) override {
    return below_.create_log(path, bytes);
  }
  Status create_directory(const std::string& path) override { return below_.create_directory(path); }
  Status rename(const std::string& from, const std::string& to) override { return below_.rename(from, to); }
  Status remove(const std::string& path) override { return below_.remove(path); }
  Status remove_directory(const std::string& path) override { return below_.remove_directory(path); }
  Status sync_directory(const std::string& path) override { return below_.sync_directory(path); }
  Result<std::vector<DirectoryEntry>> list(const std::string& path) override { return below_.list(path); }
  Result<std::unique_ptr<FileLock>> lock(const std::string& path) override { return below_.lock(path); }
  std::uint64_t mapping_budget_bytes() override { return std::uint64_t{1} << 30; }
  Result<SpaceInfo> space(const std::string& path) override { return below_.space(path); }

 private:
  class MappedFile final : public File {
   public:
    MappedFile(std::unique_ptr<File> below, FailingMapping*& made, std::size_t& questions)
        : below_(std::move(below)), made_(made), questions_(questions) {}
    const std::string& path() const override { return below_->path(); }
    IoResult read_at(std::uint64_t offset, std::span<std::byte> into) override { return below_->read_at(offset, into); }
    IoResult write_at(std::uint64_t offset, std::span<const std::byte> bytes) override {
      return below_->write_at(offset, bytes);
    }
    Result<std::uint64_t> size() override { return below_->size(); }
    Status sync() override { return below_->sync(); }
    Status truncate(std::uint64_t bytes) override { return below_->truncate(bytes); }
    Status allocate(std::uint64_t bytes) override { return below_->allocate(bytes); }
    void start_writeback(std::uint64_t offset, std::uint64_t bytes) override { below_->start_writeback(offset, bytes); }
    void prefetch(std::uint64_t offset, std::uint64_t bytes) override { below_->prefetch(offset, bytes); }
    Result<std::unique_ptr<FileMapping>> map() override {
      auto bytes = below_->size();
      if (!bytes.ok()) return bytes.status();
      std::vector<std::byte> contents(*bytes);
      if (below_->read_at(0, contents).bytes != contents.size()) return Status(StatusCode::kIo, "short read");
      auto mapping = std::make_unique<FailingMapping>(std::move(contents), questions_);
      made_ = mapping.get();
      return std::unique_ptr<FileMapping>(std::move(mapping));
    }

   private:
    std::unique_ptr<File> below_;
    FailingMapping*& made_;
    std::size_t& questions_;
  };

  FileSystem& below_;
  FailingMapping* mapping_ = nullptr;
  std::size_t questions_ = 0;
};

}  // namespace firn::testing
