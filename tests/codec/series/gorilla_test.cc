// The worked examples of the Gorilla paper (Pelkonen et al., VLDB 2015), bit by bit.
#include "codec/series/gorilla.h"

#include "codec/series/chunk_format.h"
#include "tests/codec/series/series_values.h"

namespace firn::codec {
namespace {

// The body's bits after the first value.
std::string bits_of(const Points& points) {
  const std::string chunk = build(ChunkKind::kGorilla, points);
  std::string bits;
  for (const char byte : chunk.substr(kChunkHeaderBytes + 8)) {
    for (int i = 7; i >= 0; --i) bits.push_back((byte >> i & 1) != 0 ? '1' : '0');
  }
  return bits;
}

// `expected`: bits, blanks for reading; then zeros to the end of the byte.
void expect_bits(const Points& points, std::string expected) {
  std::erase(expected, ' ');
  const std::string bits = bits_of(points);
  ASSERT_GE(bits.size(), expected.size());
  EXPECT_EQ(bits.substr(0, expected.size()), expected);
  EXPECT_LT(bits.size() - expected.size(), 8U);
  EXPECT_EQ(bits.find('1', expected.size()), std::string::npos);
  EXPECT_EQ(read(build(ChunkKind::kGorilla, points)), points);
}

// Figure 2: a block from 2015-03-24 02:00:00, points at 02:01:02 (12), 02:02:02 (12) and 02:03:02 (24), seconds. The
// first delta, 62, is a delta of delta from 0 here; from then on the bits are the paper's: '10' : -2 and '0', and '0'
// and '11' : 11 : 1 : '1'.
TEST(Gorilla, FigureTwo) {
  constexpr std::int64_t kStart = 1427162400;
  expect_bits({{kStart, 12}, {kStart + 62, 12}, {kStart + 122, 12}, {kStart + 182, 24}},
              "10 0111110  0   10 1111110  0   0  11 01011 000001 1");
}

// Figure 5: values whose XOR with the one before has few meaningful bits.
TEST(Gorilla, FigureFive) {
  expect_bits({{0, 12}, {0, 24}, {0, 15}, {0, 12}, {0, 35}},
              // 0x0010...: 11 leading zeros, 1 bit.  0x0016...: 4 bits.  0x0006...: within the window of the last.
              "0 11 01011 000001 1   0 11 01011 000100 1011   0 10 0011   "
              // 0x00698...: 9 leading zeros, 8 bits.
              "0 11 01001 001000 11010011");
  expect_bits({{0, 15.5}, {0, 14.0625}, {0, 3.25}, {0, 8.625}, {0, 13.1}},
              // 0x00032...: 14 leading zeros, 5 bits.  0x00262...: 10, 9 bits.  0x002b4...: within that window.
              "0 11 01110 000101 11001   0 11 01010 001001 100110001   0 10 101011010   "
              // 0x000b733333333333: 12 leading zeros, 52 bits.
              "0 11 01100 110100 1011011100110011001100110011001100110011001100110011");
}

// The ranges of the paper's table, at their edges, with what a second has before and after.
TEST(Gorilla, FormsOfADeltaOfDelta) {
  const auto bits = [](std::int64_t change) { return bits_of({{0, 1}, {change, 1}}).substr(0, 16); };
  EXPECT_EQ(bits(0).substr(0, 1), "0");
  EXPECT_EQ(bits(64).substr(0, 9),
            "10"
            "1000000");
  EXPECT_EQ(bits(65).substr(0, 12),
            "110"
            "001000001");
  EXPECT_EQ(bits(256).substr(0, 12),
            "110"
            "100000000");
  EXPECT_EQ(bits(257).substr(0, 16),
            "1110"
            "000100000001");
  EXPECT_EQ(bits(2048).substr(0, 16),
            "1110"
            "100000000000");
  EXPECT_EQ(bits(2049).substr(0, 5), "11110");
  EXPECT_EQ(bits(std::int64_t{1} << 31).substr(0, 5), "11110");
  EXPECT_EQ(bits((std::int64_t{1} << 31) + 1).substr(0, 5), "11111");
}

TEST(Gorilla, NegativeChangesOfDelta) {
  const auto points = [](std::int64_t change) { return Points{{0, 1}, {5000, 1}, {10000 + change, 1}}; };
  // The first delta of 5000 takes 37 bits, its value one.
  EXPECT_EQ(bits_of(points(-63)).substr(38, 9),
            "10"
            "1000001");
  EXPECT_EQ(bits_of(points(-64)).substr(38, 12),
            "110"
            "111000000");
  EXPECT_EQ(bits_of(points(-255)).substr(38, 12),
            "110"
            "100000001");
  EXPECT_EQ(bits_of(points(-256)).substr(38, 16),
            "1110"
            "111100000000");
  EXPECT_EQ(bits_of(points(-2047)).substr(38, 16),
            "1110"
            "100000000001");
  EXPECT_EQ(bits_of(points(-2048)).substr(38, 5), "11110");
  for (const std::int64_t change : {-63, -64, -255, -256, -2047, -2048}) {
    EXPECT_EQ(read(build(ChunkKind::kGorilla, points(change))), points(change));
  }
}

TEST(Gorilla, AnXorOf64BitsIsWrittenAsLengthZero) {
  expect_bits({{0, std::bit_cast<double>(std::uint64_t{0})}, {0, std::bit_cast<double>(~std::uint64_t{0})}},
              "0 11 00000 000000 " + std::string(64, '1'));
}

}  // namespace
}  // namespace firn::codec
