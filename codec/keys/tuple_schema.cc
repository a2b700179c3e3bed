// Readable tuples: values as in EDN (Clojure's notation), instants as @ and a date, ~ before a descending part.
// Tested by tests/codec/keys/schema_test.cc.
#include "codec/keys/tuple_schema.h"

#include <charconv>
#include <cmath>

#include "codec/keys/key_text.h"
#include "firn/codec/tuple.h"

namespace firn::codec {
namespace {

// What a keyword holds without quotes.
constexpr std::string_view kSymbolCharacters =
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.*+!-_?$%&=<>";
constexpr std::string_view kNumberCharacters = "0123456789+-.eE";

void append_quoted(std::string& out, Slice text) {
  append_escaped_text(out.append("\""), text, "\"");
  out.append("\"");
}

void append_symbol(std::string& out, Slice text) {
  const bool plain = !text.empty() && text.find_first_not_of(kSymbolCharacters) == Slice::npos;
  if (plain) {
    out.append(text);
  } else {
    append_quoted(out, text);
  }
}

// Formats of one part; `Format` is one of the two classes below, and `scratch` is decoded text.
struct TextFormat {
  static void part(const TuplePart& part, std::string& out);

  static Status tuple(TupleReader reader, std::string& out) {
    out.push_back('[');
    for (bool first = true; reader.next(); first = false) {
      if (!first) out.push_back(' ');
      part(reader.part(), out);
    }
    out.push_back(']');
    return reader.status();
  }
};

struct JsonFormat {
  static void part(const TuplePart& part, std::string& out);

  static Status tuple(TupleReader reader, std::string& out) {
    out.push_back('[');
    for (bool first = true; reader.next(); first = false) {
      if (!first) out.push_back(',');
      part(reader.part(), out);
    }
    out.push_back(']');
    return reader.status();
  }
};

void TextFormat::part(const TuplePart& part, std::string& out) {
  std::string scratch;
  if (part.direction == Direction::kDescending) out.push_back('~');
  switch (part.kind) {
    case TupleKind::kNil: out.append("nil"); break;
    case TupleKind::kInteger: append_decimal(out, part.integer); break;
    case TupleKind::kDouble: append_double_text(out, part.number); break;
    case TupleKind::kString: append_quoted(out, part.text.view(scratch)); break;
    case TupleKind::kKeyword: {
      out.push_back(':');
      const Slice name_space = part.name_space.view(scratch);
      if (!name_space.empty()) {
        append_symbol(out, name_space);
        out.push_back('/');
      }
      append_symbol(out, part.text.view(scratch));
      break;
    }
    case TupleKind::kInstant: append_instant_text(out, part.integer); break;
    // The reader checked the elements when it came to the vector.
    case TupleKind::kVector: static_cast<void>(tuple(TupleReader(part), out)); break;
  }
}

void JsonFormat::part(const TuplePart& part, std::string& out) {
  std::string scratch;
  const auto begin = [&](std::string_view type) { out.append(R"({"type":")").append(type).append("\""); };
  switch (part.kind) {
    case TupleKind::kNil: begin("nil"); break;
    case TupleKind::kInteger:
      begin("integer");
      append_json_integer(out.append(R"(,"value":)"), part.integer);
      break;
    case TupleKind::kDouble: {
      begin("double");
      const std::string_view quote = std::isinf(part.number) ? "\"" : "";
      append_double_text(out.append(R"(,"value":)").append(quote), part.number);
      out.append(quote);
      break;
    }
    case TupleKind::kString:
      begin("string");
      append_json_bytes(out.append(","), "value", part.text.view(scratch));
      break;
    case TupleKind::kKeyword:
      begin("keyword");
      append_json_bytes(out.append(","), "namespace", part.name_space.view(scratch));
      append_json_bytes(out.append(","), "name", part.text.view(scratch));
      break;
    case TupleKind::kInstant:
      begin("instant");
      append_json_integer(out.append(R"(,"ms":)"), part.integer);
      break;
    case TupleKind::kVector:
      begin("vector");
      // As above: checked.
      static_cast<void>(tuple(TupleReader(part), out.append(R"(,"parts":)")));
      break;
  }
  if (part.direction == Direction::kDescending) out.append(R"(,"descending":true)");
  out.push_back('}');
}

// Reads the text form into a TupleWriter.
class TupleParser {
 public:
  TupleParser(std::string_view text, std::string& out) : reader_(text), writer_(out) {}

  bool parse() {
    reader_.take_blanks();
    if (!reader_.take('[')) return reader_.fail("a tuple begins with [");
    if (!parts(0)) return false;
    reader_.take_blanks();
    return reader_.at_end() || reader_.fail("the tuple ended before this");
  }

  TextReader& reader() { return reader_; }
  TupleWriter& writer() { return writer_; }

 private:
  // Up to and with the closing bracket.
  bool parts(std::size_t depth) {
    reader_.take_blanks();
    while (!reader_.take(']')) {
      if (reader_.at_end()) return reader_.fail("a ] is missing");
      if (!part(depth)) return false;
      if (!reader_.take_blanks() && reader_.peek() != ']') return reader_.fail("a blank or ] is expected");
    }
    return true;
  }

  bool part(std::size_t depth) {
    const Direction direction = reader_.take('~') ? Direction::kDescending : Direction::kAscending;
    switch (reader_.peek()) {
      case '[': return vector(depth, direction);
      case '"': return string(direction);
      case ':': return keyword(direction);
      case '@': return instant(direction);
      case 'n': return nil(direction);
      default: return number(direction);
    }
  }

  bool vector(std::size_t depth, Direction direction) {
    if (depth == kTupleDepthMax) return reader_.fail("vectors are nested deeper than 32");
    reader_.take('[');
    writer_.begin_vector(direction);
    if (!parts(depth + 1)) return false;
    writer_.end_vector();
    return true;
  }

  bool quoted(std::string& out) {
    reader_.take('"');
    return reader_.escaped(out, "\"") && (reader_.take('"') || reader_.fail("a \" is missing"));
  }

  bool string(Direction direction) {
    std::string text;
    if (!quoted(text)) return false;
    writer_.add(text, direction);
    return true;
  }

  bool symbol(std::string& out) {
    if (reader_.peek() == '"') return quoted(out);
    out = reader_.run(kSymbolCharacters);
    return !out.empty() || reader_.fail("a keyword is written :name, :namespace/name, or with parts in quotes");
  }

  bool keyword(Direction direction) {
    std::string name_space;
    std::string name;
    reader_.take(':');
    if (!symbol(name)) return false;
    if (reader_.take('/')) {
      name_space.swap(name);
      if (!symbol(name)) return false;
    }
    writer_.add(Keyword{name_space, name}, direction);
    return true;
  }

  bool instant(Direction direction) {
    Instant instant;
    if (!reader_.instant(instant.ms)) return false;
    writer_.add(instant, direction);
    return true;
  }

  bool nil(Direction direction) {
    if (!reader_.take("nil")) return reader_.fail("nil is expected");
    writer_.add(nullptr, direction);
    return true;
  }

  bool number(Direction direction) {
    const std::size_t start = reader_.offset();
    const double sign = reader_.take('-') ? -1 : 1;
    if (reader_.take("Infinity")) {
      writer_.add(sign * HUGE_VAL, direction);
      return true;
    }
    const std::string_view digits = reader_.run(kNumberCharacters);
    const char* first = digits.data() - (sign < 0 ? 1 : 0);
    const char* last = digits.data() + digits.size();
    if (digits.empty() || digits[0] == '-') return reader_.fail_at(start, "a value is expected");
    if (digits.find_first_of(".eE") == std::string_view::npos) {
      std::int64_t value = 0;
      const auto result = std::from_chars(first, last, value);
      if (result.ec != std::errc()) return reader_.fail_at(start, "the number does not fit in 64 bits, signed");
      if (result.ptr != last) return reader_.fail_at(start, "this is no number");
      writer_.add(value, direction);
    } else {
      double value = 0;
      const auto result = std::from_chars(first, last, value);
      if (result.ec != std::errc()) return reader_.fail_at(start, "the number is beyond the range of a double");
      if (result.ptr != last) return reader_.fail_at(start, "this is no number");
      writer_.add(value, direction);
    }
    return true;
  }

  TextReader reader_;
  TupleWriter writer_;
};

class TupleSchema final : public KeySchema {
 public:
  std::string_view name() const override { return "tuple"; }

  Status format_text(Slice key, std::string& out) const override {
    const std::size_t start = out.size();
    Status status = TextFormat::tuple(TupleReader(key), out);
    if (!status.ok()) out.resize(start);
    return status;
  }

  Status format_json(Slice key, std::string& out) const override {
    const std::size_t start = out.size();
    Status status = JsonFormat::tuple(TupleReader(key), out.append(R"({"parts":)"));
    out.append("}");
    if (!status.ok()) out.resize(start);
    return status;
  }

  Status parse_key(std::string_view text, std::string& out) const override { return parse(text, true, out); }
  Status parse_prefix(std::string_view text, std::string& out) const override { return parse(text, false, out); }

 private:
  static Status parse(std::string_view text, bool whole, std::string& out) {
    const std::size_t start = out.size();
    TupleParser parser(text, out);
    if (!parser.parse()) {
      out.resize(start);
      return parser.reader().status("tuple key");
    }
    return whole ? parser.writer().finish() : parser.writer().finish_prefix();
  }
};

}  // namespace

const KeySchema& tuple_schema() {
  static const TupleSchema kSchema;
  return kSchema;
}

}  // namespace firn::codec
