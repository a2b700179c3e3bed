// The file of a table, or of values, being written, as one stream: large aligned writes into space reserved ahead, with
// write-back started early so that the sync at the end finds little to do. Pieces of 2 MiB at multiples of 2 MiB also
// let Linux map the page cache of the file in huge pages.
//
// Thread safety: one thread at a time. Lifetime: the file outlives it.
#pragma once

#include <cstddef>
#include <cstdint>

#include "firn/file_system.h"
#include "firn/status.h"
#include "platform/memory.h"

namespace firn::sstable {

class Output {
 public:
  explicit Output(File& file) : file_(file) {}
  ~Output() { free_pages(buffer_, capacity_); }
  Output(const Output&) = delete;
  Output& operator=(const Output&) = delete;

  // Where the next byte goes.
  std::uint64_t offset() const { return written_ + used_; }
  // `bytes` bytes of unspecified content to be filled now and advanced over; null when there is no memory. Valid until
  // the next call, and after it if that is another reserve() of no more bytes: then it is the same memory.
  char* reserve(std::size_t bytes);
  // The first `bytes` bytes of the last reservation follow the stream; writes what is complete.
  Status advance(std::size_t bytes);
  // Writes the rest, cuts the file to offset() and syncs it, unless a planted bug says not to.
  Status finish(bool sync);

 private:
  Status reserve_space(std::uint64_t end);
  Status write(std::size_t bytes);

  File& file_;
  char* buffer_ = nullptr;  // Holds the stream from written_ on.
  std::size_t capacity_ = 0;
  std::size_t used_ = 0;
  std::uint64_t written_ = 0;    // A multiple of kPieceBytes until finish().
  std::uint64_t reserved_ = 0;   // Of the file's space.
  std::uint64_t writeback_ = 0;  // Write-back was started up to here.
};

}  // namespace firn::sstable
