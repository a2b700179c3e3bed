// The list of schemas, and those of entities, times and series; that of tuples is in tuple_schema.cc.
// Tested by tests/codec/keys/schema_test.cc.
#include "firn/codec/schema.h"

#include <array>

#include "codec/keys/key_text.h"
#include "codec/keys/tuple_schema.h"
#include "firn/codec/entity_key.h"
#include "firn/codec/series_key.h"
#include "firn/codec/time_key.h"

namespace firn::codec {
namespace {

constexpr std::array<std::string_view, 7> kTagNames = {"", "Evt", "Sig", "Meta", "Rel", "Mv", "Idx"};

void append_tag_text(std::string& out, EntityTag tag) {
  const auto number = static_cast<std::uint8_t>(tag);
  if (number < kTagNames.size()) {
    out.append(kTagNames[number]);
  } else {
    append_decimal(out, std::uint64_t{number});
  }
}

bool parse_tag(TextReader& reader, EntityTag& tag) {
  for (std::size_t number = 1; number < kTagNames.size(); ++number) {
    if (reader.take(kTagNames[number])) {
      tag = static_cast<EntityTag>(number);
      return true;
    }
  }
  const std::size_t start = reader.offset();
  std::uint64_t number = 0;
  if (!reader.unsigned_decimal(number)) return false;
  if (number == 0 || number > 255) return reader.fail_at(start, "a tag is Evt, Sig, Meta, Rel, Mv, Idx or 1 to 255");
  tag = static_cast<EntityTag>(number);
  return true;
}

// What the schemas share whose keys are decoded into a `Key` before they are shown.
template <class Key>
class DecodedSchema : public KeySchema {
 public:
  Status format_text(Slice key, std::string& out) const final {
    const Result<Key> decoded = decode(key);
    if (decoded.ok()) append_text(out, *decoded);
    return decoded.status();
  }
  Status format_json(Slice key, std::string& out) const final {
    const Result<Key> decoded = decode(key);
    if (decoded.ok()) append_json(out, *decoded);
    return decoded.status();
  }
  Status parse_key(std::string_view text, std::string& out) const final { return parse(text, true, out); }
  Status parse_prefix(std::string_view text, std::string& out) const final { return parse(text, false, out); }

 private:
  virtual Result<Key> decode(Slice key) const = 0;
  virtual void append_text(std::string& out, const Key& key) const = 0;
  virtual void append_json(std::string& out, const Key& key) const = 0;
  // `whole`: a whole key, else the beginning of one.
  virtual Status parse(std::string_view text, bool whole, std::string& out) const = 0;
};

class EntitySchema final : public DecodedSchema<EntityKey> {
 public:
  std::string_view name() const override { return "entity"; }

 private:
  Result<EntityKey> decode(Slice key) const override { return parse_entity_key(key); }
  void append_text(std::string& out, const EntityKey& key) const override {
    append_decimal(out, key.id);
    append_tag_text(out.append("/"), key.tag);
    append_escaped_text(out.append("/"), key.suffix, "");
  }

  void append_json(std::string& out, const EntityKey& key) const override {
    append_json_integer(out.append(R"({"id":)"), key.id);
    append_tag_text(out.append(R"(,"tag":")"), key.tag);
    append_json_bytes(out.append(R"(",)"), "suffix", key.suffix);
    out.append("}");
  }

  Status parse(std::string_view text, bool whole, std::string& out) const override {
    TextReader reader(text);
    std::uint64_t id = 0;
    EntityTag tag{};
    std::string suffix;
    if (reader.unsigned_decimal(id)) {
      if (reader.at_end() && !whole) {
        out.append(entity_prefix(id));
        return {};
      }
      if (!reader.take('/')) {
        reader.fail("the id is followed by / and a tag");
      } else if (parse_tag(reader, tag)) {
        if (!reader.take('/') && (whole || !reader.at_end())) {
          reader.fail("the tag is followed by / and the suffix");
        } else {
          reader.escaped(suffix, "");
        }
      }
    }
    Status status = reader.status("entity key");
    if (status.ok()) append_entity_key(out, {id, tag, suffix});
    return status;
  }
};

class TimeSchema final : public DecodedSchema<TimeKey> {
 public:
  std::string_view name() const override { return "time"; }

 private:
  Result<TimeKey> decode(Slice key) const override { return parse_time_key(key); }
  void append_text(std::string& out, const TimeKey& key) const override {
    append_escaped_text(out, key.prefix, " ");
    append_instant_text(out.append(" "), static_cast<std::int64_t>(key.time_ms));
    out.append(" ").append(key.ulid.text());
  }

  void append_json(std::string& out, const TimeKey& key) const override {
    append_json_bytes(out.append("{"), "prefix", key.prefix);
    append_json_integer(out.append(R"(,"time_ms":)"), key.time_ms);
    out.append(R"(,"ulid":")").append(key.ulid.text()).append(R"("})");
  }

  Status parse(std::string_view text, bool whole, std::string& out) const override {
    TextReader reader(text);
    std::string prefix;
    std::int64_t ms = 0;
    const bool prefix_read = reader.escaped(prefix, " ");
    reader.take_blanks();
    if (prefix_read && !whole && reader.at_end()) return append_prefix(prefix, out);
    if (prefix_read && reader.instant(ms)) {
      reader.take_blanks();
      if (ms < 0) reader.fail("a time key has no time before 1970");
      if (!whole && reader.at_end()) {
        Status status = reader.status("time key");
        return status.ok() ? append_time_bound(out, prefix, static_cast<std::uint64_t>(ms)) : status;
      }
    }
    Status status = reader.status("time key");
    if (!status.ok()) return status;
    const Result<Ulid> ulid = parse_ulid(text.substr(reader.offset()));
    if (!ulid.ok()) return ulid.status();
    return append_time_key(out, {prefix, static_cast<std::uint64_t>(ms), *ulid});
  }

  // "{prefix}:", the bound without its digits.
  static Status append_prefix(Slice prefix, std::string& out) {
    Status status = append_time_bound(out, prefix, kTimeKeyMsMax + 1);
    if (status.ok()) out.pop_back();
    return status;
  }
};

class SeriesSchema final : public DecodedSchema<SeriesKey> {
 public:
  std::string_view name() const override { return "series"; }

 private:
  Result<SeriesKey> decode(Slice key) const override { return parse_series_key(key); }
  void append_text(std::string& out, const SeriesKey& key) const override {
    append_decimal(out, key.series);
    append_instant_text(out.append(" "), key.time);
  }

  void append_json(std::string& out, const SeriesKey& key) const override {
    append_json_integer(out.append(R"({"series":)"), key.series);
    append_json_integer(out.append(R"(,"time":)"), key.time);
    out.append("}");
  }

  Status parse(std::string_view text, bool whole, std::string& out) const override {
    TextReader reader(text);
    SeriesKey key;
    if (reader.unsigned_decimal(key.series)) {
      reader.take_blanks();
      if (!whole && reader.at_end()) {
        out.append(series_prefix(key.series));
        return {};
      }
      if (reader.instant(key.time) && !reader.at_end()) reader.fail("the key should end here");
    }
    Status status = reader.status("series key");
    if (status.ok()) out.append(encode_series_key(key));
    return status;
  }
};

const EntitySchema kEntity;
const TimeSchema kTime;
const SeriesSchema kSeries;

}  // namespace

std::span<const KeySchema* const> key_schemas() {
  static const std::array<const KeySchema*, 4> kSchemas = {&tuple_schema(), &kEntity, &kTime, &kSeries};
  return kSchemas;
}

const KeySchema* find_key_schema(std::string_view name) {
  for (const KeySchema* schema : key_schemas()) {
    if (schema->name() == name) return schema;
  }
  return nullptr;
}

}  // namespace firn::codec
