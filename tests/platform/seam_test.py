#!/usr/bin/env python3
"""Nothing above `platform` calls the operating system, reads a clock, starts a thread or draws a random number.

usage: seam_test.py --control PLATFORM_LIBRARY LIBRARY...

Reads with `nm -u` what each static library imports. The control is the library that may do all that: if nothing
forbidden is found there, the test itself is broken.
"""
import argparse
import re
import subprocess
import sys

FORBIDDEN_NAMES = set("""
    open open64 openat openat64 creat creat64 close dup dup2 fopen fopen64 fdopen freopen freopen64 tmpfile mkstemp
    read pread pread64 readv preadv preadv64 preadv2 write pwrite pwrite64 writev pwritev pwritev64 pwritev2
    lseek lseek64 sendfile sendfile64 copy_file_range splice
    fsync fdatasync sync syncfs sync_file_range msync posix_fadvise posix_fadvise64 readahead
    truncate truncate64 ftruncate ftruncate64 fallocate fallocate64 posix_fallocate posix_fallocate64
    mmap mmap64 munmap mremap mprotect madvise mincore mlock sbrk
    rename renameat renameat2 unlink unlinkat remove link linkat symlink mkdir mkdirat rmdir chdir
    opendir fdopendir readdir readdir64 stat stat64 fstat fstat64 lstat lstat64 fstatat fstatat64 statx
    statfs statfs64 fstatfs fstatfs64 statvfs statvfs64 access flock fcntl fcntl64 ioctl
    clock_gettime clock_getres gettimeofday time nanosleep clock_nanosleep usleep sleep timer_create timerfd_create
    pthread_create pthread_cond_wait pthread_cond_timedwait pthread_cond_clockwait pthread_cond_signal
    pthread_cond_broadcast pthread_rwlock_rdlock pthread_rwlock_wrlock sem_wait sem_post sched_yield
    fork vfork execve posix_spawn kill raise signal sigaction pthread_sigmask
    getrandom getentropy rand srand random srandom drand48 arc4random
    getenv setenv syscall socket epoll_create1 poll select
""".split())

# Demangled.
FORBIDDEN_PATTERNS = [
    re.compile(pattern)
    for pattern in (
        r'^std::thread::',
        r'^std::this_thread::',
        r'^std::condition_variable',
        r'^std::chrono::.*::now\(',
        r'^std::random_device::',
        r'^std::filesystem::',
        r'^std::basic_filebuf<',
        r'^std::basic_[io]?fstream<',
        r'^std::__atomic_futex_unsigned_base::',
        r'^std::(__1::)?__libcpp_thread',
    )
]


def undefined_symbols(library):
    """Yields (object file, symbol)."""
    output = subprocess.run(['nm', '-u', '-C', library], check=True, capture_output=True, text=True).stdout
    object_file = library
    for line in output.splitlines():
        if line.endswith(':'):
            object_file = line[:-1]
        elif match := re.match(r'\s+[Uvw] (.*)$', line):
            yield object_file, match.group(1)


def forbidden_symbols(library):
    for object_file, symbol in undefined_symbols(library):
        name = symbol.split('@')[0]
        if name in FORBIDDEN_NAMES or any(pattern.search(symbol) for pattern in FORBIDDEN_PATTERNS):
            yield object_file, symbol


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('--control', required=True)
    parser.add_argument('libraries', nargs='+')
    arguments = parser.parse_args()

    if len(list(forbidden_symbols(arguments.control))) < 10:
        sys.exit(f'{arguments.control}: nothing forbidden found where it must be: this test no longer works')
    found = [
        f'{library}({object_file}) imports {symbol}: go through platform/ or firn/platform.h'
        for library in arguments.libraries
        for object_file, symbol in forbidden_symbols(library)
    ]
    print('\n'.join(found))
    sys.exit(1 if found else 0)


if __name__ == '__main__':
    main()
