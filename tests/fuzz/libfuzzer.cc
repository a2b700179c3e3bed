// The one target of a libFuzzer program. `--seeds=FOLDER` writes its seeds there first; libFuzzer passes over options
// that begin with two dashes.
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>
#include <string_view>

#include "platform/assert.h"
#include "tests/fuzz/target.h"

extern "C" int LLVMFuzzerInitialize(int* argc, char*** argv) {  // NOLINT: libFuzzer's name, as the other one.
  FIRN_ASSERT(firn::fuzz::targets().size() == 1);
  constexpr std::string_view kSeeds = "--seeds=";
  for (int i = 1; i < *argc; ++i) {
    const std::string_view argument = (*argv)[i];
    if (!argument.starts_with(kSeeds)) continue;
    int number = 0;
    for (const std::string& seed : firn::fuzz::targets().front().seeds()) {
      const std::string path = std::string(argument.substr(kSeeds.size())) + "/seed-" + std::to_string(number++);
      std::ofstream out(path, std::ios::binary);
      if (!(out << seed).flush()) {
        std::fprintf(stderr, "cannot write %s\n", path.c_str());
        std::exit(1);
      }
    }
  }
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {  // NOLINT
  firn::fuzz::targets().front().run({reinterpret_cast<const char*>(data), size});
  return 0;
}
