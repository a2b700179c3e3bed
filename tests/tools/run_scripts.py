#!/usr/bin/env python3
"""Runs the scripts of the command-line tool and compares what it prints and how it ends.

A script is a list of steps, each run by the shell in an empty directory with `firn` on the path:

    $ firn get db key
    value
    [exit 1]

Lines after the command are its output, standard error included; `[exit N]` follows where N is not 0. Comments start
with #. With FIRN_REWRITE set the scripts are rewritten with what happened: review the difference.
"""
import os
import pathlib
import subprocess
import sys
import tempfile


def run(command, directory, path):
    done = subprocess.run(['bash', '-c', command], cwd=directory, env={**os.environ, 'PATH': path, 'LC_ALL': 'C'},
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60)
    text = done.stdout.decode('utf-8', 'backslashreplace')
    lines = text.splitlines()
    return lines + ([f'[exit {done.returncode}]'] if done.returncode else [])


def play(script, path):
    """What the script looks like after running its commands."""
    result = []
    with tempfile.TemporaryDirectory() as directory:
        for line in script.read_text().splitlines():
            if line.startswith('$ '):
                result.append(line)
                result += run(line[2:], directory, path)
            elif line.startswith('#') or not line:
                result.append(line)
    return result


def main():
    firn, folder = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    path = f'{firn.resolve().parent}:{os.environ["PATH"]}'
    failed = 0
    for script in sorted(folder.glob('*.txt')):
        expected, found = script.read_text().splitlines(), play(script, path)
        if os.environ.get('FIRN_REWRITE'):
            script.write_text('\n'.join(found) + '\n')
        elif expected != found:
            failed += 1
            at = next((i for i, pair in enumerate(zip(expected, found)) if pair[0] != pair[1]),
                      min(len(expected), len(found)))
            print(f'{script.name}:{at + 1}:')
            print('  expected:', *expected[at:at + 3], sep='\n    ')
            print('  found:', *found[at:at + 3], sep='\n    ')
    return 1 if failed else 0


sys.exit(main())
