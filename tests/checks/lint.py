#!/usr/bin/env python3
"""clang-tidy on those of the given files that were not found clean as they are: `./dev lint`.

usage: lint.py BUILD_DIR JOBS FILE...

A file is linted again only when it, a header of ours that it reaches, its compile command or .clang-tidy has changed:
the hash of all these lies in BUILD_DIR/lint once clang-tidy had nothing to say. A file that no target compiles is left
out. Exit code 1 if anything was found.
"""
import concurrent.futures
import hashlib
import json
import pathlib
import shlex
import subprocess
import sys


class Unit:
    """One file with the arguments that compile it."""

    def __init__(self, build, entry):
        self.build = build
        self.path = (build / entry['file']).resolve()
        self.arguments = shlex.split(entry['command'])

    def headers(self):
        """The file and all headers it reaches, but for those of the system."""
        arguments = [argument for argument in self.arguments if pathlib.Path(argument).name != 'ccache']
        # Without its outputs: the object and the list of dependencies.
        for flag in ('-o', '-MF', '-MQ'):
            at = arguments.index(flag)
            del arguments[at : at + 2]
        arguments = [argument for argument in arguments if argument not in ('-c', '-MD')]
        rule = subprocess.run([*arguments, '-MM'], cwd=self.build, check=True, capture_output=True, text=True).stdout
        return sorted((self.build / name).resolve() for name in rule.partition(':')[2].replace('\\\n', ' ').split())

    def digest(self, config):
        digest = hashlib.sha256(config + ' '.join(self.arguments).encode())
        for header in self.headers():
            digest.update(header.read_bytes())
        return digest.hexdigest()

    def lint(self, config, root):
        """What clang-tidy says of it; empty when that is nothing."""
        name = self.path.relative_to(root).as_posix()
        stamp = self.build / 'lint' / name.replace('/', '+')
        digest = self.digest(config)
        if stamp.exists() and stamp.read_text() == digest:
            return ''
        command = ['clang-tidy', '-p', str(self.build), '--quiet', str(self.path)]
        run = subprocess.run(command, cwd=root, capture_output=True, text=True)
        if run.returncode == 0:
            stamp.write_text(digest)
            return ''
        return run.stdout or run.stderr


def main():
    build = pathlib.Path(sys.argv[1]).resolve()
    root = pathlib.Path.cwd()
    wanted = {(root / name).resolve() for name in sys.argv[3:]}
    config = (root / '.clang-tidy').read_bytes()
    (build / 'lint').mkdir(exist_ok=True)
    units = {}
    for entry in json.loads((build / 'compile_commands.json').read_text()):
        unit = Unit(build, entry)
        if unit.path in wanted:
            units[unit.path] = unit
    failed = 0
    with concurrent.futures.ThreadPoolExecutor(int(sys.argv[2])) as pool:
        runs = {pool.submit(unit.lint, config, root): unit for unit in units.values()}
        for done, run in enumerate(concurrent.futures.as_completed(runs), 1):
            if sys.stderr.isatty():
                print(f'\r{done}/{len(units)}', end='', file=sys.stderr)
            if found := run.result():
                failed += 1
                print(found, flush=True)
    print(f'{len(units) - failed} files clean, {failed} with findings')
    return 1 if failed else 0


if __name__ == '__main__':
    sys.exit(main())
