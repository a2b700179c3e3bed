// Tested in real_platform_test.cc.
#include "platform/posix_clock.h"

#include <time.h>

namespace firn {

namespace {

constexpr std::uint64_t kNsPerSecond = 1'000'000'000;
constexpr std::uint64_t kNsPerMs = 1'000'000;

std::uint64_t clock_ns(clockid_t clock) {
  timespec now;
  clock_gettime(clock, &now);
  return static_cast<std::uint64_t>(now.tv_sec) * kNsPerSecond + static_cast<std::uint64_t>(now.tv_nsec);
}

class PosixClock final : public Clock {
 public:
  std::uint64_t monotonic_ns() override { return clock_ns(CLOCK_MONOTONIC); }
  std::uint64_t wall_ms() override { return clock_ns(CLOCK_REALTIME) / kNsPerMs; }
};

}  // namespace

Clock& real_clock() {
  static PosixClock clock;
  return clock;
}

}  // namespace firn
