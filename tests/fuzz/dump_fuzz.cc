// Any bytes in any kind of file, as they are and with their checksums put right: `firn dump` prints them, as text and
// as JSON, and says what is wrong with them.
#include <fcntl.h>
#include <unistd.h>

#include <cstdio>
#include <span>
#include <string>
#include <vector>

#include "firn/sim/file_system.h"
#include "platform/assert.h"
#include "platform/io.h"
#include "tests/fuzz/input.h"
#include "tests/fuzz/sealed_files.h"
#include "tests/fuzz/target.h"
#include "tools/dump/source.h"

namespace firn::fuzz {

namespace {

// Standard output goes nowhere meanwhile.
class Silence {
 public:
  Silence() : saved_((std::fflush(stdout), dup(STDOUT_FILENO))) {
    const int nowhere = open("/dev/null", O_WRONLY);
    FIRN_ASSERT(saved_ >= 0 && nowhere >= 0 && dup2(nowhere, STDOUT_FILENO) >= 0);
    close(nowhere);
  }
  ~Silence() {
    std::fflush(stdout);
    dup2(saved_, STDOUT_FILENO);
    close(saved_);
  }
  Silence(const Silence&) = delete;
  Silence& operator=(const Silence&) = delete;

 private:
  const int saved_;
};

Status dump(const tools::Source& source, const tools::DumpOptions& options) {
  tools::Output out(options);
  switch (source.kind()) {
    case tools::SourceKind::kLog: dump_log(source, tools::Depth::kRows, out); break;
    case tools::SourceKind::kTable: dump_table(source, tools::Depth::kRows, out); break;
    case tools::SourceKind::kValues: dump_values(source, tools::Depth::kRows, out); break;
    case tools::SourceKind::kManifest: dump_manifest(source, tools::Depth::kRows, out); break;
    case tools::SourceKind::kCurrent: dump_current(source, out); break;
  }
  return out.finish();
}

struct File {
  const char* name;
  std::string contents;
};

File make_file(Slice input) {
  Input in(input);
  wal::SegmentEnd end;
  switch (in.byte() % 8) {
    case 0: return {"000001.log", sealed_segment(1, {}, in.rest(), end)};
    case 1: return {"000007.table", sealed_table(in.rest())};
    case 2: return {"MANIFEST-000001", sealed_manifest(in.rest())};
    case 3: return {"CURRENT", std::string(in.rest())};
    case 4: return {"000001.log", std::string(in.rest())};
    case 5: return {"000007.table", std::string(in.rest())};
    case 6: return {"MANIFEST-000001", std::string(in.rest())};
    default: return {"any name", std::string(in.rest())};
  }
}

void run(Slice input) {
  const File file = make_file(input);
  sim::SimFileSystem files;
  auto out = files.open(file.name, OpenMode::kCreate, FileKind::kOther);
  FIRN_ASSERT(out.ok() && write_all(**out, 0, std::as_bytes(std::span(file.contents))).ok());
  const auto source = tools::Source::open(files, file.name);
  if (!source.ok()) return FIRN_ASSERT(source.status().code() == StatusCode::kNotADatabase);
  const Silence silence;
  const StatusCode code = dump(*source, {}).code();
  FIRN_ASSERT(code == StatusCode::kOk || code == StatusCode::kCorruption || code == StatusCode::kNewerFormat ||
              code == StatusCode::kNotSupported);
  FIRN_ASSERT(dump(*source, {.json = true, .hex = true}).code() == code);
}

std::vector<std::string> seeds() {
  std::vector<std::string> inputs = {"\3MANIFEST-000001 1 0"};
  inputs.push_back('\0' + std::string("\x7F payload of a record, 64 bytes, and what is no batch ...................."));
  inputs.push_back('\2' + manifest_input(sample_edits()));
  for (const std::string& table : sample_tables()) inputs.push_back('\1' + table_input(table));
  return inputs;
}

const Registration kRegistered({"dump", run, seeds, 5'000});

}  // namespace

}  // namespace firn::fuzz
