// A value file of any bytes: its footer, its directory, its records and references to them, each with and without the
// checksum that makes it pass as one. It is read, or it is damage; nothing outside of it is touched.
#include <algorithm>
#include <span>
#include <string>
#include <vector>

#include "codec/checksum.h"
#include "codec/varint.h"
#include "firn/sim/file_system.h"
#include "platform/assert.h"
#include "platform/io.h"
#include "sstable/value_builder.h"
#include "sstable/value_file.h"
#include "tests/fuzz/input.h"
#include "tests/fuzz/target.h"

namespace firn::fuzz {

namespace {

using namespace sstable;

constexpr const char* kPath = "000007.values";
constexpr std::uint64_t kId = 7;

void expect_damage(const Status& status) {
  const StatusCode code = status.code();
  FIRN_ASSERT(status.ok() || code == StatusCode::kCorruption || code == StatusCode::kNotSupported ||
              code == StatusCode::kNewerFormat);
}

// Makes footer and directory agree with the rest, as far as they are there.
std::string sealed(std::string file) {
  if (file.size() < kValueFooterBytes) return file;
  const std::size_t at = file.size() - kValueFooterBytes;
  char* const footer = file.data() + at;
  ValueMeta meta{kId, file.size(), 0, load<std::uint64_t>(footer + 32), load<std::uint64_t>(footer + 40)};
  std::uint64_t sum = 0;
  if (meta.record_bytes < at) {
    sum = checksum(Slice(file).substr(static_cast<std::size_t>(meta.record_bytes),
                                      at - static_cast<std::size_t>(meta.record_bytes)),
                   place_seed(kId, meta.record_bytes));
  }
  encode_value_footer(meta, sum, footer);
  return file;
}

void read_file_of(const std::string& bytes) {
  sim::SimFileSystem files;
  {
    auto file = files.open(kPath, OpenMode::kCreate, FileKind::kValues);
    FIRN_ASSERT(file.ok() && write_all(**file, 0, std::as_bytes(std::span(bytes))).ok());
  }
  auto directory = read_value_directory(files, kPath, nullptr);
  expect_damage(directory.status());
  if (!directory.ok()) return;
  const ValueMeta meta = directory->meta;
  expect_damage(verify_value_file(files, kPath, meta, {}));
  BlockCache cache(1 << 16);
  auto values = ValueFile::open(files, kPath, meta, cache, false);
  FIRN_ASSERT(values.ok());
  std::string scratch;
  std::string value;
  for (std::uint64_t i = 0; i < std::min<std::uint64_t>(meta.records, 100); ++i) {
    const std::uint64_t offset = directory->offset(i);
    const ValueReference at{meta.id, i, offset, directory->end(i) - offset};
    const Slice record = Slice(bytes).substr(static_cast<std::size_t>(offset), static_cast<std::size_t>(at.bytes));
    ValueRecord parts;
    const bool whole = split_value_record(record, parts);
    const EpochGuard guard;
    ValueHit hit;
    const Status read = (*values)->read(guard, at, parts.key, hit);
    expect_damage(read);
    expect_damage(read_value_record(*directory->file, at, parts.key, scratch, value));
    FIRN_ASSERT(!read.ok() || (whole && hit.value == value));
  }
}

void read_reference(Slice bytes) {
  ValueReference at;
  if (!decode_reference(bytes, at)) return;
  char again[kReferenceBytesMax];
  ValueReference same;
  const char* const end = encode_reference(at, again);
  FIRN_ASSERT(decode_reference({again, static_cast<std::size_t>(end - again)}, same) && same == at);
}

void run(Slice bytes) {
  Input input(bytes);
  switch (input.byte() % 3) {
    case 0: return read_reference(input.rest());
    case 1: return read_file_of(std::string(input.rest()));
    default: return read_file_of(sealed(std::string(input.rest())));
  }
}

std::vector<std::string> seeds() {
  sim::SimFileSystem files;
  auto file = files.open(kPath, OpenMode::kCreate, FileKind::kValues);
  ValueBuilder builder(**file, kId, Compression::kZstd);
  std::vector<std::string> inputs;
  for (const char* key : {"", "apple", "banana"}) {
    const auto at = builder.add(key, std::string(200, 'v') + key);
    char reference[kReferenceBytesMax];
    const char* const end = encode_reference(*at, reference);
    inputs.push_back(std::string(1, '\0').append(static_cast<const char*>(reference), end));
  }
  FIRN_ASSERT(builder.finish().ok());
  const std::string whole = *read_file(files, kPath, FileKind::kValues);
  inputs.push_back('\1' + whole);
  inputs.push_back('\2' + whole);
  return inputs;
}

const Registration kRegistered({"values", run, seeds, 1'000});

}  // namespace

}  // namespace firn::fuzz
