#include "tests/golden/content.h"

#include <cstdint>
#include <string>

namespace firn::golden {

namespace {

// Writes until something fails, and remembers what.
class Writer {
 public:
  Writer(DB& db, const std::function<void()>& after_step) : db_(db), after_step_(after_step) {}

  void put(Family family, Slice key, Slice value) { keep(db_.put(family, key, value, kOptions)); }
  void erase(Family family, Slice key) { keep(db_.erase(family, key, kOptions)); }
  void write(const WriteBatch& batch) { keep(db_.write(batch, kOptions)); }
  void keep(Status status) {
    if (status_.ok()) status_ = std::move(status);
    if (after_step_) after_step_();
  }
  Family create(const std::string& name, const FamilyOptions& options) {
    auto family = db_.create_family(name, options);
    keep(family.status());
    return family.ok() ? *family : kDefaultFamily;
  }
  const Status& status() const { return status_; }

 private:
  static constexpr WriteOptions kOptions{Durability::kBuffered};
  DB& db_;
  const std::function<void()>& after_step_;
  Status status_;
};

std::string user_key(int number) {
  std::string digits = std::to_string(number);
  return "user:" + std::string(6 - digits.size(), '0') + digits;
}

std::string user_value(int number, int round) {
  return "round " + std::to_string(round) + " of user " + std::to_string(number * 7919 % 1000) +
         std::string(static_cast<std::size_t>(number % 90), static_cast<char>('a' + number % 26));
}

// Bytes that do not compress.
std::string noise(std::size_t bytes) {
  std::string out;
  std::uint64_t state = bytes + 1;
  for (std::size_t i = 0; i < bytes; ++i) {
    state = state * 6364136223846793005ULL + 1442695040888963407ULL;
    out += static_cast<char>(state >> 56);
  }
  return out;
}

void write_edges(Writer& writer, Family family) {
  writer.put(family, "", "the empty key");
  writer.put(family, "empty value", "");
  writer.put(family, Slice("\0\0\x01", 3), Slice("\0", 1));
  writer.put(family, "\xFF\xFF\xFF", "\xFF");
  writer.put(family, std::string(3000, 'k'), "a long key");
  writer.put(family, "long value", noise(9000));
  for (int byte = 0; byte < 256; ++byte) {
    writer.put(family, "byte " + std::string(1, static_cast<char>(byte)), std::to_string(byte));
  }
}

}  // namespace

Status write_version_1(DB& db, Compression codec, const std::function<void()>& after_step) {
  Writer writer(db, after_step);
  FamilyOptions packed;
  packed.filter_bits_per_key = 0;
  packed.compression.emplace();
  for (std::size_t level = 1; level < packed.compression->size(); ++level) (*packed.compression)[level] = codec;
  const Family notes = writer.create("notes", packed);
  const Family gone = writer.create("gone", {});
  writer.put(gone, "key", "of a family that was dropped");

  for (int number = 0; number < 400; ++number) {
    writer.put(kDefaultFamily, user_key(number), user_value(number, 1));
    writer.put(notes, user_key(number), user_value(number, 2));
  }
  write_edges(writer, notes);
  for (const Family family : {kDefaultFamily, notes}) writer.keep(db.compact_range(family, {}, {}));
  writer.keep(db.drop_family(gone));

  for (int number = 0; number < 400; number += 3) writer.put(kDefaultFamily, user_key(number), user_value(number, 3));
  for (int number = 0; number < 400; number += 5) writer.erase(kDefaultFamily, user_key(number));
  for (int number = 0; number < 400; number += 7) writer.erase(notes, user_key(number));
  for (const Family family : {kDefaultFamily, notes}) writer.keep(db.flush(family));

  write_edges(writer, kDefaultFamily);
  WriteBatch batch;
  for (int number = 390; number < 420; ++number) {
    batch.put(kDefaultFamily, user_key(number), user_value(number, 4));
    batch.put(notes, user_key(number), user_value(number, 5));
  }
  batch.erase(notes, "byte a");
  writer.write(batch);
  writer.erase(kDefaultFamily, user_key(1));
  return writer.status();
}

Options version_1_options() {
  Options options;
  options.memory_bytes = std::uint64_t{4} << 20;
  options.compression.fill(Compression::kNone);
  options.sizes.block_bytes = 1024;
  options.sizes.table_bytes = 64 << 10;
  options.sizes.log_segment_bytes = 64 << 10;
  return options;
}

}  // namespace firn::golden
