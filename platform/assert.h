// FIRN_ASSERT: a condition that only a bug in Firn can break. On in every build, so it is meant for cheap checks.
// Bytes that come from a disk or a caller are never asserted: they are checked and answered with a Status.
//
// Thread safety: any thread, at any time.
#pragma once

namespace firn {

// Prints "file:line: assertion failed: condition" to standard error and aborts.
[[noreturn]] void assertion_failed(const char* condition, const char* file, int line);

}  // namespace firn

#define FIRN_ASSERT(condition)                                                 \
  (__builtin_expect(static_cast<bool>(condition), true) ? static_cast<void>(0) \
                                                        : ::firn::assertion_failed(#condition, __FILE__, __LINE__))
