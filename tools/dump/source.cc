#include "tools/dump/source.h"

#include <fmt/core.h>

#include <utility>

#include "codec/varint.h"
#include "lsm/file_names.h"
#include "lsm/manifest_format.h"
#include "platform/io.h"
#include "sstable/table_format.h"
#include "sstable/value_format.h"
#include "tools/text/escape.h"
#include "wal/log_format.h"

namespace firn::tools {

namespace {

std::string name_of(const std::string& path) {
  const std::size_t slash = path.find_last_of('/');
  return slash == std::string::npos ? path : path.substr(slash + 1);
}

std::optional<SourceKind> kind_by_magic(Slice bytes) {
  if (bytes.size() >= sizeof(std::uint64_t)) {
    const auto magic = load<std::uint64_t>(bytes.data());
    if (magic == wal::kSegmentMagic) return SourceKind::kLog;
    if (magic == lsm::kManifestMagic) return SourceKind::kManifest;
  }
  if (bytes.size() >= sstable::kFooterBytes) {
    const char* const footer = bytes.data() + bytes.size() - sstable::kFooterBytes;
    if (load<std::uint64_t>(footer + sstable::kFooterMagicOffset) == sstable::kTableMagic) return SourceKind::kTable;
  }
  if (bytes.size() >= sstable::kValueFooterBytes) {
    const char* const footer = bytes.data() + bytes.size() - sstable::kValueFooterBytes;
    if (load<std::uint64_t>(footer) == sstable::kValueMagic) return SourceKind::kValues;
  }
  if (lsm::decode_current(bytes).has_value()) return SourceKind::kCurrent;
  return std::nullopt;
}

}  // namespace

Result<Source> Source::open(FileSystem& files, const std::string& path) {
  Source source(files);
  source.path_ = path;
  source.directory_ = parent_directory(path);
  if (files.list(path).ok()) {
    return Status(StatusCode::kInvalidArgument,
                  path + ": is a directory (firn inspect shows a database, firn dump one file)");
  }
  if (Status status = source.load(); !status.ok()) return status;
  if (Status status = source.find_kind(); !status.ok()) return status;
  source.find_manifest();
  return source;
}

Status Source::load() {
  auto file = files_->open(path_, OpenMode::kRead, FileKind::kOther);
  if (file.status().is_not_found()) return Status(StatusCode::kNotADatabase, path_ + ": no such file");
  if (!file.ok()) return file.status();
  if (auto mapping = (*file)->map(); mapping.ok()) {
    mapping_ = std::move(mapping).value();
    return {};
  }
  auto contents = read_file(*files_, path_);
  if (!contents.ok()) return contents.status();
  contents_ = std::move(contents).value();
  return {};
}

Status Source::find_kind() {
  const auto name = lsm::parse_file_name(name_of(path_));
  if (name && name->kind != lsm::NameKind::kLock && name->kind != lsm::NameKind::kTemporary) {
    switch (name->kind) {
      case lsm::NameKind::kTable: kind_ = SourceKind::kTable; break;
      case lsm::NameKind::kValues: kind_ = SourceKind::kValues; break;
      case lsm::NameKind::kLog: kind_ = SourceKind::kLog; break;
      case lsm::NameKind::kManifest: kind_ = SourceKind::kManifest; break;
      default: kind_ = SourceKind::kCurrent; return {};
    }
    number_ = name->number;
    return {};
  }
  if (const auto kind = kind_by_magic(bytes())) {
    kind_ = *kind;
    return {};
  }
  return Status(StatusCode::kNotADatabase,
                path_ + ": neither a log segment, a table, a value file, a manifest nor a CURRENT of Firn");
}

void Source::find_manifest() {
  auto contents = lsm::list_database(*files_, directory_);
  if (!contents.ok()) return;
  auto loaded = lsm::load_current_manifest(*files_, directory_, *contents);
  if (loaded.ok()) manifest_ = std::move(loaded).value();
}

std::string Source::family(std::uint32_t id) const {
  return manifest_ ? family_name(manifest_->state, id) : fmt::format("#{}", id);
}

std::string family_name(const lsm::ManifestState& state, std::uint32_t id) {
  const auto found = state.families.find(id);
  return found != state.families.end() ? escape(found->second.name) : fmt::format("#{}", id);
}

}  // namespace firn::tools
