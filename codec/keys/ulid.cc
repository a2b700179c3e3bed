#include "firn/codec/ulid.h"

#include "codec/keys/big_endian.h"
#include "firn/platform.h"

namespace firn::codec {
namespace {

constexpr Slice kDigits = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
constexpr unsigned char kNoDigit = 0xFF;

// Value of each character as a digit; see parse_ulid for what stands for what.
constexpr std::array<unsigned char, 256> kDigitValues = [] {
  std::array<unsigned char, 256> values{};
  values.fill(kNoDigit);
  for (unsigned char digit = 0; digit < 32; ++digit) {
    const auto upper = static_cast<unsigned char>(kDigits[digit]);
    values[upper] = digit;
    if (upper >= 'A') values[upper + ('a' - 'A')] = digit;
  }
  for (const char one : {'I', 'i', 'L', 'l'}) values[static_cast<unsigned char>(one)] = 1;
  for (const char zero : {'O', 'o'}) values[static_cast<unsigned char>(zero)] = 0;
  return values;
}();

// A ULID as one number, most significant half first.
struct Bits {
  std::uint64_t high = 0;  // 48 bits of time, 16 random ones.
  std::uint64_t low = 0;   // 64 random ones.
};

Bits load_bits(const Ulid& ulid) {
  const auto* bytes = reinterpret_cast<const char*>(ulid.bytes.data());
  return {load_big_endian(bytes), load_big_endian(bytes + 8)};
}

Ulid from_bits(Bits bits) {
  Ulid ulid;
  auto* bytes = reinterpret_cast<char*>(ulid.bytes.data());
  store_big_endian(bytes, bits.high);
  store_big_endian(bytes + 8, bits.low);
  return ulid;
}

}  // namespace

std::uint64_t Ulid::time_ms() const { return load_bits(*this).high >> 16; }

KeyBytes<kUlidTextBytes> Ulid::text() const {
  Bits bits = load_bits(*this);
  KeyBytes<kUlidTextBytes> out;
  for (std::size_t i = kUlidTextBytes; i-- > 0;) {
    out.bytes[i] = kDigits[bits.low & 31];
    bits.low = bits.low >> 5 | bits.high << 59;
    bits.high >>= 5;
  }
  return out;
}

Result<Ulid> parse_ulid(Slice text) {
  const auto refuse = [](const char* why) { return Status(StatusCode::kInvalidArgument, why); };
  if (text.size() != kUlidTextBytes) return refuse("not a ULID: not 26 characters");
  Bits bits;
  for (const char c : text) {
    const unsigned char digit = kDigitValues[static_cast<unsigned char>(c)];
    if (digit == kNoDigit) return refuse("not a ULID: a character that is not Crockford's base 32");
    if (bits.high >> 59 != 0) return refuse("not a ULID: above 7ZZZZZZZZZZZZZZZZZZZZZZZZZ");
    bits.high = bits.high << 5 | bits.low >> 59;
    bits.low = bits.low << 5 | digit;
  }
  return from_bits(bits);
}

Result<Ulid> UlidGenerator::next() {
  const std::uint64_t now = clock_.wall_ms();
  if (now > kUlidTimeMax) return Status(StatusCode::kInvalidArgument, "ULID: the clock is beyond the year 10889");
  if (!started_ || now > last_.time_ms()) {
    started_ = true;
    last_ = from_bits({now << 16 | random_.next() >> 48, random_.next()});
    return last_;
  }
  Bits bits = load_bits(last_);
  if (++bits.low == 0 && (++bits.high & 0xFFFF) == 0) {
    return Status(StatusCode::kBusy, "ULID: the random bits of this millisecond are used up; try in the next one");
  }
  last_ = from_bits(bits);
  return last_;
}

}  // namespace firn::codec
