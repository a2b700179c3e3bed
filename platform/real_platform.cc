#include "firn/platform.h"
#include "platform/executor.h"
#include "platform/posix_clock.h"
#include "platform/posix_file_system.h"
#include "platform/random.h"

namespace firn {

const Platform& real_platform() {
  // Never destroyed: a database may be closed while the process exits.
  static const Platform* const platform =
      new Platform{new PosixFileSystem(), &real_clock(), make_thread_pool, new SplitMix64(random_seed())};
  return *platform;
}

}  // namespace firn
