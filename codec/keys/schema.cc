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

class EntitySchema final : public KeySchema {
 public:
  std::string_view name() const override { return "entity"; }

  Status format_text(Slice key, std::string& out) const override {
    const Result<EntityKey> parsed = parse_entity_key(key);
    if (!parsed.ok()) return parsed.status();
    append_decimal(out, parsed->id);
    append_tag_text(out.append("/"), parsed->tag);
    append_escaped_text(out.append("/"), parsed->suffix, "");
    return {};
  }

  Status format_json(Slice key, std::string& out) const override {
    const Result<EntityKey> parsed = parse_entity_key(key);
    if (!parsed.ok()) return parsed.status();
    append_json_integer(out.append(R"({"id":)"), parsed->id);
    append_tag_text(out.append(R"(,"tag":")"), parsed->tag);
    append_json_bytes(out.append(R"(",)"), "suffix", parsed->suffix);
    out.append("}");
    return {};
  }

  Status parse_key(std::string_view text, std::string& out) const override { return parse(text, true, out); }
  Status parse_prefix(std::string_view text, std::string& out) const override { return parse(text, false, out); }

 private:
  static Status parse(std::string_view text, bool whole, std::string& out) {
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

class TimeSchema final : public KeySchema {
 public:
  std::string_view name() const override { return "time"; }

  Status format_text(Slice key, std::string& out) const override {
    const Result<TimeKey> parsed = parse_time_key(key);
    if (!parsed.ok()) return parsed.status();
    append_escaped_text(out, parsed->prefix, " ");
    append_instant_text(out.append(" "), static_cast<std::int64_t>(parsed->time_ms));
    out.append(" ").append(parsed->ulid.text());
    return {};
  }

  Status format_json(Slice key, std::string& out) const override {
    const Result<TimeKey> parsed = parse_time_key(key);
    if (!parsed.ok()) return parsed.status();
    append_json_bytes(out.append("{"), "prefix", parsed->prefix);
    append_json_integer(out.append(R"(,"time_ms":)"), parsed->time_ms);
    out.append(R"(,"ulid":")").append(parsed->ulid.text()).append(R"("})");
    return {};
  }

  Status parse_key(std::string_view text, std::string& out) const override { return parse(text, true, out); }
  Status parse_prefix(std::string_view text, std::string& out) const override { return parse(text, false, out); }

 private:
  static Status parse(std::string_view text, bool whole, std::string& out) {
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

class SeriesSchema final : public KeySchema {
 public:
  std::string_view name() const override { return "series"; }

  Status format_text(Slice key, std::string& out) const override {
    const Result<SeriesKey> parsed = parse_series_key(key);
    if (!parsed.ok()) return parsed.status();
    append_decimal(out, parsed->series);
    append_instant_text(out.append(" "), parsed->time);
    return {};
  }

  Status format_json(Slice key, std::string& out) const override {
    const Result<SeriesKey> parsed = parse_series_key(key);
    if (!parsed.ok()) return parsed.status();
    append_json_integer(out.append(R"({"series":)"), parsed->series);
    append_json_integer(out.append(R"(,"time":)"), parsed->time);
    out.append("}");
    return {};
  }

  Status parse_key(std::string_view text, std::string& out) const override { return parse(text, true, out); }
  Status parse_prefix(std::string_view text, std::string& out) const override { return parse(text, false, out); }

 private:
  static Status parse(std::string_view text, bool whole, std::string& out) {
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
