// dump_file, and what all kinds of files have in common.

#include <fmt/core.h>

#include "firn/platform.h"
#include "lsm/manifest_format.h"
#include "platform/io.h"
#include "tools/dump/dump.h"
#include "tools/dump/source.h"
#include "tools/text/escape.h"
#include "tools/text/units.h"

namespace firn::tools {

void print_heading(const Source& source, std::string_view what, Output& out) {
  out.heading(fmt::format("{} {}", what, source.path()));
  if (out.json()) {
    out.field("kind", what);
    out.field("path", source.path());
  }
  out.field("file_bytes", source.bytes().size(),
            fmt::format("{} ({})", count_text(source.bytes().size()), bytes_text(source.bytes().size())));
}

void dump_current(const Source& source, Output& out) {
  print_heading(source, "current", out);
  out.field("text", escape(source.bytes().substr(0, lsm::kManifestHeaderBytes * 4)));
  const auto current = lsm::decode_current(source.bytes());
  if (!current.has_value()) {
    out.damage(Status::corruption(source.path(), 0, "is not what a CURRENT says: checksum or form are wrong"));
    return;
  }
  out.field("database", hex64(current->database.high) + hex64(current->database.low));
  out.field("manifest", current->manifest);
  out.field("durable_edit", current->durable_edit);
  const auto contents = lsm::list_database(source.files(), source.directory());
  const auto loaded = contents.ok() && contents->has_current
                          ? lsm::load_current_manifest(source.files(), source.directory(), *contents)
                          : Result<lsm::LoadedManifest>(contents.status());
  if (loaded.ok()) out.field("manifest_edit", loaded->state.edit_number);
  if (contents.ok() && contents->has_current && !loaded.ok()) out.damage(loaded.status());
}

Status show(const std::string& path, Depth depth, const DumpOptions& options) {
  auto source = Source::open(*real_platform().files, path);
  if (!source.ok()) return source.status();
  Output out(options);
  switch (source->kind()) {
    case SourceKind::kLog: dump_log(*source, depth, out); break;
    case SourceKind::kTable: dump_table(*source, depth, out); break;
    case SourceKind::kValues: dump_values(*source, depth, out); break;
    case SourceKind::kManifest: dump_manifest(*source, depth, out); break;
    case SourceKind::kCurrent: dump_current(*source, out); break;
  }
  if (source->lost_pages()) {
    out.damage(Status(StatusCode::kIo, path + ": parts cannot be read from the device; they were taken for zeros"));
  }
  return out.finish();
}

Status dump_file(const std::string& path, const DumpOptions& options) { return show(path, Depth::kRows, options); }

}  // namespace firn::tools
