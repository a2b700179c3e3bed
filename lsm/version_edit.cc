// Encoding: docs/formats.md, section "Manifest". An edit is fields back to back: varint tag, varint bytes, body.
#include "lsm/version_edit.h"

#include <utility>

#include "codec/varint.h"

namespace firn::lsm {

namespace {

// Stored in manifests: never renumber. A tag that is not here was written by a newer Firn.
enum class Tag : std::uint32_t {
  kNextFileId = 1,
  kNextFamilyId = 2,
  kLastSequence = 3,
  kLogSegmentRemoved = 4,
  kLogSegmentAdded = 5,
  kFamilyCreated = 6,
  kTableRemoved = 7,
  kTableAdded = 8,
  kFlushed = 9,
  kFamilyDropped = 10,
  kCleanClose = 11,
  kValueFileAdded = 12,
  kTableValues = 13,   // Of the table added last.
  kFamilyValues = 14,  // Options of the family created last, where they are not the defaults.
  kLogDurable = 15,
};

// The body of one field under construction.
class Body {
 public:
  Body& number(std::uint64_t value) {
    append_varint(bytes_, value);
    return *this;
  }
  template <class T>
  Body& fixed(T value) {
    append_fixed(bytes_, value);
    return *this;
  }
  Body& string(Slice value) {
    append_varint(bytes_, value.size());
    bytes_.append(value);
    return *this;
  }
  void append_to(std::string& out, Tag tag) const {
    append_varint(out, static_cast<std::uint32_t>(tag));
    append_varint(out, bytes_.size());
    out.append(bytes_);
  }

 private:
  std::string bytes_;
};

// Reads one body. After the first malformed byte everything reads as 0 and empty; finish() tells.
class BodyReader {
 public:
  explicit BodyReader(Slice bytes) : in_(bytes.data()), end_(bytes.data() + bytes.size()) {}

  std::uint64_t number(std::uint64_t max = UINT64_MAX) {
    std::uint64_t value = 0;
    const char* const next = get_varint(in_, end_, value);
    if (next == nullptr || value > max) return fail(), 0;
    in_ = next;
    return value;
  }
  std::uint32_t number32() { return static_cast<std::uint32_t>(number(UINT32_MAX)); }
  Sequence sequence() { return number(kSequenceMax); }
  std::uint64_t id() {
    const std::uint64_t value = number(UINT64_MAX - 1);  // There is always a greater one.
    require(value != 0);
    return value;
  }
  template <class T>
  T fixed() {
    if (remaining() < sizeof(T)) return fail(), T{};
    const T value = load<T>(in_);
    in_ += sizeof(T);
    return value;
  }
  std::string string(std::uint64_t bytes_max) {
    const std::uint64_t bytes = number(bytes_max);
    if (bytes > remaining()) return fail(), std::string();
    std::string value(in_, static_cast<std::size_t>(bytes));
    in_ += bytes;
    return value;
  }
  void require(bool condition) {
    if (!condition) fail();
  }
  std::size_t remaining() const { return static_cast<std::size_t>(end_ - in_); }
  // Whether everything was well-formed and nothing is left.
  bool finish() const { return !failed_ && in_ == end_; }
  bool failed() const { return failed_; }

 private:
  void fail() {
    failed_ = true;
    in_ = end_;
  }

  const char* in_;
  const char* end_;
  bool failed_ = false;
};

constexpr std::uint64_t kFamilyNameBytesMax = std::uint64_t{64} << 10;

void append_number(std::string& out, Tag tag, std::uint64_t value) { Body().number(value).append_to(out, tag); }

void append_created(std::string& out, const CreatedFamily& family) {
  Body body;
  body.number(family.id).string(family.name).number(family.options.filter_bits_per_key);
  body.number(family.options.compression.has_value() ? kLevelCount : 0);
  if (family.options.compression.has_value()) {
    for (const Compression codec : *family.options.compression) body.number(static_cast<std::uint8_t>(codec));
  }
  body.append_to(out, Tag::kFamilyCreated);
  const FamilyOptions defaults;
  const FamilyOptions& options = family.options;
  if (options.separate_value_bytes == defaults.separate_value_bytes &&
      options.value_garbage_percent == defaults.value_garbage_percent) {
    return;
  }
  Body().number(options.separate_value_bytes).number(options.value_garbage_percent).append_to(out, Tag::kFamilyValues);
}

void read_family_values(BodyReader& in, VersionEdit& edit) {
  in.require(!edit.families_created.empty());
  if (in.failed()) return;
  FamilyOptions& options = edit.families_created.back().options;
  options.separate_value_bytes = in.number32();
  options.value_garbage_percent = in.number32();
}

void append_value_file(std::string& out, const AddedValueFile& added) {
  const ValueMeta& meta = added.meta;
  Body body;
  body.number(added.family).number(meta.id).number(meta.file_bytes).fixed(meta.digest);
  body.number(meta.records).number(meta.record_bytes);
  body.append_to(out, Tag::kValueFileAdded);
}

AddedValueFile read_value_file(BodyReader& in) {
  AddedValueFile added;
  added.family = in.number32();
  added.meta.id = in.id();
  added.meta.file_bytes = in.number();
  added.meta.digest = in.fixed<std::uint64_t>();
  added.meta.records = in.number();
  added.meta.record_bytes = in.number(added.meta.file_bytes);
  in.require(added.meta.records != 0 && added.meta.records <= added.meta.record_bytes);
  return added;
}

// Sets `newer` for a codec that this version does not know.
CreatedFamily read_created(BodyReader& in, bool& newer) {
  CreatedFamily family;
  family.id = in.number32();
  family.name = in.string(kFamilyNameBytesMax);
  family.options.filter_bits_per_key = in.number32();
  const std::uint64_t levels = in.number();
  if (levels == 0) return family;
  in.require(levels == kLevelCount);
  LevelCompression& codecs = family.options.compression.emplace();
  for (Compression& codec : codecs) {
    const std::uint64_t value = in.number();
    newer |= value > static_cast<std::uint8_t>(Compression::kLz4);
    codec = static_cast<Compression>(value);
  }
  return family;
}

void append_table(std::string& out, const AddedTable& table) {
  const TableMeta& meta = table.meta;
  Body body;
  body.number(table.family).number(table.level).number(meta.id).number(meta.file_bytes).fixed(meta.digest);
  body.number(meta.entries).number(meta.tombstones).number(meta.key_bytes).number(meta.value_bytes);
  body.string(meta.smallest_key).string(meta.largest_key);
  body.number(meta.smallest_sequence).number(meta.largest_sequence);
  body.append_to(out, Tag::kTableAdded);
  if (meta.values.empty()) return;
  Body values;
  for (const ValueUse& use : meta.values) values.number(use.file).number(use.records).number(use.bytes);
  values.append_to(out, Tag::kTableValues);
}

void read_table_values(BodyReader& in, VersionEdit& edit) {
  in.require(!edit.tables_added.empty() && edit.tables_added.back().meta.values.empty());
  if (in.failed()) return;
  std::vector<ValueUse>& values = edit.tables_added.back().meta.values;
  do {
    ValueUse use;
    use.file = in.id();
    use.records = in.number();
    use.bytes = in.number();
    in.require(use.records != 0 && (values.empty() || values.back().file < use.file));
    values.push_back(use);
  } while (in.remaining() != 0);
}

AddedTable read_table(BodyReader& in) {
  AddedTable table;
  TableMeta& meta = table.meta;
  table.family = in.number32();
  table.level = static_cast<std::uint32_t>(in.number(kLevelCount - 1));
  meta.id = in.id();
  meta.file_bytes = in.number();
  meta.digest = in.fixed<std::uint64_t>();
  meta.entries = in.number();
  meta.tombstones = in.number(meta.entries);
  meta.key_bytes = in.number();
  meta.value_bytes = in.number();
  meta.smallest_key = in.string(kKeyBytesMax);
  meta.largest_key = in.string(kKeyBytesMax);
  meta.smallest_sequence = in.sequence();
  meta.largest_sequence = in.sequence();
  in.require(meta.smallest_key <= meta.largest_key && meta.smallest_sequence <= meta.largest_sequence);
  return table;
}

RemovedTable read_removed(BodyReader& in) {
  RemovedTable table;
  table.family = in.number32();
  table.level = static_cast<std::uint32_t>(in.number(kLevelCount - 1));
  table.id = in.id();
  return table;
}

FlushedFamily read_flushed(BodyReader& in) {
  FlushedFamily flushed;
  flushed.family = in.number32();
  flushed.sequence = in.sequence();
  return flushed;
}

wal::DurableEnd read_log_durable(BodyReader& in) {
  wal::DurableEnd durable;
  durable.id = in.id();
  durable.bytes = in.number();
  in.require(durable.bytes >= wal::kSegmentHeaderBytes);
  return durable;
}

void append_clean_close(std::string& out, const CleanClose& close) {
  Body body;
  body.number(close.last_sequence);
  for (const wal::SegmentEnd& end : close.segments) body.number(end.id).number(end.length).fixed(end.chain);
  body.append_to(out, Tag::kCleanClose);
}

CleanClose read_clean_close(BodyReader& in) {
  CleanClose close;
  close.last_sequence = in.sequence();
  while (in.remaining() != 0) {
    wal::SegmentEnd end;
    end.id = in.id();
    end.length = in.number();
    end.chain = in.fixed<std::uint32_t>();
    close.segments.push_back(end);
  }
  return close;
}

// A field that may be there once.
template <class T, class U>
void set_once(std::optional<T>& field, BodyReader& in, U value) {
  in.require(!field.has_value());
  field = static_cast<T>(std::move(value));
}

enum class FieldOutcome { kRead, kMalformed, kNewer };

FieldOutcome read_field(Tag tag, Slice bytes, VersionEdit& edit) {
  BodyReader in(bytes);
  bool newer = false;
  switch (tag) {
    case Tag::kNextFileId: set_once(edit.next_file_id, in, in.number()); break;
    case Tag::kNextFamilyId: set_once(edit.next_family_id, in, in.number32()); break;
    case Tag::kLastSequence: set_once(edit.last_sequence, in, in.sequence()); break;
    case Tag::kLogSegmentRemoved: edit.log_segments_removed.push_back(in.id()); break;
    case Tag::kLogSegmentAdded: edit.log_segments_added.push_back(in.id()); break;
    case Tag::kFamilyCreated: edit.families_created.push_back(read_created(in, newer)); break;
    case Tag::kTableRemoved: edit.tables_removed.push_back(read_removed(in)); break;
    case Tag::kTableAdded: edit.tables_added.push_back(read_table(in)); break;
    case Tag::kFlushed: edit.flushed.push_back(read_flushed(in)); break;
    case Tag::kFamilyDropped: edit.families_dropped.push_back(in.number32()); break;
    case Tag::kCleanClose: set_once(edit.clean_close, in, read_clean_close(in)); break;
    case Tag::kValueFileAdded: edit.values_added.push_back(read_value_file(in)); break;
    case Tag::kTableValues: read_table_values(in, edit); break;
    case Tag::kFamilyValues: read_family_values(in, edit); break;
    case Tag::kLogDurable: set_once(edit.log_durable, in, read_log_durable(in)); break;
    default: return FieldOutcome::kNewer;
  }
  if (!in.finish()) return FieldOutcome::kMalformed;
  return newer ? FieldOutcome::kNewer : FieldOutcome::kRead;
}

}  // namespace

std::string encode_version_edit(const VersionEdit& edit) {
  std::string out;
  if (edit.next_file_id.has_value()) append_number(out, Tag::kNextFileId, *edit.next_file_id);
  if (edit.next_family_id.has_value()) append_number(out, Tag::kNextFamilyId, *edit.next_family_id);
  if (edit.last_sequence.has_value()) append_number(out, Tag::kLastSequence, *edit.last_sequence);
  for (const std::uint64_t id : edit.log_segments_removed) append_number(out, Tag::kLogSegmentRemoved, id);
  for (const std::uint64_t id : edit.log_segments_added) append_number(out, Tag::kLogSegmentAdded, id);
  if (edit.log_durable.has_value()) {
    Body().number(edit.log_durable->id).number(edit.log_durable->bytes).append_to(out, Tag::kLogDurable);
  }
  for (const CreatedFamily& family : edit.families_created) append_created(out, family);
  for (const AddedValueFile& values : edit.values_added) append_value_file(out, values);
  for (const RemovedTable& table : edit.tables_removed) {
    Body().number(table.family).number(table.level).number(table.id).append_to(out, Tag::kTableRemoved);
  }
  for (const AddedTable& table : edit.tables_added) append_table(out, table);
  for (const FlushedFamily& flushed : edit.flushed) {
    Body().number(flushed.family).number(flushed.sequence).append_to(out, Tag::kFlushed);
  }
  for (const std::uint32_t id : edit.families_dropped) append_number(out, Tag::kFamilyDropped, id);
  if (edit.clean_close.has_value()) append_clean_close(out, *edit.clean_close);
  return out;
}

Result<VersionEdit> decode_version_edit(Slice bytes) {
  VersionEdit edit;
  const char* in = bytes.data();
  const char* const end = bytes.data() + bytes.size();
  const auto place = [&](const char* at) { return "byte " + std::to_string(at - bytes.data()) + " of the edit: "; };
  while (in < end) {
    const char* const field = in;
    std::uint32_t tag = 0;
    std::uint64_t body_bytes = 0;
    in = get_varint32(in, end, tag);
    if (in != nullptr) in = get_varint(in, end, body_bytes);
    if (in == nullptr || body_bytes > static_cast<std::uint64_t>(end - in)) {
      return Status(StatusCode::kInvalidArgument, place(field) + "a field that does not end within it");
    }
    switch (read_field(Tag{tag}, Slice(in, static_cast<std::size_t>(body_bytes)), edit)) {
      case FieldOutcome::kRead: break;
      case FieldOutcome::kMalformed:
        return Status(StatusCode::kInvalidArgument, place(field) + "field " + std::to_string(tag) + " is malformed");
      case FieldOutcome::kNewer:
        return Status(StatusCode::kNewerFormat, place(field) + "field " + std::to_string(tag) +
                                                    " is unknown to manifest format version " +
                                                    std::to_string(kManifestFormatVersion));
    }
    in += body_bytes;
  }
  return edit;
}

}  // namespace firn::lsm
