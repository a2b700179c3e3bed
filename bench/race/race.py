#!/usr/bin/env python3
"""Races the engines: runs every workload on each of them in turn, prints the ratios, writes race.json and race.svg, and
with --docs the figures of docs/benchmarks.md and its picture.

usage: race.py --programs BUILD/bench/race [--full] [--workloads a,b,c] [--engines firn,rocksdb] ...

Each run is a process of its own. Engines take turns workload by workload, so that a noisy minute hits all of them, and
the first of one turn is the last of the next. A workload that needs a data set runs on the database that another
workload left; those are run first where they were not asked for. With --keep the databases stay in --dir, and the next
race with --keep and the same data takes them as they are: for single rows again and again.
"""
import argparse
import contextlib
import datetime
import json
import os
import pathlib
import platform
import shutil
import subprocess
import sys
import tempfile

import figures
import plot
import table

ENGINES = ('firn', 'rocksdb', 'leveldb')
RUN_SECONDS_MAX = 3600
# Both are larger than the cache.
NUM_SHORT = 3_000_000
NUM_FULL = 5_000_000


def argument_parser(description):
    """With what every race has to be told."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument('--programs', type=pathlib.Path, required=True, help='where the built firn_race_* are')
    parser.add_argument('--value', type=int, default=100, help='bytes of the values of the main data set (default 100)')
    parser.add_argument('--seed', type=int, default=1)
    parser.add_argument('--dir', type=pathlib.Path, help='where the databases go (default: beside the programs)')
    return parser


def parse_arguments():
    parser = argument_parser('Race Firn against RocksDB and LevelDB.')
    parser.add_argument('--engines', default=','.join(ENGINES), help='comma-separated; default: all that are built')
    parser.add_argument('--workloads', default='', help='comma-separated; default: the short set')
    parser.add_argument('--full', action='store_true', help='every workload, with all of its operations')
    parser.add_argument('--short', action='store_true', help='a quarter of the operations (the default)')
    parser.add_argument('--num', type=int, help='rows of the main data set (default 3 million, with --full 5 million)')
    parser.add_argument('--threads', type=int, default=0, help="default: each workload's own number")
    parser.add_argument('--repeat', type=int, default=1, help='run everything so often; medians count (default 1)')
    parser.add_argument('--latency', action='store_true', help='time every operation, not one in 16')
    parser.add_argument('--out', type=pathlib.Path, help='where race.json and race.svg go (default: beside the programs)')
    parser.add_argument('--docs', type=pathlib.Path, help='the docs folder whose benchmarks.md and .svg are to be renewed')
    parser.add_argument('--results', type=pathlib.Path, nargs='+', help='run nothing: show these race.json; of a workload in several, the last')
    parser.add_argument('--keep', action='store_true', help='leave the databases in --dir, and use those that are there')
    arguments = parser.parse_args()
    if arguments.keep and arguments.dir is None:
        parser.error('--keep needs --dir')
    if arguments.full and arguments.short:
        parser.error('--full or --short, not both')
    if arguments.num is None:
        arguments.num = NUM_FULL if arguments.full else NUM_SHORT
    return arguments


def list_workloads(programs, engine):
    """What the programs can run: the list is theirs."""
    listing = subprocess.run([programs / f'firn_race_{engine}', '--list'], check=True, capture_output=True, text=True)
    return [json.loads(line) for line in listing.stdout.splitlines()]


def choose_workloads(listed, wanted, full):
    """The workloads to run, in order, with those that make their data; and the names of those to report."""
    by_name = {workload['name']: workload for workload in listed}
    if wanted:
        unknown = [name for name in wanted if name not in by_name]
        if unknown:
            sys.exit(f'race: no such workload: {", ".join(unknown)}; there are: {", ".join(by_name)}')
        reported = set(wanted)
    else:
        reported = {name for name, workload in by_name.items() if full or not workload['full_only']}
    needed = set(reported)
    for name in reported:
        while data := by_name[name]['data']:
            needed.add(data)
            name = data
    return [workload for workload in listed if workload['name'] in needed], reported


def database_name(workload):
    return workload['data'] or workload['name']


class Racer:
    def __init__(self, arguments, directory):
        self.arguments = arguments
        self.directory = directory

    def program(self, engine):
        return self.arguments.programs / f'firn_race_{engine}'

    def database(self, engine, workload):
        return self.directory / engine / database_name(workload)

    def run(self, engine, workload):
        """The report of one run; {'error': ...} when it failed."""
        database = self.database(engine, workload)
        if not workload['data']:
            shutil.rmtree(database, ignore_errors=True)
            database.mkdir(parents=True)
        if not workload['data'] or workload['changes']:
            self.note(engine, workload).unlink(missing_ok=True)
        arguments = self.arguments
        command = [self.program(engine), '--workload', workload['name'], '--dir', database]
        command += ['--num', arguments.num, '--value', arguments.value, '--threads', arguments.threads]
        command += ['--seed', arguments.seed]
        command += ['--full'] * arguments.full + ['--latency'] * arguments.latency
        try:
            run = subprocess.run(
                [str(part) for part in command], capture_output=True, text=True, timeout=RUN_SECONDS_MAX, check=False
            )
        except subprocess.TimeoutExpired:
            return {'error': f'not done after {RUN_SECONDS_MAX} s'}
        if run.returncode != 0:
            lines = run.stderr.strip().splitlines() or [f'exit code {run.returncode}']
            return {'error': lines[-1]}
        if not workload['data']:
            self.note(engine, workload).write_text(json.dumps(self.recipe(workload)))
        return json.loads(run.stdout)

    def note(self, engine, workload):
        """The file that says what a database was made with; there is none once something changed it."""
        return self.directory / engine / f'{database_name(workload)}.json'

    def recipe(self, workload):
        names = ('num', 'value', 'seed', 'full')
        return {'data': database_name(workload), **{name: getattr(self.arguments, name) for name in names}}

    def is_kept(self, engine, workload):
        note = self.note(engine, workload)
        return note.exists() and json.loads(note.read_text()) == self.recipe(workload)

    def forget(self, workload):
        for engine in ENGINES:
            shutil.rmtree(self.database(engine, workload), ignore_errors=True)


def race(racer, engines, workloads, repeat, results, save, skip):
    """Fills {workload: {engine: [report, ...]}}; calls save() after each workload, since the whole takes long.
    skip(engine, workload): there is no need to run it."""
    turns = 0
    for _ in range(repeat):
        for i, workload in enumerate(workloads):
            first = turns % len(engines)
            turns += 1
            for engine in engines[first:] + engines[:first]:
                if skip(engine, workload):
                    continue
                report = racer.run(engine, workload)
                results.setdefault(workload['name'], {name: [] for name in engines})[engine].append(report)
                print(table.progress_line(workload, engine, report), flush=True)
            save()
            used = database_name(workload)
            if not racer.arguments.keep and not any(database_name(later) == used for later in workloads[i + 1 :]):
                racer.forget(workload)


def machine():
    model = ''
    for line in pathlib.Path('/proc/cpuinfo').read_text().splitlines():
        if line.startswith('model name'):
            model = line.partition(':')[2].strip()
            break
    memory = os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES')
    return {'cpu': model, 'cores': os.cpu_count(), 'memory_bytes': memory, 'kernel': platform.release()}


def databases_parent(arguments):
    parent = arguments.dir or arguments.programs
    parent.mkdir(parents=True, exist_ok=True)
    return parent


def run_race(arguments):
    """All that race.json says."""
    engines = [
        engine for engine in arguments.engines.split(',') if (arguments.programs / f'firn_race_{engine}').exists()
    ]
    if not engines:
        sys.exit(f'race: no firn_race_* program in {arguments.programs}')
    listed = list_workloads(arguments.programs, engines[0])
    wanted = [name for name in arguments.workloads.split(',') if name]
    workloads, reported = choose_workloads(listed, wanted, arguments.full)

    document = {
        'date': datetime.datetime.now(datetime.timezone.utc).isoformat(timespec='seconds'),
        'machine': machine(),
        'settings': {
            name: getattr(arguments, name) for name in ('num', 'value', 'threads', 'seed', 'repeat', 'full', 'latency')
        },
        'workloads': [workload for workload in workloads if workload['name'] in reported],
        'results': {},
    }
    output_folder(arguments)
    parent = databases_parent(arguments)
    with contextlib.nullcontext(parent) if arguments.keep else tempfile.TemporaryDirectory(
        prefix='race-', dir=parent
    ) as directory:
        racer = Racer(arguments, pathlib.Path(directory))

        def skip(engine, workload):
            return arguments.keep and workload['name'] not in reported and racer.is_kept(engine, workload)

        results = document['results']
        race(racer, engines, workloads, arguments.repeat, results, lambda: save(document, arguments), skip)
    return document


def output_folder(arguments):
    folder = arguments.out or arguments.programs
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def save(document, arguments):
    (output_folder(arguments) / 'race.json').write_text(json.dumps(document, indent=1) + '\n')


def read_results(paths):
    """Several races as one: of a workload that ran in two of them, the last counts."""
    documents = [json.loads(path.read_text()) for path in paths]
    merged = documents[-1]
    for document in documents:
        merged['results'] = {**merged['results'], **document['results']}
        known = {workload['name'] for workload in merged['workloads']}
        merged['workloads'] += [workload for workload in document['workloads'] if workload['name'] not in known]
    return merged


def main():
    arguments = parse_arguments()
    document = read_results(arguments.results) if arguments.results else run_race(arguments)
    engines = [engine for engine in ENGINES if any(engine in runs for runs in document['results'].values())]
    rows = [
        table.Row(workload, {engine: runs.get(engine, []) for engine in engines})
        for workload in document['workloads']
        if (runs := document['results'].get(workload['name']))
    ]
    print(table.render(rows, engines))
    save(document, arguments)
    out = output_folder(arguments)
    (out / 'race.svg').write_text(plot.render(rows, engines))
    print(f'{out / "race.json"}, {out / "race.svg"}')
    if arguments.docs:
        figures.update(arguments.docs / 'benchmarks.md', 'race.py', figures.render(document, rows, engines))
        (arguments.docs / 'benchmarks.svg').write_text(plot.render(rows, engines))
        print(f'{arguments.docs / "benchmarks.md"}, {arguments.docs / "benchmarks.svg"}')
    return 1 if any(row.error(engine) for row in rows for engine in engines) else 0


if __name__ == '__main__':
    sys.exit(main())
