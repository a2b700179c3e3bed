#!/usr/bin/env python3
"""How includes are written, and what a header starts with.

usage: includes.py ROOT

- Firn's own headers in quotes, from the root: "wal/log_writer.h", "firn/db.h"; everything else in angle brackets.
- A .cc file includes its own header first, which proves that the header stands alone.
- A header begins with a comment that says what it is, and has #pragma once.
"""
import pathlib
import sys

import tree


def own_header(source, root):
    header = source.path.removesuffix('.cc') + '.h'
    return header if (root / header).is_file() else None


def check(source, root):
    for line, bracket, name in source.includes():
        inside = name == 'firn/version.h' or (root / name).is_file() or (root / 'include' / name).is_file()
        if name.startswith(('.', 'include/')):
            yield line, f'"{name}": write it from the root, public headers as "firn/..."'
        elif inside and bracket == '<':
            yield line, f'<{name}>: Firn\'s headers are included in quotes'
        elif not inside and bracket == '"':
            yield line, f'"{name}": not a header of Firn, so in angle brackets'
    if source.is_header:
        if not source.text.startswith('//'):
            yield 1, 'a header begins with a comment that says what it is'
        if '\n#pragma once\n' not in source.text:
            yield 1, '#pragma once is missing'
    else:
        header = own_header(source, root)
        included = [name for _, _, name in source.includes()]
        if header and included[:1] != [header]:
            yield 1, f'"{header}" is to be the first include'


def main():
    root = pathlib.Path(sys.argv[1])
    problems = [(source.path, line, text) for source in tree.sources(root) for line, text in check(source, root)]
    return tree.report(problems)


if __name__ == '__main__':
    sys.exit(main())
