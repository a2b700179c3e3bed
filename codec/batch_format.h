// A write batch as bytes, in memory (WriteBatch) and as the payload of a log record: operations back to back.
//
//   bytes    field
//   1        kind             EntryKind; its highest bit says that a family id follows
//   varint   family id        32 bits; left out for the default family, 0
//   varint   key bytes        0..kKeyBytesMax
//   varint   value bytes      only for kPut; 0..kValueBytesMax
//   ...      key, value
//
// The i-th operation of a batch has sequence first_sequence + i.
#pragma once

#include <cstddef>
#include <cstdint>

#include "codec/entry.h"
#include "codec/varint.h"
#include "firn/slice.h"

namespace firn {

inline constexpr std::uint8_t kFamilyFollows = 0x80;

struct BatchOperation {
  EntryKind kind = EntryKind::kPut;
  std::uint32_t family = 0;
  Slice key;
  Slice value;  // Empty for a tombstone.
};

inline std::size_t operation_bytes(const BatchOperation& op) {
  const std::size_t head = 1 + (op.family == 0 ? 0 : varint_bytes(op.family)) + varint_bytes(op.key.size());
  const std::size_t value_head = op.kind == EntryKind::kPut ? varint_bytes(op.value.size()) : 0;
  return head + value_head + op.key.size() + op.value.size();
}

// Writes operation_bytes(op) bytes at `out`; the end of them.
inline char* put_operation(char* out, const BatchOperation& op) {
  *out++ = static_cast<char>(static_cast<std::uint8_t>(op.kind) | (op.family == 0 ? 0 : kFamilyFollows));
  if (op.family != 0) out = put_varint(out, op.family);
  out = put_varint(out, op.key.size());
  if (op.kind == EntryKind::kPut) out = put_varint(out, op.value.size());
  if (!op.key.empty()) std::memcpy(out, op.key.data(), op.key.size());
  out += op.key.size();
  if (!op.value.empty()) std::memcpy(out, op.value.data(), op.value.size());
  return out + op.value.size();
}

// Reads the operations of a payload in place. The bytes may come from a disk: everything is checked.
class BatchReader {
 public:
  explicit BatchReader(Slice payload) : in_(payload.data()), end_(payload.data() + payload.size()) {}

  // The next operation, pointing into the payload. False at the end and at the first malformed byte; malformed() tells.
  bool next(BatchOperation& op);
  bool malformed() const { return malformed_; }
  std::size_t remaining_bytes() const { return static_cast<std::size_t>(end_ - in_); }

 private:
  bool fail() {
    malformed_ = true;
    return false;
  }

  const char* in_;
  const char* end_;
  bool malformed_ = false;
};

}  // namespace firn
