#!/usr/bin/env python3
"""Sums up a `meson test` run, a line per suite; the last line is `N passed, N failed`.

usage: summary.py BUILD_DIR...

Suites of build-asan are shown as "asan: lsm". A folder in which no test ran (it did not build) counts as one failure.

Counts cases: each TEST of a GoogleTest program, each line of one that speaks TAP, and any other test as one. A program that failed without naming a
failed case (a crash, a timeout, a leak found at exit) counts as one failure. Exit code 1 if anything failed.
"""
import collections
import json
import pathlib
import re
import sys

CASE_PASSED = re.compile(r'^\[ +OK \] |^ok \d+ ', re.MULTILINE)
CASE_FAILED = re.compile(r'^\[ +FAILED +\] ([^\s,]+).* \(\d+ ms\)$|^not ok \d+ - (.*)', re.MULTILINE)


class Suite:
    def __init__(self):
        self.programs = 0
        self.passed = 0
        self.seconds = 0.0


def main():
    suites = collections.defaultdict(Suite)
    failures = []
    for build_dir in sys.argv[1:]:
        log = pathlib.Path(build_dir) / 'meson-logs' / 'testlog.json'
        if not log.exists():
            failures.append(f'{build_dir}: no test ran')
            continue
        kind = pathlib.Path(build_dir).name.partition('-')[2]
        for line in log.read_text().splitlines():
            run = json.loads(line)
            if run['result'] == 'SKIP':
                continue
            # "firn:wal / log_test", or "firn / log_test" outside any suite.
            owner, _, program = run['name'].partition(' / ')
            suite_name = owner.partition(':')[2] or 'other'
            suite = suites[f'{kind}: {suite_name}' if kind else suite_name]
            ok = run['result'] in ('OK', 'EXPECTEDFAIL')
            cases = len(CASE_PASSED.findall(run['stdout']))
            failed = [f'{program}: {"".join(case)}' for case in CASE_FAILED.findall(run['stdout'])]
            ended_itself = run['result'] == 'FAIL' and run['returncode'] >= 0
            if not ok and not (failed and ended_itself):
                failed.append(f'{program}: {run["result"].lower()}, exit code {run["returncode"]}')
            if ok and cases == 0:
                cases = 1
            suite.programs += 1
            suite.passed += cases
            suite.seconds += run['duration']
            failures += failed

    print(f'\n{"suite":<18}{"programs":>9}{"passed":>8}{"seconds":>9}')
    for name, suite in sorted(suites.items()):
        print(f'{name:<18}{suite.programs:>9}{suite.passed:>8}{suite.seconds:>9.1f}')
    for failure in failures:
        print('FAILED', failure)
    passed = sum(suite.passed for suite in suites.values())
    print(f'\n{passed} passed, {len(failures)} failed')
    return 1 if failures or passed == 0 else 0


if __name__ == '__main__':
    sys.exit(main())
