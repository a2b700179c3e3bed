#include "compaction/value_separator.h"

#include <algorithm>
#include <utility>

namespace firn::compaction {

Status ValueSeparator::place(Entry& entry) {
  return entry.kind == EntryKind::kReference ? move(entry) : separate(entry, entry.value);
}

Status ValueSeparator::move(Entry& entry) {
  ValueReference at;
  if (!sstable::decode_reference(entry.value, at)) {
    return Status(StatusCode::kCorruption, "compaction met a malformed reference: its inputs are left as they are");
  }
  if (!std::binary_search(task_.emptied.begin(), task_.emptied.end(), at.file)) return {};
  if (Status s = task_.read(at, entry.key, value_); !s.ok()) return s;
  outcome_.bytes_moved += value_.size();
  return separate(entry, value_);
}

Status ValueSeparator::separate(Entry& entry, Slice value) {
  if (output_.builder == nullptr) {
    auto made = task_.create_file();
    if (!made.ok()) return made.status();
    output_ = std::move(made).value();
    outcome_.created.push_back(output_.id);
  }
  const auto at = output_.builder->add(entry.key, value);
  if (!at.ok()) return at.status();
  const char* const end = sstable::encode_reference(*at, reference_.data());
  entry.kind = EntryKind::kReference;
  entry.value = {reference_.data(), static_cast<std::size_t>(end - reference_.data())};
  return output_.builder->file_bytes() >= task_.file_bytes ? finish() : Status();
}

Status ValueSeparator::finish() {
  if (output_.builder == nullptr) return {};
  auto meta = output_.builder->finish();
  if (!meta.ok()) return meta.status();
  outcome_.bytes_written += meta->file_bytes;
  outcome_.files.push_back(*meta);
  output_.builder.reset();
  output_.file.reset();
  return {};
}

}  // namespace firn::compaction
