#include "sstable/output.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "platform/io.h"

namespace firn::sstable {

namespace {

constexpr std::size_t kPieceBytes = kHugePageBytes;
constexpr std::size_t kSmallBufferBytes = std::size_t{8} << 10;
constexpr std::size_t kTailBytesMin = std::size_t{64} << 10;
constexpr std::uint64_t kReserveBytes = std::uint64_t{16} << 20;
constexpr std::uint64_t kWritebackBytes = std::uint64_t{8} << 20;

}  // namespace

char* Output::reserve(std::size_t bytes) {
  if (capacity_ - used_ < bytes) {
    // Doubled from small beginnings, since most tables of a small database are small; then as large as it gets: a
    // piece, and room for what goes beyond it. That room is no huge page.
    const std::size_t needed = used_ + bytes;
    const std::size_t wanted = needed <= kPieceBytes / 2 ? std::max({needed, 2 * capacity_, kSmallBufferBytes})
                                                         : kPieceBytes + std::max(std::bit_ceil(bytes), kTailBytesMin);
    auto* const larger = static_cast<char*>(allocate_pages(wanted));
    if (larger == nullptr) return nullptr;
    if (used_ != 0) std::memcpy(larger, buffer_, used_);
    free_pages(buffer_, capacity_);
    buffer_ = larger;
    capacity_ = wanted;
  }
  return buffer_ + used_;
}

Status Output::advance(std::size_t bytes) {
  used_ += bytes;
  if (used_ < kPieceBytes) return {};
  return write(used_ / kPieceBytes * kPieceBytes);
}

// Space for the file up to `end` and, while there is plenty, well beyond.
Status Output::reserve_space(std::uint64_t end) {
  if (end <= reserved_) return {};
  reserved_ = (end + kReserveBytes - 1) / kReserveBytes * kReserveBytes;
  Status s = file_.allocate(reserved_);
  if (s.code() == StatusCode::kNoSpace) {
    reserved_ = end;
    s = file_.allocate(reserved_);
  }
  return s.code() == StatusCode::kNotSupported ? Status() : s;
}

Status Output::write(std::size_t bytes) {
  const std::uint64_t end = written_ + bytes;
  if (Status s = reserve_space(end); !s.ok()) return s;
  if (Status s = write_all(file_, written_, std::as_bytes(std::span(buffer_, bytes))); !s.ok()) return s;
  written_ = end;
  used_ -= bytes;
  if (used_ != 0) std::memmove(buffer_, buffer_ + bytes, used_);
  if (written_ - writeback_ >= kWritebackBytes) {
    file_.start_writeback(writeback_, written_ - writeback_);
    writeback_ = written_;
  }
  return {};
}

Status Output::finish(bool sync) {
  if (used_ != 0) {
    if (Status s = write(used_); !s.ok()) return s;
  }
  if (Status s = file_.truncate(written_); !s.ok()) return s;
  return sync ? file_.sync() : Status();
}

}  // namespace firn::sstable
