// Keys encoded and decoded a second, by each codec, and allocations per key, counted.
// A time is for one key; "bytes" is its size.
#include <benchmark/benchmark.h>

#include <cstdlib>
#include <random>
#include <string>
#include <vector>

#include "bench/codec/allocation_count.h"
#include "firn/codec/entity_key.h"
#include "firn/codec/series_key.h"
#include "firn/codec/time_key.h"
#include "firn/codec/tuple.h"
#include "firn/codec/ulid.h"
#include "firn/platform.h"

namespace firn::codec {
namespace {

constexpr std::size_t kInputs = 1024;

struct Input {
  std::uint64_t id = 0;
  std::int64_t small = 0;
  double number = 0;
  std::int64_t ms = 0;
  std::string text;
};

const std::vector<Input>& inputs() {
  static const std::vector<Input> kAll = [] {
    std::mt19937_64 random(1);
    std::vector<Input> all(kInputs);
    for (Input& input : all) {
      input.id = random() >> 20;
      input.small = static_cast<std::int64_t>(random() % 100'000) - 50'000;
      input.number = static_cast<double>(input.small) / 7;
      input.ms = 1'427'162'400'000 + static_cast<std::int64_t>(random() % 1'000'000'000);
      input.text = "user-" + std::to_string(input.id % 10'000'000);
    }
    return all;
  }();
  return kAll;
}

// Times `work` on one input after another; what `work` returns is the size of its key.
template <class Work>
void measure(benchmark::State& state, Work work) {
  for (const Input& input : inputs()) work(input);  // Buffers grow here.
  const std::size_t before = allocation_count;
  std::size_t i = 0;
  std::size_t bytes = 0;
  for (auto _ : state) bytes += work(inputs()[i++ % kInputs]);
  const auto keys = static_cast<double>(state.iterations());
  state.counters["allocations/key"] = static_cast<double>(allocation_count - before) / keys;
  state.counters["bytes"] = static_cast<double>(bytes) / keys;
}

// Times `encode(input, key)`, which appends a key.
template <class Encode>
void measure_encode(benchmark::State& state, Encode encode) {
  std::string key;
  measure(state, [&](const Input& input) {
    key.clear();
    encode(input, key);
    benchmark::DoNotOptimize(key.data());
    return key.size();
  });
}

// Times `decode(key)` on what `encode` made.
template <class Encode, class Decode>
void measure_decode(benchmark::State& state, Encode encode, Decode decode) {
  std::vector<std::string> keys(kInputs);
  for (std::size_t i = 0; i < kInputs; ++i) encode(inputs()[i], keys[i]);
  measure(state, [&](const Input& input) {
    const std::string& key = keys[static_cast<std::size_t>(&input - inputs().data())];
    decode(key);
    return key.size();
  });
}

void check(const Status& status) {
  if (!status.ok()) std::abort();
}

void integer_tuple(const Input& input, std::string& key) { check(append_tuple(key, input.small)); }
void double_tuple(const Input& input, std::string& key) { check(append_tuple(key, input.number)); }
void text_tuple(const Input& input, std::string& key) { check(append_tuple(key, input.text)); }
void mixed_tuple(const Input& input, std::string& key) {
  check(append_tuple(key, Keyword{"order", "by-user"}, input.text, descending(Instant{input.ms}), input.id));
}
void nested_tuple(const Input& input, std::string& key) {
  TupleWriter writer(key);
  writer.add(input.text).begin_vector().add(input.small).add(input.number).end_vector().add(nullptr);
  check(writer.finish());
}

void read_tuple(const std::string& key) {
  static std::string scratch;
  TupleReader reader(key);
  while (reader.next()) {
    const TuplePart& part = reader.part();
    benchmark::DoNotOptimize(part.integer);
    if (part.kind == TupleKind::kString) benchmark::DoNotOptimize(part.text.view(scratch).data());
  }
  check(reader.status());
}

void entity(const Input& input, std::string& key) { append_entity_key(key, {input.id, EntityTag::kRel, input.text}); }
void read_entity(const std::string& key) { benchmark::DoNotOptimize(parse_entity_key(key).value().id); }

void series(const Input& input, std::string& key) { key.append(encode_series_key({input.id, input.ms})); }
void read_series(const std::string& key) { benchmark::DoNotOptimize(parse_series_key(key).value().time); }

void time_key(const Input& input, std::string& key) {
  Ulid ulid;
  ulid.bytes[15] = static_cast<unsigned char>(input.id);
  check(append_time_key(key, {"evt", static_cast<std::uint64_t>(input.ms), ulid}));
}
void read_time_key(const std::string& key) { benchmark::DoNotOptimize(parse_time_key(key).value().time_ms); }

void ulid_text(const Input& input, std::string& key) {
  Ulid ulid;
  ulid.bytes[15] = static_cast<unsigned char>(input.id);
  key.append(ulid.text());
}
void read_ulid(const std::string& key) { benchmark::DoNotOptimize(parse_ulid(key).value().bytes); }

class StandingClock final : public Clock {
 public:
  std::uint64_t monotonic_ns() override { return 0; }
  std::uint64_t wall_ms() override { return 1'427'162'400'000; }
};

class CountingRandom final : public Random {
 public:
  std::uint64_t next() override { return ++last_; }

 private:
  std::uint64_t last_ = 0;
};

void generate_ulids(benchmark::State& state) {
  StandingClock clock;
  CountingRandom random;
  UlidGenerator generator(clock, random);
  measure(state, [&](const Input&) {
    benchmark::DoNotOptimize(generator.next().value().bytes);
    return kUlidBytes;
  });
}

using Encode = void (*)(const Input&, std::string&);
using Decode = void (*)(const std::string&);

void encode_with(benchmark::State& state, Encode encode) { measure_encode(state, encode); }
void decode_with(benchmark::State& state, Encode encode, Decode decode) { measure_decode(state, encode, decode); }

#define FIRN_BENCH_CODEC(name, encode, decode)  \
  BENCHMARK_CAPTURE(encode_with, name, encode); \
  BENCHMARK_CAPTURE(decode_with, name, encode, decode)

FIRN_BENCH_CODEC(tuple_integer, integer_tuple, read_tuple);
FIRN_BENCH_CODEC(tuple_double, double_tuple, read_tuple);
FIRN_BENCH_CODEC(tuple_string, text_tuple, read_tuple);
FIRN_BENCH_CODEC(tuple_keyword_string_instant_integer, mixed_tuple, read_tuple);
FIRN_BENCH_CODEC(tuple_string_vector_nil, nested_tuple, read_tuple);
FIRN_BENCH_CODEC(entity, entity, read_entity);
FIRN_BENCH_CODEC(series, series, read_series);
FIRN_BENCH_CODEC(time, time_key, read_time_key);
FIRN_BENCH_CODEC(ulid_text, ulid_text, read_ulid);
BENCHMARK(generate_ulids);

}  // namespace
}  // namespace firn::codec

BENCHMARK_MAIN();
