// Chunks of time series: bits per point, and points appended and read a second, for both kinds of chunk and Chimp128,
// on generated series and on those of the CSV files given as arguments ("2014-02-14 14:30:00,0.132" after a head line):
//   series_bench [--benchmark_filter=...] [FILE.csv ...]
// Each series is checked to come back bit for bit first. ".../120" is the series in chunks of 120 points: two hours of
// one point a minute, where the heads of chunks count.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <bit>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <random>
#include <string>
#include <vector>

#include "bench/codec/chimp128.h"
#include "firn/codec/chunk.h"

namespace firn::codec {
namespace {

struct Series {
  std::string name;
  std::vector<Point> points;
};

constexpr std::size_t kGeneratedPoints = 8192;

template <class Value>
Series generate(std::string name, Value value) {
  Series series{std::move(name), {}};
  for (std::size_t i = 0; i < kGeneratedPoints; ++i) {
    series.points.push_back({1'427'162'400'000 + static_cast<std::int64_t>(i) * 60'000, value(static_cast<double>(i))});
  }
  return series;
}

std::vector<Series> generated_series() {
  std::mt19937_64 random(1);
  std::normal_distribution<double> normal;
  const auto wave = [&](double i) { return 100 * std::sin(i / 50) + normal(random); };
  std::vector<Series> all;
  all.push_back(generate("constant", [](double) { return 42.5; }));
  all.push_back(generate("counter", [](double i) { return 7 * i; }));
  all.push_back(generate("sine+noise", wave));
  all.push_back(generate("sine+noise.2-decimals", [&](double i) { return std::round(wave(i) * 100) / 100; }));
  all.push_back(generate("random", [&](double) { return std::ldexp(static_cast<double>(random() >> 11), -53); }));
  Series jitter = generate("jittered-times", [](double i) { return std::floor(i / 100); });
  for (Point& point : jitter.points) point.time += static_cast<std::int64_t>(random() % 50);
  all.push_back(std::move(jitter));
  return all;
}

// Milliseconds of "2014-02-14 14:30:00"; exits where the text is not of that form.
std::int64_t parse_time(const std::string& text) {
  int year = 0;
  unsigned month = 0, day = 0;
  int hour = 0, minute = 0, second = 0;
  if (std::sscanf(text.c_str(), "%d-%u-%u %d:%d:%d", &year, &month, &day, &hour, &minute, &second) != 6) {
    std::fprintf(stderr, "series_bench: not a time: %s\n", text.c_str());
    std::exit(2);
  }
  const std::chrono::sys_days date{std::chrono::year(year) / std::chrono::month(month) / std::chrono::day(day)};
  return (date.time_since_epoch().count() * std::int64_t{86'400} + hour * 3600 + minute * 60 + second) * 1000;
}

Series load(const std::string& path) {
  std::ifstream in(path);
  std::string line;
  if (!std::getline(in, line)) {
    std::fprintf(stderr, "series_bench: cannot read %s\n", path.c_str());
    std::exit(2);
  }
  const std::size_t slash = path.find_last_of('/');
  Series series{slash == std::string::npos ? path : path.substr(slash + 1), {}};
  while (std::getline(in, line)) {
    const std::size_t comma = line.find(',');
    series.points.push_back({parse_time(line), std::strtod(line.c_str() + comma + 1, nullptr)});
  }
  // A clock that was set back leaves points out of order.
  std::stable_sort(series.points.begin(), series.points.end(), [](auto& a, auto& b) { return a.time < b.time; });
  return series;
}

constexpr std::size_t kWhole = kChunkPointsMax;

// Hands each chunk of up to `chunk_points` points to `use`.
template <class Use>
void build(ChunkBuilder& builder, const Series& series, std::size_t chunk_points, Use use) {
  builder.clear();
  for (const Point& point : series.points) {
    if (!builder.append(point).ok()) std::abort();
    if (builder.count() < chunk_points) continue;
    use(builder.finish());
    builder.clear();
  }
  if (builder.count() > 0) use(builder.finish());
}

std::vector<std::string> build_all(const Series& series, ChunkKind kind, std::size_t chunk_points) {
  ChunkBuilder builder(kind);
  std::vector<std::string> chunks;
  build(builder, series, chunk_points, [&](Slice chunk) { chunks.emplace_back(chunk); });
  return chunks;
}

std::string build_chimp(const Series& series) {
  Chimp128 encoder;
  for (const Point& point : series.points) encoder.append(point);
  return encoder.finish();
}

void check(const Series& series, const std::vector<Point>& found) {
  const auto same = [](const Point& a, const Point& b) {
    return a.time == b.time && std::bit_cast<std::uint64_t>(a.value) == std::bit_cast<std::uint64_t>(b.value);
  };
  if (std::equal(found.begin(), found.end(), series.points.begin(), series.points.end(), same)) return;
  std::fprintf(stderr, "series_bench: %s does not come back\n", series.name.c_str());
  std::exit(1);
}

void report(benchmark::State& state, const Series& series, std::size_t bytes) {
  const auto count = static_cast<double>(series.points.size());
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(series.points.size()));
  state.counters["bits/point"] = static_cast<double>(bytes) * 8 / count;
}

std::size_t total_bytes(const std::vector<std::string>& chunks) {
  std::size_t bytes = 0;
  for (const std::string& chunk : chunks) bytes += chunk.size();
  return bytes;
}

void append_chunks(benchmark::State& state, const Series& series, ChunkKind kind, std::size_t chunk_points) {
  const std::vector<std::string> chunks = build_all(series, kind, chunk_points);
  std::vector<Point> found;
  for (const std::string& bytes : chunks) {
    const Result<Chunk> chunk = Chunk::open(bytes);
    for (ChunkIterator it = chunk->points(); it.next();) found.push_back(it.point());
  }
  check(series, found);
  ChunkBuilder builder(kind);
  for (auto _ : state) {
    build(builder, series, chunk_points, [](Slice chunk) { benchmark::DoNotOptimize(chunk.data()); });
  }
  report(state, series, total_bytes(chunks));
}

void read_chunks(benchmark::State& state, const Series& series, ChunkKind kind, std::size_t chunk_points) {
  const std::vector<std::string> chunks = build_all(series, kind, chunk_points);
  for (auto _ : state) {
    double sum = 0;
    for (const std::string& bytes : chunks) {
      const Result<Chunk> chunk = Chunk::open(bytes);
      for (ChunkIterator it = chunk->points(); it.next();) sum += it.point().value;
    }
    benchmark::DoNotOptimize(sum);
  }
  report(state, series, total_bytes(chunks));
}

void append_chimp(benchmark::State& state, const Series& series) {
  const std::string bytes = build_chimp(series);
  check(series, Chimp128::read(bytes, series.points.size()));
  for (auto _ : state) benchmark::DoNotOptimize(build_chimp(series).data());
  report(state, series, bytes.size());
}

void read_chimp(benchmark::State& state, const Series& series) {
  const std::string bytes = build_chimp(series);
  for (auto _ : state) benchmark::DoNotOptimize(Chimp128::read(bytes, series.points.size()).data());
  report(state, series, bytes.size());
}

void register_chunks(const Series& series, std::size_t chunk_points) {
  const std::string size = chunk_points == kWhole ? "" : "/" + std::to_string(chunk_points);
  for (const auto& [scheme, kind] : {std::pair("gorilla", ChunkKind::kGorilla), {"decimal", ChunkKind::kDecimal}}) {
    const std::string name = series.name + "/" + scheme + size;
    benchmark::RegisterBenchmark((name + "/append").c_str(), append_chunks, series, kind, chunk_points);
    benchmark::RegisterBenchmark((name + "/read").c_str(), read_chunks, series, kind, chunk_points);
  }
}

void register_series(const Series& series) {
  register_chunks(series, kWhole);
  register_chunks(series, 120);
  benchmark::RegisterBenchmark((series.name + "/chimp128/append").c_str(), append_chimp, series);
  benchmark::RegisterBenchmark((series.name + "/chimp128/read").c_str(), read_chimp, series);
}

}  // namespace
}  // namespace firn::codec

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  for (int i = 1; i < argc; ++i) firn::codec::register_series(firn::codec::load(argv[i]));
  for (const firn::codec::Series& series : firn::codec::generated_series()) firn::codec::register_series(series);
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
