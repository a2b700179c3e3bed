// Handles of the simulated file system: files, logs, mappings, locks. Tested in tests/sim/file_system_test.cc and
// tests/platform/file_system_test.cc.
#include <algorithm>
#include <cerrno>
#include <utility>

#include "platform/assert.h"
#include "platform/io.h"
#include "platform/sim/state.h"

namespace firn::sim::internal {

namespace {

class SimMapping final : public FileMapping {
 public:
  explicit SimMapping(const PagedBytes& contents) : bytes_(static_cast<std::size_t>(contents.size())) {
    contents.read(0, bytes_);
  }
  std::span<const std::byte> bytes() const override { return bytes_; }
  bool damaged() const override { return false; }

 private:
  std::vector<std::byte> bytes_;
};

constexpr std::uint64_t kSectorBytes = 512;

std::vector<std::byte> with_flipped_bit(std::span<const std::byte> bytes, std::uint64_t draw) {
  std::vector<std::byte> flipped(bytes.begin(), bytes.end());
  flipped[static_cast<std::size_t>(draw / 8 % bytes.size())] ^= static_cast<std::byte>(1U << draw % 8);
  return flipped;
}

// Another sector of the file than that of `offset`.
std::uint64_t misdirected(const FileNode& node, std::uint64_t offset, std::uint64_t draw) {
  const std::uint64_t sectors = std::max(node.contents().size(), offset) / kSectorBytes + 1;
  const std::uint64_t chosen = draw % sectors;
  return (chosen == offset / kSectorBytes ? chosen + 1 : chosen) * kSectorBytes;
}

// What the device makes of a write, honest or not.
void store(FileNode& node, FileOperation::Kind how, const Consulted& asked, std::uint64_t offset,
           std::span<const std::byte> bytes) {
  if (bytes.empty() || !asked.lies()) return node.write(how, asked.index, offset, bytes);
  const std::uint64_t end = std::max(node.contents().size(), offset + bytes.size());
  if (asked.is(FaultKind::kFlippedWrite)) {
    node.write(how, asked.index, offset, with_flipped_bit(bytes, asked.fault->draw));
  } else if (asked.is(FaultKind::kMisdirectedWrite)) {
    node.write(how, asked.index, misdirected(node, offset, asked.fault->draw), bytes);
  } else if (!asked.is(FaultKind::kLostWrite)) {
    node.write(how, asked.index, offset, bytes);
  }
  if (node.contents().size() < end) node.truncate(asked.index, end);
}

// One transfer into `node` under the rules of faults and space.
IoResult transfer(SimState& state, OperationKind kind, const std::string& path, FileNode& node, std::uint64_t offset,
                  std::span<const std::byte> bytes) {
  const FileOperation::Kind how =
      kind == OperationKind::kPublish ? FileOperation::Kind::kStore : FileOperation::Kind::kWrite;
  RunningTransfer running{&node, how, 0, offset, bytes};
  const Consulted asked = state.consult({kind, path, node.kind(), 0, offset, bytes.size()}, &running);
  IoResult result{0, bytes.size()};
  if (asked.fault.has_value() && !asked.lies())
    result = {asked.fault->error, std::min(asked.fault->bytes_done, bytes.size())};
  const std::lock_guard<std::mutex> lock(state.mutex);
  const std::size_t writable = static_cast<std::size_t>(state.writable_bytes(node, offset, result.bytes));
  if (writable < result.bytes) {
    result.bytes = writable;
    result.error = ENOSPC;
  }
  store(node, how, asked, offset, bytes.first(result.bytes));
  state.charge(node);
  return result;
}

// Returns the errno value it failed with, or 0.
int sync_node(SimState& state, const std::string& path, FileNode& node) {
  const Consulted asked = state.consult({OperationKind::kSync, path, node.kind()});
  const std::lock_guard<std::mutex> lock(state.mutex);
  if (asked.is(FaultKind::kDroppedSync)) {
    node.drop(asked.index);
  } else {
    node.sync(asked.index, asked.error() == 0);
  }
  if (asked.error() == 0) state.commit_journal(node.last_metadata);
  return asked.error();
}

class SimFile final : public File {
 public:
  SimFile(SimState& state, std::string path, std::shared_ptr<FileNode> node, bool writable)
      : state_(state), path_(std::move(path)), node_(std::move(node)), writable_(writable) {}

  const std::string& path() const override { return path_; }

  IoResult read_at(std::uint64_t offset, std::span<std::byte> into) override {
    const Consulted asked = state_.consult({OperationKind::kRead, path_, node_->kind(), 0, offset, into.size()});
    IoResult result;
    if (asked.fault.has_value() && !asked.lies()) {
      result.error = asked.fault->error;
      into = into.first(std::min(asked.fault->bytes_done, into.size()));
    }
    const std::lock_guard<std::mutex> lock(state_.mutex);
    result.bytes = node_->contents().read(offset, into);
    if (asked.is(FaultKind::kStaleRead)) read_stale(offset, into.first(result.bytes));
    if (asked.is(FaultKind::kFlippedRead) && result.bytes > 0) {
      const std::vector<std::byte> flipped = with_flipped_bit(into.first(result.bytes), asked.fault->draw);
      std::copy(flipped.begin(), flipped.end(), into.begin());
    }
    return result;
  }

  IoResult write_at(std::uint64_t offset, std::span<const std::byte> bytes) override {
    if (!writable_) return {EBADF, 0};
    return transfer(state_, OperationKind::kWrite, path_, *node_, offset, bytes);
  }

  Result<std::uint64_t> size() override {
    if (const int error = state_.consult({OperationKind::kSize, path_, node_->kind()}).error(); error != 0) {
      return errno_status("get the size of", path_, error);
    }
    const std::lock_guard<std::mutex> lock(state_.mutex);
    return node_->contents().size();
  }

  Status sync() override {
    const int error = sync_node(state_, path_, *node_);
    return error == 0 ? Status() : errno_status("sync", path_, error);
  }

  Status truncate(std::uint64_t bytes) override {
    const Consulted asked = state_.consult({OperationKind::kTruncate, path_, node_->kind(), 0, 0, bytes});
    int error = asked.error();
    if (error == 0 && !writable_) error = EBADF;
    if (error != 0) return errno_status("truncate", path_, error);
    const std::lock_guard<std::mutex> lock(state_.mutex);
    node_->allocated_bytes = std::min(node_->allocated_bytes, bytes);
    node_->truncate(asked.index, bytes);
    state_.charge(*node_);
    return Status();
  }

  Status allocate(std::uint64_t bytes) override {
    int error = state_.consult({OperationKind::kAllocate, path_, node_->kind(), 0, 0, bytes}).error();
    if (error == 0 && !writable_) error = EBADF;
    const std::lock_guard<std::mutex> lock(state_.mutex);
    if (error == 0 && state_.writable_bytes(*node_, 0, bytes) < bytes) error = ENOSPC;
    if (error != 0) return errno_status("allocate space for", path_, error);
    node_->allocated_bytes = std::max(node_->allocated_bytes, bytes);
    state_.charge(*node_);
    return Status();
  }

  void start_writeback(std::uint64_t, std::uint64_t) override {}

  Result<std::unique_ptr<FileMapping>> map() override {
    if (const int error = state_.consult({OperationKind::kMap, path_, node_->kind()}).error(); error != 0) {
      return errno_status("map", path_, error);
    }
    const std::lock_guard<std::mutex> lock(state_.mutex);
    if (!state_.mappings) {
      return Status(StatusCode::kNotSupported,
                    "map " + path_ + ": this file system in memory was made without mappings");
    }
    return std::unique_ptr<FileMapping>(std::make_unique<SimMapping>(node_->contents()));
  }

  void prefetch(std::uint64_t, std::uint64_t) override {}

 private:
  void read_stale(std::uint64_t offset, std::span<std::byte> into) const {
    const std::size_t there = node_->stale().read(offset, into);
    std::fill(into.begin() + static_cast<std::ptrdiff_t>(there), into.end(), std::byte{0});
  }

  SimState& state_;
  const std::string path_;
  const std::shared_ptr<FileNode> node_;
  const bool writable_;
};

// The reservation is memory mapped to the file: what is stored there is in the file, whatever becomes of the
// reservation. The file sees the stores when the log is used next.
class SimLog final : public LogFile {
 public:
  SimLog(SimState& state, std::string path, std::shared_ptr<FileNode> node, std::uint64_t capacity_bytes)
      : state_(state), path_(std::move(path)), node_(std::move(node)), capacity_bytes_(capacity_bytes) {}

  const std::string& path() const override { return path_; }
  std::uint64_t capacity_bytes() const override { return capacity_bytes_; }
  std::uint64_t end_offset() const override { return end_offset_; }

  // The space is charged when the log is created; only a fault makes it lack later.
  bool make_room(std::uint64_t bytes) override {
    return fits(bytes) &&
           state_.consult({OperationKind::kAllocate, path_, node_->kind(), 0, 0, end_offset_ + bytes}).error() == 0;
  }

  std::span<std::byte> reserve(std::size_t bytes) override {
    abandon_reservation();
    if (!fits(bytes) || failed_error_.load(std::memory_order_relaxed) != 0) return {};
    if (buffer_.size() < bytes) buffer_.resize(bytes);
    const std::lock_guard<std::mutex> lock(state_.mutex);
    node_->contents().read(end_offset_, reserved(bytes));
    return reserved(bytes);
  }

  Status publish(std::size_t bytes) override {
    FIRN_ASSERT(bytes <= reserved_bytes_);
    const std::size_t stored = std::exchange(reserved_bytes_, 0);
    Status status = append(OperationKind::kPublish, "publish", std::span<const std::byte>(buffer_).first(bytes));
    if (status.ok() && stored > bytes)
      store_unpublished(std::span<const std::byte>(buffer_).subspan(bytes, stored - bytes));
    return status;
  }

  Status write(std::span<const std::byte> bytes) override {
    abandon_reservation();
    if (!fits(bytes.size())) {
      return Status(StatusCode::kInvalidArgument, "write " + path_ + ": beyond the end of the log segment");
    }
    return append(OperationKind::kWrite, "write", bytes);
  }

  Status sync() override {
    if (Status status = failure("sync"); !status.ok()) return status;
    const int error = sync_node(state_, path_, *node_);
    if (error != 0) failed_error_.store(error, std::memory_order_relaxed);
    return error == 0 ? Status() : errno_status("sync", path_, error);
  }

  void populate(std::uint64_t, std::uint64_t) override {}

 private:
  bool fits(std::uint64_t bytes) const { return bytes <= capacity_bytes_ - end_offset_; }
  std::span<std::byte> reserved(std::size_t bytes) {
    reserved_bytes_ = bytes;
    return std::span(buffer_).first(bytes);
  }

  void abandon_reservation() {
    if (const std::size_t stored = std::exchange(reserved_bytes_, 0); stored > 0) {
      store_unpublished(std::span<const std::byte>(buffer_).first(stored));
    }
  }

  // What the program left at end_offset(), where it differs from what is there.
  void store_unpublished(std::span<const std::byte> bytes) {
    std::vector<std::byte> present(bytes.size());
    const std::lock_guard<std::mutex> lock(state_.mutex);
    node_->contents().read(end_offset_, present);
    if (std::equal(bytes.begin(), bytes.end(), present.begin())) return;
    node_->write(FileOperation::Kind::kStore, state_.operation_count.load(std::memory_order_relaxed), end_offset_,
                 bytes);
  }

  Status failure(const char* operation) const {
    const int error = failed_error_.load(std::memory_order_relaxed);
    return error == 0 ? Status() : errno_status(operation, path_, error);
  }

  Status append(OperationKind kind, const char* operation, std::span<const std::byte> bytes) {
    if (Status status = failure(operation); !status.ok()) return status;
    for (std::size_t done = 0; done < bytes.size();) {
      const IoResult result = transfer(state_, kind, path_, *node_, end_offset_ + done, bytes.subspan(done));
      done += result.bytes;
      if (result.error == EINTR) continue;
      const int error = result.error == 0 && result.bytes == 0 ? EIO : result.error;
      if (error == 0) continue;
      // A store that failed has broken the mapping; a write can be repeated.
      if (kind == OperationKind::kPublish) failed_error_.store(error, std::memory_order_relaxed);
      return errno_status(operation, path_, error);
    }
    end_offset_ += bytes.size();
    return Status();
  }

  SimState& state_;
  const std::string path_;
  const std::shared_ptr<FileNode> node_;
  const std::uint64_t capacity_bytes_;
  std::uint64_t end_offset_ = 0;
  std::size_t reserved_bytes_ = 0;
  std::vector<std::byte> buffer_;  // Of reserve.
  // Of the first failed publish or sync; sticky. Atomic: sync runs beside the writer.
  std::atomic<int> failed_error_{0};
};

class SimLock final : public FileLock {
 public:
  SimLock(SimState& state, std::shared_ptr<FileNode> node) : state_(state), node_(std::move(node)) {
    state_.locked.insert(node_.get());
  }
  ~SimLock() override {
    const std::lock_guard<std::mutex> lock(state_.mutex);
    state_.locked.erase(node_.get());
  }

 private:
  SimState& state_;
  const std::shared_ptr<FileNode> node_;
};

}  // namespace

std::unique_ptr<File> make_file(SimState& state, std::string path, std::shared_ptr<FileNode> node, bool writable) {
  return std::make_unique<SimFile>(state, std::move(path), std::move(node), writable);
}

std::unique_ptr<LogFile> make_log(SimState& state, std::string path, std::shared_ptr<FileNode> node,
                                  std::uint64_t capacity_bytes) {
  return std::make_unique<SimLog>(state, std::move(path), std::move(node), capacity_bytes);
}

std::unique_ptr<FileLock> make_lock(SimState& state, std::shared_ptr<FileNode> node) {
  return std::make_unique<SimLock>(state, std::move(node));
}

}  // namespace firn::sim::internal
