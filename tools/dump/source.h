// One file to look into, with what the manifest in its directory, if there is one, says of it.
//
// Thread safety: one thread. Lifetime: the file system outlives it.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "firn/file_system.h"
#include "firn/slice.h"
#include "firn/status.h"
#include "lsm/manifest_reader.h"
#include "tools/dump/output.h"

namespace firn::tools {

enum class SourceKind { kLog, kTable, kValues, kManifest, kCurrent };

// How much of a file is shown.
enum class Depth { kSummary, kRows };

class Source {
 public:
  // Errors: kNotADatabase (no such file, or no kind of file that Firn has), kInvalidArgument (a directory), kIo.
  static Result<Source> open(FileSystem& files, const std::string& path);

  FileSystem& files() const { return *files_; }
  const std::string& path() const { return path_; }
  const std::string& directory() const { return directory_; }
  SourceKind kind() const { return kind_; }
  // As the name has it; absent for a file that goes by another name.
  std::optional<std::uint64_t> number() const { return number_; }
  // The whole file. Pages that cannot be read are zeros here, and lost_pages() is set once they were touched.
  Slice bytes() const { return mapping_ != nullptr ? mapped() : Slice(contents_); }
  bool lost_pages() const { return mapping_ != nullptr && mapping_->damaged(); }

  // The manifest in force next to the file; absent where there is none that can be read.
  const std::optional<lsm::LoadedManifest>& manifest() const { return manifest_; }
  // A family's name, or "#7" where the manifest does not know it.
  std::string family(std::uint32_t id) const;

 private:
  explicit Source(FileSystem& files) : files_(&files) {}
  Status load();
  Status find_kind();
  void find_manifest();
  Slice mapped() const { return {reinterpret_cast<const char*>(mapping_->bytes().data()), mapping_->bytes().size()}; }

  FileSystem* files_;
  std::string path_;
  std::string directory_;
  SourceKind kind_ = SourceKind::kCurrent;
  std::optional<std::uint64_t> number_;
  std::unique_ptr<FileMapping> mapping_;  // Or, where files cannot be mapped:
  std::string contents_;
  std::optional<lsm::LoadedManifest> manifest_;
};

std::string family_name(const lsm::ManifestState& state, std::uint32_t id);

// One for each kind: prints the file; what is wrong with it goes to Output::damage().
void dump_log(const Source& source, Depth depth, Output& out);
void dump_table(const Source& source, Depth depth, Output& out);
void dump_values(const Source& source, Depth depth, Output& out);
void dump_manifest(const Source& source, Depth depth, Output& out);
void dump_current(const Source& source, Output& out);

// The first fields of every file.
void print_heading(const Source& source, std::string_view what, Output& out);
// The source's file as a whole.
Status show(const std::string& path, Depth depth, const DumpOptions& options);

}  // namespace firn::tools
