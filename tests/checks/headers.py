#!/usr/bin/env python3
"""Each public header compiles alone, without warnings, also for a user without RTTI and exceptions.

usage: headers.py ROOT BUILD_INCLUDE COMPILER...

BUILD_INCLUDE is where the generated firn/version.h is.
"""
import concurrent.futures
import pathlib
import subprocess
import sys

FLAGS = ['-std=c++20', '-fsyntax-only', '-Wall', '-Wextra', '-Wconversion', '-Wshadow', '-Werror', '-x', 'c++']
USERS = [[], ['-fno-rtti', '-fno-exceptions']]


def compile_alone(job):
    command, header, user = job
    run = subprocess.run(
        command + FLAGS + user + ['-'], input=f'#include "{header}"\n', text=True, capture_output=True, check=False
    )
    return f'{header} {" ".join(user)}\n{run.stderr}' if run.returncode else ''


def main():
    include, build_include = pathlib.Path(sys.argv[1]) / 'include', pathlib.Path(sys.argv[2])
    command = sys.argv[3:] + ['-I', str(include), '-I', str(build_include)]
    headers = sorted(path.relative_to(base).as_posix() for base in (include, build_include) for path in base.rglob('*.h'))
    # With every header a user has both settings in one program; alone each is tried as most use it.
    jobs = [(command, header, USERS[0]) for header in headers] + [(command, 'firn/firn.h', USERS[1])]
    with concurrent.futures.ThreadPoolExecutor(max_workers=2) as pool:
        errors = list(filter(None, pool.map(compile_alone, jobs)))
    print('\n'.join(errors) or f'{len(headers)} headers')
    return 1 if errors else 0


if __name__ == '__main__':
    sys.exit(main())
