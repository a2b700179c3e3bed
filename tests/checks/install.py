#!/usr/bin/env python3
"""What `meson install` leaves behind is enough for a user: pkg-config alone builds and runs a program, with the shared
library and with the static one.

usage: install.py BUILD_DIR PKG_CONFIG COMPILER...
"""
import os
import pathlib
import subprocess
import sys
import tempfile

PROGRAM = """
#include <firn/firn.h>
#include <firn/version.h>

#include <cstdio>

int main(int, char** argv) {
  auto db = firn::DB::open(argv[1]);
  if (!db.ok()) return std::puts(db.status().to_string().c_str()), 1;
  if (auto put = (*db)->put("key", FIRN_VERSION_STRING); !put.ok()) return 1;
  const auto value = (*db)->get("key");
  return value.ok() && *value == FIRN_VERSION_STRING && (*db)->close().ok() ? 0 : 1;
}
"""


def run(*command, **options):
    """Its output; ends this program when it fails."""
    result = subprocess.run([str(part) for part in command], text=True, capture_output=True, check=False, **options)
    if result.returncode != 0:
        print(' '.join(str(part) for part in command), result.stdout, result.stderr, sep='\n')
        sys.exit(1)
    return result.stdout


def main():
    build, pkg_config, compiler = sys.argv[1], sys.argv[2], sys.argv[3:]
    with tempfile.TemporaryDirectory() as scratch:
        root = pathlib.Path(scratch) / 'root'
        run('meson', 'install', '-C', build, '--destdir', root, '--no-rebuild', '--quiet')
        description = next(root.rglob('firn.pc'))
        libraries = description.parent.parent
        prefix = next(root.rglob('include/firn')).parent.parent
        source = pathlib.Path(scratch) / 'program.cc'
        source.write_text(PROGRAM)
        for form in ('shared', 'static'):
            environment = {**os.environ, 'PKG_CONFIG_PATH': str(description.parent), 'LD_LIBRARY_PATH': str(libraries)}
            query = ['--cflags', '--libs', f'--define-variable=prefix={prefix}', 'firn']
            flags = run(pkg_config, *query, *['--static'] * (form == 'static'), env=environment).split()
            # With both libraries side by side the linker takes the shared one: it is named by its file to get the other.
            flags = [str(libraries / 'libfirn.a') if flag == '-lfirn' and form == 'static' else flag for flag in flags]
            program = pathlib.Path(scratch) / form
            run(*compiler, '-std=c++20', source, '-o', program, *flags)
            run(program, pathlib.Path(scratch) / f'database-{form}', env=environment)
            print(form, *flags)
    return 0


if __name__ == '__main__':
    sys.exit(main())
