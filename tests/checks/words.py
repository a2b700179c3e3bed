#!/usr/bin/env python3
"""Words that must not be in the tree: leftovers anywhere, waits and switched-off tests, and the machine outside platform.

usage: words.py ROOT
"""
import re
import sys

import tree

ENGINE = ('include/', 'codec/', 'wal/', 'sstable/', 'compaction/', 'lsm/')

# (folders, in code only, pattern, what to do about it)
RULES = [
    (('',), False, r'//.*\bTODO\b(?!\([a-z]+\): \S)', 'write TODO(name): the condition that makes it due'),
    (('',), False, r'//.*\b(FIXME|XXX|HACK)\b', 'finish it, or TODO(name): the condition that makes it due'),
    (('',), True, r'#\s*if\s+[01]\b', 'dead code'),
    (('tests/',), True, r'\b(sleep_for|sleep_until|u?sleep|nanosleep)\b', 'a test waits for a fact, never for a time'),
    (('tests/',), True, r'\b(GTEST_SKIP|DISABLED_\w*)\b', 'a test runs or does not exist'),
    (
        ENGINE,
        True,
        r'#\s*include\s*<(unistd\.h|fcntl\.h|poll\.h|sched\.h|pthread\.h|signal\.h|time\.h|sys/\S+|linux/\S+|thread|mutex'
        r'|shared_mutex|condition_variable|future|semaphore|latch|barrier|stop_token|ctime|random|filesystem'
        r'|fstream|iostream|csignal)>',
        'the machine is reached through platform only',
    ),
    (
        ENGINE,
        True,
        r'\bstd::(this_thread|j?thread|mutex|chrono::\w+_clock|random_device)\b|(?<![\w.>])(s?rand|getenv|fopen|printf'
        r'|clock_gettime|gettimeofday)\s*\(',
        'the machine is reached through platform only',
    ),
]


def main():
    problems = []
    for source in tree.sources(sys.argv[1]):
        code = source.code()
        for folders, code_only, pattern, advice in RULES:
            if source.path.startswith(folders):
                for match in re.finditer(pattern, code if code_only else source.text):
                    problems.append((source.path, source.line_of(match.start()), f'{match[0].strip()}: {advice}'))
    return tree.report(problems)


if __name__ == '__main__':
    sys.exit(main())
