#include "codec/checksum.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <new>

#include "codec/checksum_avx2.h"

namespace firn {

#if defined(__x86_64__)
namespace {

// Shorter inputs take another path of XXH3, which has no use for vectors.
constexpr std::size_t kLongBytes = 241;

bool has_avx2() {
  static const bool there = [] {
    __builtin_cpu_init();
    return __builtin_cpu_supports("avx2") != 0;
  }();
  return there;
}

}  // namespace
#endif

std::uint64_t checksum_portable(Slice bytes, std::uint64_t seed) {
  return XXH3_64bits_withSeed(bytes.data(), bytes.size(), seed);
}

std::uint64_t checksum(Slice bytes, std::uint64_t seed) {
#if defined(__x86_64__)
  if (bytes.size() >= kLongBytes && has_avx2()) return checksum_avx2(bytes.data(), bytes.size(), seed);
#endif
  return checksum_portable(bytes, seed);
}

Digest::Digest() : state_(XXH3_createState()) {
  if (state_ == nullptr) throw std::bad_alloc();
  XXH3_64bits_reset(static_cast<XXH3_state_t*>(state_));
}

Digest::~Digest() { XXH3_freeState(static_cast<XXH3_state_t*>(state_)); }

void Digest::add(Slice bytes) { XXH3_64bits_update(static_cast<XXH3_state_t*>(state_), bytes.data(), bytes.size()); }

std::uint64_t Digest::value() const { return XXH3_64bits_digest(static_cast<const XXH3_state_t*>(state_)); }

}  // namespace firn
