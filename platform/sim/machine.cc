#include "firn/sim/machine.h"

#include <utility>

#include "platform/epoch.h"
#include "platform/random.h"
#include "platform/sim/hash.h"

namespace firn::sim {

std::unique_ptr<Random> seeded_random(std::uint64_t seed) { return std::make_unique<SplitMix64>(seed); }

Machine::Machine(MachineOptions options)
    : files_(options.disk != nullptr ? std::move(options.disk) : std::make_unique<SimFileSystem>(options.files)),
      scheduler_({.seed = options.seed, .depth = options.depth}, clock_),
      random_(seeded_random(hash_mix(options.seed, 1))) {
  platform_.files = files_.get();
  platform_.clock = &clock_;
  platform_.make_executor = [this](std::uint32_t threads) { return scheduler_.make_executor(threads); };
  platform_.random = random_.get();
}

Machine::~Machine() = default;

}  // namespace firn::sim
