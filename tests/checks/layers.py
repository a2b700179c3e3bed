#!/usr/bin/env python3
"""Includes point down only: checks every include in the tree against layers.txt.

usage: layers.py ROOT
"""
import pathlib
import sys

import tree


def read_rules(path):
    """{layer: set of layers it may include, or None for every one}."""
    rules = {}
    for line in path.read_text().splitlines():
        line = line.partition('#')[0].strip()
        if line:
            layer, _, allowed = line.partition(':')
            rules[layer] = None if allowed.strip() == '*' else {layer, *allowed.split()}
    unknown = {name for allowed in rules.values() for name in allowed or ()} - rules.keys()
    if unknown:
        sys.exit(f'{path}: no such layer: {", ".join(sorted(unknown))}')
    return rules


def layer_of(path, rules):
    """The longest layer that `path` is under, or None."""
    return max((layer for layer in rules if path.startswith(layer + '/')), key=len, default=None)


def main():
    root = pathlib.Path(sys.argv[1])
    rules = read_rules(pathlib.Path(__file__).with_name('layers.txt'))
    problems = []
    for source in tree.sources(root):
        layer = layer_of(source.path, rules)
        if layer is None:
            problems.append((source.path, 1, 'this folder has no line in tests/checks/layers.txt'))
            continue
        for line, _, name in source.includes():
            target = layer_of('include/' + name if name.startswith('firn/') else name, rules)
            if target is not None and rules[layer] is not None and target not in rules[layer]:
                problems.append((source.path, line, f'{layer} may not include {target} ("{name}")'))
    return tree.report(problems)


if __name__ == '__main__':
    sys.exit(main())
