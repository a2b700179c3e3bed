// Clang's thread-safety attributes (-Wthread-safety), nothing elsewhere: which mutex guards a member, which one a
// function needs. Names and meanings: https://clang.llvm.org/docs/ThreadSafetyAnalysis.html
#pragma once

#if defined(__clang__)
#define FIRN_THREAD_ATTRIBUTE(x) __attribute__((x))
#else
#define FIRN_THREAD_ATTRIBUTE(x)
#endif

// On types.
#define FIRN_CAPABILITY(name) FIRN_THREAD_ATTRIBUTE(capability(name))
#define FIRN_SCOPED_CAPABILITY FIRN_THREAD_ATTRIBUTE(scoped_lockable)

// On members: the value, or what the pointer points to, is touched only with the mutex held.
#define FIRN_GUARDED_BY(mutex) FIRN_THREAD_ATTRIBUTE(guarded_by(mutex))
#define FIRN_PT_GUARDED_BY(mutex) FIRN_THREAD_ATTRIBUTE(pt_guarded_by(mutex))

// On functions: the caller holds the mutex, or must not hold it.
#define FIRN_REQUIRES(...) FIRN_THREAD_ATTRIBUTE(requires_capability(__VA_ARGS__))
#define FIRN_EXCLUDES(...) FIRN_THREAD_ATTRIBUTE(locks_excluded(__VA_ARGS__))

// On functions that lock or unlock.
#define FIRN_ACQUIRE(...) FIRN_THREAD_ATTRIBUTE(acquire_capability(__VA_ARGS__))
#define FIRN_RELEASE(...) FIRN_THREAD_ATTRIBUTE(release_capability(__VA_ARGS__))
#define FIRN_TRY_ACQUIRE(...) FIRN_THREAD_ATTRIBUTE(try_acquire_capability(__VA_ARGS__))
#define FIRN_ASSERT_CAPABILITY(x) FIRN_THREAD_ATTRIBUTE(assert_capability(x))
#define FIRN_RETURN_CAPABILITY(x) FIRN_THREAD_ATTRIBUTE(lock_returned(x))
#define FIRN_NO_THREAD_SAFETY_ANALYSIS FIRN_THREAD_ATTRIBUTE(no_thread_safety_analysis)
