#include "sstable/value_builder.h"

#include <array>
#include <cstring>

#include "codec/checksum.h"
#include "codec/compression.h"
#include "codec/varint.h"
#include "platform/planted_bug.h"

namespace firn {

ValueBuilder::ValueBuilder(File& file, std::uint64_t id, Compression compression)
    : path_(file.path()), compression_(compression), output_(file) {
  meta_.id = id;
}

Result<ValueReference> ValueBuilder::add(Slice key, Slice value) {
  if (!status_.ok()) return status_;
  sstable::ValueRecord record{key, value, static_cast<std::uint32_t>(value.size()), Compression::kNone};
  compressed_.clear();
  if (compression_ != Compression::kNone && value.size() <= sstable::kCompressedValueBytesMax &&
      compress_block(compression_, value, compressed_)) {
    record.stored = compressed_;
    record.compression = compression_;
  }
  const std::uint64_t bytes = sstable::value_record_bytes(key.size(), record.stored.size());
  char* const out = output_.reserve(static_cast<std::size_t>(bytes));
  if (out == nullptr) return fail(Status(StatusCode::kOutOfMemory, path_ + ": no memory for a value"));
  const ValueReference reference{meta_.id, meta_.records, output_.offset(), bytes};
  const std::uint64_t sum = sstable::encode_value_record(record, meta_.id, reference.offset, out);
  append_fixed(directory_, reference.offset);
  append_fixed(directory_, sum);
  if (Status s = output_.advance(static_cast<std::size_t>(bytes)); !s.ok()) return fail(std::move(s));
  ++meta_.records;
  return reference;
}

Status ValueBuilder::append(Slice bytes) {
  char* const out = output_.reserve(bytes.size());
  if (out == nullptr) return Status(StatusCode::kOutOfMemory, path_ + ": no memory for the directory");
  std::memcpy(out, bytes.data(), bytes.size());
  return output_.advance(bytes.size());
}

Result<ValueMeta> ValueBuilder::finish() {
  if (!status_.ok()) return status_;
  if (meta_.records == 0) {
    return fail(Status(StatusCode::kInvalidArgument, path_ + ": a value file needs at least one record"));
  }
  meta_.record_bytes = output_.offset();
  meta_.file_bytes = file_bytes();
  std::array<char, sstable::kValueFooterBytes> footer;
  meta_.digest = sstable::encode_value_footer(meta_, checksum(directory_, place_seed(meta_.id, meta_.record_bytes)),
                                              footer.data());
  Status s = append(directory_);
  if (s.ok()) s = append({footer.data(), footer.size()});
  if (s.ok()) s = output_.finish(!FIRN_PLANTED_BUG(values_not_synced));
  if (!s.ok()) return fail(std::move(s));
  status_ = Status(StatusCode::kInvalidArgument, path_ + ": the value file is finished");
  return meta_;
}

}  // namespace firn
