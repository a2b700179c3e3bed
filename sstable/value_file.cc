#include "sstable/value_file.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <span>
#include <utility>

#include "codec/checksum.h"
#include "platform/io.h"
#include "sstable/table.h"

namespace firn {

namespace {

using sstable::kValueEntryBytes;
using sstable::ValueRecord;

// Reads `bytes` bytes of the file.
Status read_at(File& file, std::uint64_t offset, std::uint64_t bytes, std::string& into) {
  into.resize(static_cast<std::size_t>(bytes));
  return read_exactly(file, offset, std::as_writable_bytes(std::span(into)));
}

// The footer of `file`, which should be the one of `expected` if that is not null.
Result<sstable::ValueFooter> read_footer(File& file, const std::string& path, const ValueMeta* expected) {
  auto size = file.size();
  if (!size.ok()) return size.status();
  if (*size < sstable::kValueFooterBytes) {
    return Status::corruption(path, 0, "not a value file: shorter than a footer");
  }
  if (expected != nullptr && *size != expected->file_bytes) {
    return Status::corruption(
        path, std::min(*size, expected->file_bytes),
        "file has bytes " + std::to_string(*size) + ", the database expects " + std::to_string(expected->file_bytes));
  }
  const std::uint64_t at = *size - sstable::kValueFooterBytes;
  std::string bytes;
  if (Status s = read_at(file, at, sstable::kValueFooterBytes, bytes); !s.ok()) return s;
  auto footer = sstable::decode_value_footer(bytes, path, *size);
  if (footer.ok() && expected != nullptr && footer->meta != *expected) {
    return Status::corruption(path, at, "is another value file than the manifest lists");
  }
  return footer;
}

}  // namespace

ValueFile::ValueFile(std::string path, std::unique_ptr<File> file, BlockCache& cache, const ValueMeta& meta)
    : path_(std::move(path)), file_(std::move(file)), cache_(cache), meta_(meta) {}

ValueFile::~ValueFile() { cache_.remove({slots_.get(), static_cast<std::size_t>(meta_.records)}); }

Result<std::unique_ptr<ValueFile>> ValueFile::open(FileSystem& files, const std::string& path,
                                                   const ValueMeta& expected, BlockCache& cache, bool may_map) {
  auto file = files.open(path, OpenMode::kRead, FileKind::kValues);
  if (!file.ok()) return file.status();
  auto footer = read_footer(**file, path, &expected);
  if (!footer.ok()) return footer.status();
  std::unique_ptr<ValueFile> values(new ValueFile(path, std::move(file).value(), cache, expected));
  const auto records = static_cast<std::size_t>(expected.records);
  values->slots_ = std::make_unique<BlockCache::Slot[]>(records);
  if (!may_map) return values;
  auto mapping = values->file_->map();
  if (!mapping.ok() || (*mapping)->bytes().size() != expected.file_bytes) return values;
  values->mapping_ = std::move(mapping).value();
  values->verified_ = std::make_unique<std::atomic<std::uint64_t>[]>((records + 63) / 64);
  return values;
}

bool ValueFile::lose_mapping_if_damaged() const {
  load_fence();  // What was read so far is older than the answer.
  if (!mapping_->damaged()) [[likely]]
    return false;
  mapping_lost_.store(true, std::memory_order_relaxed);
  return true;
}

// A reference comes from a verified block; but one of another file may have the same id in a directory that was put
// together from copies.
Status ValueFile::check_reference(const ValueReference& at) const {
  if (at.file == meta_.id && at.index < meta_.records && at.offset <= meta_.record_bytes &&
      at.bytes <= meta_.record_bytes - at.offset) {
    return {};
  }
  return Status::corruption(path_, at.offset, "a reference to " + std::to_string(at.bytes) + " bytes leads outside");
}

bool ValueFile::read_mapped(const ValueReference& at, Slice key, ValueHit& hit, Status& status) const {
  const auto index = static_cast<std::size_t>(at.index);
  const Slice record(reinterpret_cast<const char*>(mapping_->bytes().data()) + at.offset,
                     static_cast<std::size_t>(at.bytes));
  std::atomic<std::uint64_t>& word = verified_[index / 64];
  const std::uint64_t bit = std::uint64_t{1} << (index % 64);
  ValueRecord parts;
  if ((word.load(std::memory_order_acquire) & bit) != 0) {
    // A page that cannot be read now shows now.
    if (sstable::split_value_record(record, parts)) Table::touch(parts.stored);
  } else {
    // In one request to the device: faults would read the pages one by one.
    if (!mapping_->resident()) file_->prefetch(at.offset, at.bytes);
    auto opened = sstable::open_value_record({path_, meta_.id, at.offset}, record, key);
    status = opened.status();
    if (opened.ok()) parts = *opened;
  }
  const bool of_key = parts.key == key;
  if (lose_mapping_if_damaged()) return false;
  if (!status.ok()) return true;
  if (!of_key) {
    status = Status::corruption(path_, at.offset, "value record is of another key");
    return true;
  }
  word.fetch_or(bit, std::memory_order_release);
  if (parts.compression != Compression::kNone) return false;
  hit = {parts.stored, nullptr, mapping_.get()};
  return true;
}

Status ValueFile::read(const EpochGuard& guard, const ValueReference& at, Slice key, ValueHit& hit) const {
  Status status = check_reference(at);
  if (!status.ok()) return status;
  if (usable_mapping() && read_mapped(at, key, hit, status)) return status;
  BlockCache::Slot& slot = slots_[static_cast<std::size_t>(at.index)];
  CachedBlock* block = cache_.lookup(guard, slot);
  if (block == nullptr) {
    const sstable::ValuePlace place{path_, meta_.id, at.offset};
    const auto no_memory = [&] { return Status(StatusCode::kOutOfMemory, path_ + ": no memory for a value"); };
    BlockRef record = cache_.make_block(static_cast<std::size_t>(at.bytes));
    if (!record) return no_memory();
    const std::span<char> bytes(record->data(), record->size());
    if (status = read_exactly(*file_, at.offset, std::as_writable_bytes(bytes)); !status.ok()) return status;
    auto parts = sstable::open_value_record(place, {bytes.data(), bytes.size()}, key);
    if (!parts.ok()) return parts.status();
    // What is cached is a record without compression, so that a hit finds its value as it would in the file.
    if (parts->compression != Compression::kNone) {
      BlockRef raw =
          cache_.make_block(static_cast<std::size_t>(sstable::value_record_bytes(key.size(), parts->value_bytes)));
      if (!raw) return no_memory();
      char* const value = raw->data() + sstable::kValueHeaderBytes + key.size();
      if (status = sstable::copy_value(place, *parts, value); !status.ok()) return status;
      sstable::put_raw_value_header(key, parts->value_bytes, raw->data());
      record = std::move(raw);
    }
    block = cache_.insert(guard, slot, std::move(record));
  }
  ValueRecord parts;
  if (!sstable::split_value_record({block->data(), block->size()}, parts) || parts.key != key) {
    return Status::corruption(path_, at.offset, "value record is of another key");
  }
  hit = {parts.stored, block, nullptr};
  return {};
}

Status read_value_record(File& file, const ValueReference& at, Slice key, std::string& scratch, std::string& value) {
  if (Status s = read_at(file, at.offset, at.bytes, scratch); !s.ok()) return s;
  const sstable::ValuePlace place{file.path(), at.file, at.offset};
  auto parts = sstable::open_value_record(place, scratch, key);
  if (!parts.ok()) return parts.status();
  value.resize(parts->value_bytes);
  return sstable::copy_value(place, *parts, value.data());
}

Result<ValueDirectory> read_value_directory(FileSystem& files, const std::string& path, const ValueMeta* expected) {
  auto file = files.open(path, OpenMode::kRead, FileKind::kValues);
  if (!file.ok()) return file.status();
  auto footer = read_footer(**file, path, expected);
  if (!footer.ok()) return footer.status();
  ValueDirectory directory{std::move(file).value(), footer->meta, {}};
  const ValueMeta& meta = directory.meta;
  if (Status s = read_at(*directory.file, meta.record_bytes, meta.records * kValueEntryBytes, directory.bytes);
      !s.ok()) {
    return s;
  }
  if (checksum(directory.bytes, place_seed(meta.id, meta.record_bytes)) != footer->directory_checksum) {
    return Status::corruption(path, meta.record_bytes, "directory checksum mismatch");
  }
  std::uint64_t end = 0;
  for (std::size_t i = 0; i < directory.bytes.size(); i += kValueEntryBytes) {
    const std::uint64_t offset = directory.offset(i / kValueEntryBytes);
    const bool follows = i == 0 ? offset == 0 : offset >= end + sstable::kValueHeaderBytes;
    if (!follows || offset > meta.record_bytes - sstable::kValueHeaderBytes) {
      return Status::corruption(path, meta.record_bytes + i, "directory entry is out of order");
    }
    end = offset;
  }
  return directory;
}

Status verify_value_file(FileSystem& files, const std::string& path, const ValueMeta& expected,
                         const std::function<void(const ValueDamage&)>& report) {
  Status first;
  const auto damage = [&](Status status, std::uint64_t offset, std::uint64_t bytes, bool is_record) {
    if (first.ok()) first = status;
    if (report) report({std::move(status), offset, bytes, is_record});
  };
  auto directory = read_value_directory(files, path, &expected);
  if (!directory.ok()) {
    const bool missing = directory.status().is_not_found();
    const Status status =
        missing ? Status::corruption(path, 0, "the file is missing; the manifest lists it") : directory.status();
    const std::uint64_t offset = status.offset().value_or(0);
    damage(status, offset, expected.file_bytes - std::min(offset, expected.file_bytes), false);
    return first;
  }
  std::string record;
  for (std::uint64_t i = 0; i < expected.records; ++i) {
    const std::uint64_t offset = directory->offset(i);
    const std::uint64_t bytes = directory->end(i) - offset;
    Status status = read_at(*directory->file, offset, bytes, record);
    ValueRecord parts;
    if (status.ok() && !sstable::split_value_record(record, parts)) {
      status = Status::corruption(path, offset, "value record has a malformed header");
    }
    if (status.ok()) status = sstable::open_value_record({path, expected.id, offset}, record, parts.key).status();
    if (status.ok() && load<std::uint64_t>(record.data()) != directory->checksum(i)) {
      status = Status::corruption(path, offset, "value record differs from its directory entry");
    }
    std::string value(parts.value_bytes, '\0');
    if (status.ok()) status = sstable::copy_value({path, expected.id, offset}, parts, value.data());
    if (!status.ok()) damage(std::move(status), offset, bytes, true);
  }
  return first;
}

}  // namespace firn
