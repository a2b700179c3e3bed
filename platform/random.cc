#include "platform/random.h"

#include <sys/random.h>

#include "platform/assert.h"

namespace firn {

std::uint64_t random_seed() {
  std::uint64_t seed = 0;
  // Requests of up to 256 bytes are never cut short, nor interrupted once the pool is ready, which getentropy awaits.
  FIRN_ASSERT(getentropy(&seed, sizeof seed) == 0);
  return seed;
}

}  // namespace firn
