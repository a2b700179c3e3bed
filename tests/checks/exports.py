#!/usr/bin/env python3
"""The shared library exports Firn's API and nothing else, and stays small.

usage: exports.py LIBRARY NM STRIP
"""
import pathlib
import re
import subprocess
import sys
import tempfile

STRIPPED_BYTES_MAX = 1_500_000
# The C API, the C++ namespace, and what the compiler emits for its classes.
ALLOWED = re.compile(r'(firn_\w+$|((typeinfo|typeinfo name|vtable) for )?firn::)')
INTERNAL = re.compile(r'firn::(wal|sstable|compaction|lsm|memtable|platform)::')


def main():
    library, nm, strip = sys.argv[1:]
    listing = subprocess.run([nm, '-DC', '--defined-only', library], check=True, text=True, capture_output=True).stdout
    names = [line.split(maxsplit=2)[2] for line in listing.splitlines()]
    foreign = [name for name in names if not ALLOWED.match(name) or INTERNAL.match(name)]
    with tempfile.TemporaryDirectory() as scratch:
        stripped = pathlib.Path(scratch) / 'stripped'
        subprocess.run([strip, '--strip-unneeded', '-o', stripped, library], check=True)
        size = stripped.stat().st_size
    print(f'{len(names)} exported symbols, {size:,} bytes stripped (at most {STRIPPED_BYTES_MAX:,})')
    for name in foreign:
        print(f'exported by mistake: {name}')
    return 1 if foreign or not names or size > STRIPPED_BYTES_MAX else 0


if __name__ == '__main__':
    sys.exit(main())
