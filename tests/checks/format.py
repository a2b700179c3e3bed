#!/usr/bin/env python3
"""Every source is as clang-format writes it.

usage: format.py ROOT CLANG_FORMAT
"""
import pathlib
import subprocess
import sys

import tree


def main():
    root = pathlib.Path(sys.argv[1])
    files = [root / source.path for source in tree.sources(root)]
    run = subprocess.run([sys.argv[2], '--dry-run', '-Werror', *files], check=False, text=True, capture_output=True)
    problems = {line.split(':')[0] for line in run.stderr.splitlines() if 'clang-format-violations' in line}
    for path in sorted(problems):
        print(f'{pathlib.Path(path).relative_to(root)}: run ./dev format')
    return run.returncode


if __name__ == '__main__':
    sys.exit(main())
