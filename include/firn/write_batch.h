// Several writes that become visible, and survive a crash, together or not at all; across column families.
// Its bytes are the payload of a log record (codec/batch_format.h), so that committing a batch copies it once.
//
// Thread safety: one thread at a time.
#pragma once

#include <cstdint>
#include <string>

#include "firn/export.h"
#include "firn/family.h"
#include "firn/slice.h"
#include "firn/status.h"

namespace firn {

class FIRN_EXPORT WriteBatch {
 public:
  // Later operations on the same key win. Key and value are copied. A key or value beyond its limit, or a batch beyond
  // kBatchBytesMax, is remembered: DB::write then answers kInvalidArgument and writes nothing of the batch.
  void put(Family family, Slice key, Slice value);
  void put(Slice key, Slice value) { put(kDefaultFamily, key, value); }
  void erase(Family family, Slice key);
  void erase(Slice key) { erase(kDefaultFamily, key); }

  void clear();  // Keeps the memory.
  void reserve(std::size_t bytes) { rep_.reserve(bytes); }
  std::uint32_t count() const { return count_; }     // Operations.
  std::size_t bytes() const { return rep_.size(); }  // Encoded size.
  bool empty() const { return count_ == 0; }
  const Status& status() const { return status_; }  // The first limit that was broken.
  Slice payload() const { return rep_; }            // Encoded operations; codec/batch_format.h reads them.

 private:
  bool admit(std::size_t key_bytes, std::size_t value_bytes);

  std::string rep_;
  std::uint32_t count_ = 0;
  Status status_;
};

}  // namespace firn
