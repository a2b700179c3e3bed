// A fuzz target: one decoder, or a part of Firn that bytes steer, and what must hold for any bytes. One file each,
// <name>_fuzz.cc, which registers itself; listed in meson.build. Two programs are made of them:
//
//   <name>_fuzz   the target under libFuzzer with ASan and UBSan (-Dfuzz=true, clang; `./dev fuzz`)
//   fuzz_test     all of them in the ordinary tests: on their seeds, on corpus/<name>, and on mutations of both
//
// What a target finds ends the process: a FIRN_ASSERT of its own, of the engine, or a sanitizer.
//
// Thread safety: registration happens before main(); a target runs in one thread at a time.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "firn/slice.h"

namespace firn::fuzz {

struct Target {
  const char* name;
  void (*run)(Slice input);
  // Inputs to start from, made by code, so that they follow a format that changes. The same at every call.
  std::vector<std::string> (*seeds)();
  std::uint64_t cases;  // Mutations that the ordinary tests run, less than a second's worth.
};

// At namespace scope of a target's file: `const Registration kRegistered({"name", run, seeds, 1000});`
struct Registration {
  explicit Registration(const Target& target);
};

// Those linked into this program.
std::span<const Target> targets();

}  // namespace firn::fuzz
