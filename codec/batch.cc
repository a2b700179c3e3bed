#include "codec/batch_format.h"
#include "firn/write_batch.h"

namespace firn {

bool BatchReader::next(BatchOperation& op) {
  if (malformed_ || in_ == end_) return false;
  const auto first = static_cast<std::uint8_t>(*in_++);
  const auto kind = static_cast<std::uint8_t>(first & ~kFamilyFollows);
  if (!write_kind_known(kind)) return fail();
  op.kind = static_cast<EntryKind>(kind);
  std::uint32_t key_bytes = 0;
  std::uint32_t value_bytes = 0;
  op.family = 0;
  if ((first & kFamilyFollows) != 0 && (in_ = get_varint32(in_, end_, op.family)) == nullptr) return fail();
  if ((in_ = get_varint32(in_, end_, key_bytes)) == nullptr) return fail();
  if (op.kind == EntryKind::kPut && (in_ = get_varint32(in_, end_, value_bytes)) == nullptr) return fail();
  if (key_bytes > kKeyBytesMax || value_bytes > kValueBytesMax) return fail();
  if (std::size_t{key_bytes} + value_bytes > remaining_bytes()) return fail();
  op.key = Slice(in_, key_bytes);
  op.value = Slice(in_ + key_bytes, value_bytes);
  in_ += key_bytes + value_bytes;
  return true;
}

bool WriteBatch::admit(std::size_t key_bytes, std::size_t value_bytes) {
  if (!status_.ok()) return false;
  if (key_bytes > kKeyBytesMax) {
    status_ = Status(StatusCode::kInvalidArgument,
                     "key of " + std::to_string(key_bytes) + " bytes: the limit is " + std::to_string(kKeyBytesMax));
  } else if (value_bytes > kValueBytesMax) {
    status_ = Status(StatusCode::kInvalidArgument, "value of " + std::to_string(value_bytes) + " bytes: the limit is " +
                                                       std::to_string(kValueBytesMax));
  } else if (rep_.size() + key_bytes + value_bytes + 16 > kBatchBytesMax) {
    status_ = Status(StatusCode::kInvalidArgument,
                     "batch larger than " + std::to_string(kBatchBytesMax) + " bytes: write it in parts");
  }
  return status_.ok();
}

void WriteBatch::put(Family family, Slice key, Slice value) {
  if (!admit(key.size(), value.size())) return;
  const BatchOperation op{EntryKind::kPut, family.id, key, value};
  const std::size_t at = rep_.size();
  rep_.resize(at + operation_bytes(op));
  put_operation(rep_.data() + at, op);
  ++count_;
}

void WriteBatch::erase(Family family, Slice key) {
  if (!admit(key.size(), 0)) return;
  const BatchOperation op{EntryKind::kTombstone, family.id, key, {}};
  const std::size_t at = rep_.size();
  rep_.resize(at + operation_bytes(op));
  put_operation(rep_.data() + at, op);
  ++count_;
}

void WriteBatch::clear() {
  rep_.clear();
  count_ = 0;
  status_ = Status();
}

}  // namespace firn
