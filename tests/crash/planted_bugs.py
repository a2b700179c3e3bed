#!/usr/bin/env python3
"""Proves that the tests notice bugs: every planted one (platform/planted_bug.h) must be caught.

usage: planted_bugs.py BUILD [BUG...]

BUILD is a build directory made with -Dplanted_bugs=true (`./dev planted-bugs` makes it). Without a bug everything must
pass; with each one at least one of the programs here must fail. Prints a table: bug, caught by, after how long.
"""
import concurrent.futures
import os
import pathlib
import re
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
# Programs in the order in which they are tried: the explorer first, then the tests of damage and of the contract.
EXPLORER = 'tools/firn/firn crashtest --seconds 0 --plans 24 --faults 24 --depth 1 --states 3000'.split()
CATCHERS = {
    'explorer: mixed-sync': EXPLORER + ['mixed-sync'],
    'explorer: mixed-buffered': EXPLORER + ['mixed-buffered'],
    'explorer: rotate-buffered': EXPLORER + ['rotate-buffered'],
    'explorer: rotate-sync': EXPLORER + ['rotate-sync'],
    'explorer: overwrite-sync': EXPLORER + ['overwrite-sync'],
    'explorer: families-buffered': EXPLORER + ['families-buffered'],
    'explorer: large-buffered': EXPLORER + ['large-buffered'],
    'explorer: values-sync': EXPLORER[:-1] + ['6000', 'values-sync'],
    'lsm/crash_test': ['tests/lsm/crash_test'],
    'wal/replay_damage_test': ['tests/wal/wal_replay_damage_test'],
    'lsm/manifest_damage_test': ['tests/lsm/manifest_damage_test'],
    'sstable/damage_test': ['tests/sstable/sstable_damage_test'],
    'sstable/value_file_test': ['tests/sstable/sstable_value_file_test'],
    'lsm/deep_levels_test': ['tests/lsm/deep_levels_test'],
    'contract/contract_test': ['tests/contract/contract_test'],
}
# What catches these soonest; the others are caught by the first that is tried, or nearly.
FIRST = {
    'create_before_log': 'explorer: families-buffered',
    'drop_not_logged': 'explorer: families-buffered',
    'log_checksum_skipped': 'wal/replay_damage_test',
    'manifest_checksum_skipped': 'lsm/manifest_damage_test',
    'table_checksum_skipped': 'sstable/damage_test',
    'recovery_in_parts': 'explorer: large-buffered',
    'tombstone_dropped_early': 'lsm/deep_levels_test',
    'value_checksum_skipped': 'sstable/value_file_test',
    'values_deleted_early': 'explorer: values-sync',
    'values_not_synced': 'explorer: values-sync',
    'snapshot_ignored': 'contract/contract_test',
}
SECONDS_MAX = 300


def planted():
    """Names and what goes wrong, as the header lists them."""
    header = (ROOT / 'platform/planted_bug.h').read_text()
    return dict(re.findall(r'X\((\w+), "([^"]*)"\)', header))


def fails(build, command, bug):
    environment = {**os.environ, 'FIRN_PLANTED_BUG': bug}
    program = [str(build / command[0])] + command[1:]
    try:
        done = subprocess.run(program, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, timeout=SECONDS_MAX, check=False, cwd=build)
    except subprocess.TimeoutExpired:
        return True, 'hangs'
    # Of the explorer the reason, of GoogleTest the name of the test.
    found = re.search(rb'VIOLATION: (.*)|\[  FAILED  \] (\S+)', done.stdout)
    words = next((group for group in found.groups() if group), b'').decode() if found else ''
    return done.returncode != 0, words


def catch(build, bug):
    """The first program that fails with `bug`, and its words."""
    names = sorted(CATCHERS, key=lambda name: name != FIRST.get(bug))
    for name in names:
        failed, words = fails(build, CATCHERS[name], bug)
        if failed:
            return name, words
    return None


def main():
    build, bugs = pathlib.Path(sys.argv[1]).resolve(), planted()
    missing = [command[0] for command in CATCHERS.values() if not (build / command[0]).exists()]
    if missing:
        print('not built:', *missing)
        return 2
    chosen = sys.argv[2:] or list(bugs)
    if not sys.argv[2:]:
        caught = catch(build, '')
        if caught:
            print('fails without a bug:', *caught)
            return 1
    def search(bug):
        start = time.monotonic()
        return catch(build, bug), time.monotonic() - start

    missed = []
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for bug, (caught, seconds) in zip(chosen, pool.map(search, chosen)):
            name, words = caught or ('MISSED', bugs[bug])
            print(f'{bug:<26} {name:<27} {seconds:5.1f} s  {words[:100]}', flush=True)
            if not caught:
                missed.append(bug)
    print(f'{len(chosen) - len(missed)} of {len(chosen)} planted bugs caught', *missed)
    return 1 if missed else 0


if __name__ == '__main__':
    sys.exit(main())
