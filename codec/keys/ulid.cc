#include "firn/codec/ulid.h"

#include "codec/keys/big_endian.h"
#include "codec/keys/ulid_text.h"
#include "firn/platform.h"

namespace firn::codec {
namespace {

constexpr Slice kDigits = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
constexpr unsigned char kNoDigit = 0x80;
constexpr unsigned char kNotCanonical = 0x20;  // Beside the value: lower case, or a letter that stands for a digit.

// Value of each character as a digit; see parse_ulid for what stands for what.
constexpr std::array<unsigned char, 256> kDigitValues = [] {
  std::array<unsigned char, 256> values{};
  values.fill(kNoDigit);
  for (unsigned char digit = 0; digit < 32; ++digit) {
    const auto upper = static_cast<unsigned char>(kDigits[digit]);
    values[upper] = digit;
    if (upper >= 'A') values[upper + ('a' - 'A')] = digit | kNotCanonical;
  }
  for (const char one : {'I', 'i', 'L', 'l'}) values[static_cast<unsigned char>(one)] = 1 | kNotCanonical;
  for (const char zero : {'O', 'o'}) values[static_cast<unsigned char>(zero)] = 0 | kNotCanonical;
  return values;
}();

// A ULID's text is three runs of digits: 10 of time (50 bits, of which 48 may be used), and twice 8 random ones.
constexpr std::size_t kTimeDigits = 10;
constexpr std::size_t kRandomDigits = 8;
static_assert(kTimeDigits + 2 * kRandomDigits == kUlidTextBytes);

void put_digits(char* out, std::size_t count, std::uint64_t value) {
  for (std::size_t i = count; i-- > 0; value >>= 5) out[i] = kDigits[value & 31];
}

// `seen`: or-ed with all that kDigitValues says.
std::uint64_t get_digits(const char* text, std::size_t count, unsigned& seen) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const unsigned digit = kDigitValues[static_cast<unsigned char>(text[i])];
    seen |= digit;
    value = value << 5 | (digit & 31);
  }
  return value;
}

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

Status refuse(const char* why) { return Status(StatusCode::kInvalidArgument, why); }

}  // namespace

std::uint64_t Ulid::time_ms() const { return load_bits(*this).high >> 16; }

KeyBytes<kUlidTextBytes> Ulid::text() const {
  const Bits bits = load_bits(*this);
  KeyBytes<kUlidTextBytes> out;
  put_digits(out.bytes.data(), kTimeDigits, bits.high >> 16);
  put_digits(out.bytes.data() + kTimeDigits, kRandomDigits, bits.high << 24 | bits.low >> 40);
  put_digits(out.bytes.data() + kTimeDigits + kRandomDigits, kRandomDigits, bits.low);
  return out;
}

Result<Ulid> parse_ulid(Slice text) {
  bool canonical = false;
  return parse_ulid(text, canonical);
}

Result<Ulid> parse_ulid(Slice text, bool& canonical) {
  if (text.size() != kUlidTextBytes) return refuse("not a ULID: not 26 characters");
  unsigned seen = 0;
  const std::uint64_t time = get_digits(text.data(), kTimeDigits, seen);
  const std::uint64_t upper = get_digits(text.data() + kTimeDigits, kRandomDigits, seen);
  const std::uint64_t lower = get_digits(text.data() + kTimeDigits + kRandomDigits, kRandomDigits, seen);
  if ((seen & kNoDigit) != 0) return refuse("not a ULID: a character that is not Crockford's base 32");
  if (time > kUlidTimeMax) return refuse("not a ULID: above 7ZZZZZZZZZZZZZZZZZZZZZZZZZ");
  canonical = (seen & kNotCanonical) == 0;
  return from_bits({time << 16 | upper >> 24, upper << 40 | lower});
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
