#!/usr/bin/env python3
"""Proves that the tests notice bugs: every planted one (platform/planted_bug.h) must be caught.

usage: planted_bugs.py BUILD [BUG...]
       planted_bugs.py --programs

BUILD is a build directory made with -Dplanted_bugs=true (`./dev planted-bugs` makes it). The programs are ordinary
tests: --programs lists those to be built. With a bug, the test of FIRST, or else any, must fail; without one those of
FIRST pass. Prints a line of TAP for each bug: which test caught it, after how long, and in what words.
"""
import concurrent.futures
import itertools
import os
import pathlib
import re
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
EXPLORER = 'tests/crash/engine_test'
# In the order in which they are tried. Their tests stop at the first that fails.
PROGRAMS = [
    EXPLORER,
    'tests/crash/regression_test',
    'tests/lsm/crash_test',
    'tests/wal/wal_replay_damage_test',
    'tests/lsm/manifest_damage_test',
    'tests/lsm/deep_levels_test',
    'tests/sstable/sstable_damage_test',
    'tests/sstable/sstable_value_file_test',
    'tests/contract/contract_test',
]
# Program and test that catch a bug soonest, where that is not the explorer's first workload.
EXPLORER_FIRST = (EXPLORER, '*/mixed_sync')
FIRST = {
    'batch_split': (EXPLORER, '*/mixed_buffered'),
    'create_before_log': (EXPLORER, '*/families_buffered'),
    'drop_not_logged': (EXPLORER, '*/families_buffered'),
    'durable_sequence_too_high': (EXPLORER, '*/mixed_buffered'),
    'edit_sync_failure_ignored': (EXPLORER, '*/rotate_sync'),
    'flush_before_log': (EXPLORER, '*/mixed_buffered'),
    'log_checksum_skipped': ('tests/wal/wal_replay_damage_test', '*'),
    'log_deleted_early': (EXPLORER, '*/rotate_buffered'),
    'log_forgotten_early': ('tests/crash/regression_test', '*'),
    'log_proof_too_high': (EXPLORER, '*/rotate_buffered'),
    'lost_names_ignored': ('tests/crash/regression_test', '*'),
    'manifest_checksum_skipped': ('tests/lsm/manifest_damage_test', '*'),
    'recovery_in_parts': (EXPLORER, '*/large_buffered'),
    'replay_skips_gap': (EXPLORER, '*/rotate_buffered'),
    'snapshot_ignored': ('tests/contract/contract_test', '*ReadsAtASnapshot*'),
    'table_checksum_skipped': ('tests/sstable/sstable_damage_test', '*'),
    'tombstone_dropped_early': ('tests/lsm/deep_levels_test', '*'),
    'value_checksum_skipped': ('tests/sstable/sstable_value_file_test', '*'),
    'values_deleted_early': (EXPLORER, '*/values_none'),
    'values_not_synced': (EXPLORER, '*/values_sync'),
}
SECONDS_MAX = 300


def planted():
    """Names and what goes wrong, as the header lists them."""
    header = (ROOT / 'platform/planted_bug.h').read_text()
    return dict(re.findall(r'X\((\w+), "([^"]*)"\)', header))


def failure(build, catcher, bug):
    """What went wrong in the test `catcher` with `bug`, in words; None if it passed."""
    program, pattern = catcher
    command = [str(build / program), f'--gtest_filter={pattern}', '--gtest_fail_fast']
    try:
        done = subprocess.run(command, env={**os.environ, 'FIRN_PLANTED_BUG': bug}, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=SECONDS_MAX, check=False,
                              cwd=build)
    except subprocess.TimeoutExpired:
        return 'hangs'
    output = done.stdout.decode(errors='replace')
    if done.returncode == 0 and '[  PASSED  ] 0 tests' not in output:
        return None
    # The name of the test, and of an explorer's violation the reason.
    name = re.search(r'\[  FAILED  \] ([^\s,]+)', output)
    reason = re.search(r'Failure\nFailed\n(.*)', output)
    words = [name.group(1) if name else f'exit code {done.returncode}', reason.group(1) if reason else '']
    return ': '.join(filter(None, words))


def catch(build, bug):
    """The first test that fails with `bug`, and how."""
    for catcher in [FIRST.get(bug, EXPLORER_FIRST)] + [(program, '*') for program in PROGRAMS]:
        words = failure(build, catcher, bug)
        if words:
            return f'{pathlib.Path(catcher[0]).name} {words}'
    return None


def sound(build):
    """What fails of FIRST without a bug."""
    catchers = sorted({EXPLORER_FIRST, *FIRST.values()})
    return '; '.join(filter(None, (failure(build, catcher, '') for catcher in catchers)))


def main():
    if sys.argv[1:] == ['--programs']:
        print(*PROGRAMS)
        return 0
    build, bugs = pathlib.Path(sys.argv[1]).resolve(), planted()
    chosen = sys.argv[2:] or list(bugs)
    unknown = (set(chosen) | set(FIRST)) - set(bugs)
    if unknown:
        print('there is no such bug:', *sorted(unknown))
        return 2

    def timed(task, *args):
        start = time.monotonic()
        return task(*args), f'{time.monotonic() - start:.1f} s'

    missed = 0
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        without = pool.submit(timed, sound, build)
        with_bug = [pool.submit(timed, catch, build, bug) for bug in chosen]
        print(f'1..{1 + len(chosen)}')
        complaint, seconds = without.result()
        print(f'{"not ok" if complaint else "ok"} 1 - without a bug: {seconds}', complaint, flush=True)
        for number, bug, search in zip(itertools.count(2), chosen, with_bug):
            caught, seconds = search.result()
            missed += not caught
            print(f'{"ok" if caught else "not ok"} {number} - {bug}: {seconds}',
                  caught[:150] if caught else f'nothing notices that {bugs[bug]}', flush=True)
    print(f'# {len(chosen) - missed} of {len(chosen)} planted bugs caught')
    return 1 if missed or complaint else 0


if __name__ == '__main__':
    sys.exit(main())
