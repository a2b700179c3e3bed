// Any text as a row of input, in each form that `firn load` reads, and as an escaped or hexadecimal key: refused, or
// printed in a way that reads back to the same bytes.
#include <string>
#include <vector>

#include "platform/assert.h"
#include "tests/fuzz/target.h"
#include "tools/firn/row_reader.h"
#include "tools/text/escape.h"
#include "tools/text/json.h"

namespace firn::fuzz {

namespace {

using namespace firn::tools;

void expect_same(const Result<Row>& row, const Row& expected) {
  FIRN_ASSERT(row.ok() && row->key == expected.key && row->value == expected.value);
}

void print_and_read(const Row& row) {
  expect_same(parse_row(escape(row.key) + "\t" + escape(row.value), RowFormat::kTsv, false), row);
  expect_same(parse_row(to_hex(row.key) + "\t" + to_hex(row.value), RowFormat::kTsv, true), row);
  for (const bool hex : {false, true}) {
    Json json;
    put_bytes(json, "key", row.key, hex);
    put_bytes(json, "value", row.value, hex);
    expect_same(parse_row(json.dump(), RowFormat::kJsonl, hex), row);
  }
}

void run(Slice input) {
  const std::string line(input);
  for (const RowFormat format : {RowFormat::kTsv, RowFormat::kJsonl}) {
    for (const bool hex : {false, true}) {
      const auto row = parse_row(line, format, hex);
      if (row.ok()) print_and_read(*row);
      FIRN_ASSERT(row.ok() || row.status().code() == StatusCode::kInvalidArgument);
    }
  }
  if (const auto bytes = unescape(line); bytes.ok()) FIRN_ASSERT(*unescape(escape(*bytes)) == *bytes);
  if (const auto bytes = from_hex(line); bytes.ok()) FIRN_ASSERT(*from_hex(to_hex(*bytes)) == *bytes);
  FIRN_ASSERT(*unescape(escape(input)) == input);
}

std::vector<std::string> seeds() {
  return {R"(key\t\x00\\	value\n)", "6b6579\t", R"({"key":"k\u00e9y","value_hex":"00ff"})",
          R"({"key_hex":"","value":"\ud83d\ude00"})", R"({"key":"a","key_hex":"61","value":[{}]})"};
}

const Registration kRegistered({"rows", run, seeds, 20'000});

}  // namespace

}  // namespace firn::fuzz
