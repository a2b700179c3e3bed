#include "firn/codec/time_key.h"

#include "codec/keys/ulid_text.h"

namespace firn::codec {
namespace {

constexpr std::size_t kTimeDigits = 13;
constexpr std::size_t kFixedBytes = 1 + kTimeDigits + 1 + kUlidTextBytes;  // All that follows the prefix.

bool is_digit(char c) { return c >= '0' && c <= '9'; }

bool prefix_valid(Slice prefix) {
  for (std::size_t i = 0; i + 1 < prefix.size(); ++i) {
    if (prefix[i] == ':' && is_digit(prefix[i + 1])) return false;
  }
  return true;
}

Status refuse(const char* why) { return Status(StatusCode::kInvalidArgument, why); }

Status refuse_prefix() { return refuse("time key: in a prefix no ':' may be followed by a digit"); }

void append_time(std::string& out, std::uint64_t time_ms) {
  char digits[kTimeDigits];
  for (std::size_t i = kTimeDigits; i-- > 0; time_ms /= 10) digits[i] = static_cast<char>('0' + time_ms % 10);
  out.append(digits, sizeof digits);
}

}  // namespace

Status append_time_key(std::string& out, const TimeKey& key) {
  if (!prefix_valid(key.prefix)) return refuse_prefix();
  if (key.time_ms > kTimeKeyMsMax) return refuse("time key: the time has more than 13 digits");
  out.append(key.prefix).push_back(':');
  append_time(out, key.time_ms);
  out.push_back(':');
  out.append(key.ulid.text());
  return {};
}

Result<TimeKey> parse_time_key(Slice key) {
  if (key.size() < kFixedBytes) return refuse("not a time key: shorter than 41 bytes");
  TimeKey parsed;
  parsed.prefix = key.substr(0, key.size() - kFixedBytes);
  const Slice fixed = key.substr(parsed.prefix.size());
  if (fixed[0] != ':' || fixed[1 + kTimeDigits] != ':') return refuse("not a time key: a ':' is missing");
  for (const char c : fixed.substr(1, kTimeDigits)) {
    if (!is_digit(c)) return refuse("not a time key: the time is not 13 digits");
    parsed.time_ms = parsed.time_ms * 10 + static_cast<std::uint64_t>(c - '0');
  }
  bool canonical = false;
  const Result<Ulid> ulid = parse_ulid(fixed.substr(kFixedBytes - kUlidTextBytes), canonical);
  if (!ulid.ok() || !canonical) return refuse("not a time key: it does not end in a canonical ULID");
  parsed.ulid = *ulid;
  if (!prefix_valid(parsed.prefix)) return refuse_prefix();
  return parsed;
}

Status append_time_bound(std::string& out, Slice prefix, std::uint64_t time_ms) {
  if (!prefix_valid(prefix)) return refuse_prefix();
  out.append(prefix).push_back(':');
  if (time_ms > kTimeKeyMsMax) {
    out.push_back(':');  // The character after '9'.
  } else {
    append_time(out, time_ms);
  }
  return {};
}

}  // namespace firn::codec
