#include "lsm/salvaged_values.h"

#include "lsm/file_names.h"
#include "sstable/value_file.h"

namespace firn::lsm {

Status SalvagedValues::read(Slice reference, Slice key, std::string& value) {
  ValueReference at;
  if (!sstable::decode_reference(reference, at)) return Status::corruption(directory_, 0, "a malformed reference");
  std::unique_ptr<File>& file = open_[at.file];
  const std::string path = value_path(directory_, at.file);
  if (file == nullptr) {
    auto opened = files_.open(path, OpenMode::kRead, FileKind::kValues);
    if (opened.status().is_not_found()) return Status::corruption(path, at.offset, "the file is missing");
    if (!opened.ok()) return opened.status();
    file = std::move(opened).value();
  }
  // What is read is as long as the reference says; nothing is reserved for what cannot be there.
  const auto size = file->size();
  if (!size.ok()) return size.status();
  if (at.bytes > *size || at.offset > *size - at.bytes) {
    return Status::corruption(path, *size, "the file ends before a value of it");
  }
  return read_value_record(*file, at, key, scratch_, value);
}

Damage SalvagedValues::damage(Slice reference, const std::string& key, const std::string& family,
                              const Status& status) const {
  Damage damage;
  damage.status = status;
  ValueReference at;
  if (sstable::decode_reference(reference, at)) {
    damage.file = value_path(directory_, at.file);
    damage.offset = at.offset;
    damage.bytes = at.bytes;
  }
  damage.family = family;
  damage.loses_keys = true;
  damage.first_key = key;
  damage.last_key = key + std::string(1, '\0');
  return damage;
}

}  // namespace firn::lsm
