#!/usr/bin/env python3
"""Races the engines over data sets of growing size: does a row cost more in a larger database than the depth of the
tree explains? Prints a table, writes curve.json and curve.svg, and with --docs the curve of docs/benchmarks.md.

usage: curve.py --programs BUILD/bench/race [--rows 1,5,20] [--workloads fillrandom,readrandom,seek10] ...
"""
import copy
import json
import math
import pathlib
import sys
import tempfile

import figures
import plot
import race
import table

PANEL_WIDTH = 260
PANEL_HEIGHT = 200
MARGIN = 56


def parse_arguments():
    parser = race.argument_parser('Race Firn against RocksDB and LevelDB as the data grows.')
    parser.add_argument('--engines', default='firn,rocksdb', help='comma-separated (default firn,rocksdb)')
    parser.add_argument('--workloads', default='fillrandom,readrandom,seek10', help='comma-separated')
    parser.add_argument('--rows', default='1,5,20', help='sizes of the data set, in millions of rows (default 1,5,20)')
    parser.add_argument('--docs', type=pathlib.Path, help='the docs folder whose benchmarks.md and curve.svg are renewed')
    arguments = parser.parse_args()
    arguments.rows = [float(rows) for rows in arguments.rows.split(',')]
    arguments.engines = arguments.engines.split(',')
    arguments.workloads = arguments.workloads.split(',')
    # What race.Racer asks for beside these.
    arguments.threads, arguments.full, arguments.latency = 0, False, False
    return arguments


def measure(arguments):
    """{workload: {engine: [rows a second, one for each size]}}"""
    listed = race.list_workloads(arguments.programs, arguments.engines[0])
    workloads, reported = race.choose_workloads(listed, arguments.workloads, False)
    rates = {name: {engine: [] for engine in arguments.engines} for name in arguments.workloads}
    for millions in arguments.rows:
        settings = copy.copy(arguments)
        settings.num = round(millions * 1e6)
        with tempfile.TemporaryDirectory(prefix='curve-', dir=race.databases_parent(arguments)) as directory:
            racer = race.Racer(settings, pathlib.Path(directory))
            for workload in workloads:
                for engine in arguments.engines:
                    report = racer.run(engine, workload)
                    if 'error' in report:
                        sys.exit(f'curve: {workload["name"]} of {millions:g} million rows, {engine}: {report["error"]}')
                    print(f'{millions:>5g} M  {table.progress_line(workload, engine, report)}', flush=True)
                    if workload['name'] in reported:
                        rates[workload['name']][engine].append(report['groups'][0]['rate'])
    return rates


def render_table(arguments, rates):
    sizes = [f'{millions:g} M rows' for millions in arguments.rows]
    lines = [
        [name, engine, *(table.short_number(rate) for rate in by_size), f'{by_size[-1] / by_size[0]:.2f}']
        for name, engines in rates.items()
        for engine, by_size in engines.items()
    ]
    return figures.markdown_table(['workload', 'engine', *sizes, 'last / first'], lines)


def panel(arguments, name, engines, left):
    """One workload: rows a second over rows, both axes logarithmic."""
    values = [rate for by_size in engines.values() for rate in by_size]
    low, high = min(values) / 1.3, max(values) * 1.3
    most, least = math.log(arguments.rows[-1]), math.log(arguments.rows[0])

    def place(millions, rate):
        across = (math.log(millions) - least) / (most - least or 1)
        up = (math.log(rate) - math.log(low)) / (math.log(high) - math.log(low))
        return left + across * PANEL_WIDTH, MARGIN + (1 - up) * PANEL_HEIGHT

    bottom = MARGIN + PANEL_HEIGHT
    parts = [
        plot.text(left, MARGIN - 12, f'{name}, rows/s', weight='600'),
        f'<path d="M{left} {MARGIN}V{bottom}H{left + PANEL_WIDTH}" fill="none" stroke="#adb5bd"/>',
    ]
    for millions in arguments.rows:
        parts.append(plot.text(place(millions, low)[0], bottom + 16, f'{millions:g} M', anchor='middle', size=11))
    for engine, by_size in engines.items():
        points = [place(millions, rate) for millions, rate in zip(arguments.rows, by_size)]
        line = ' '.join(f'{x:.0f},{y:.0f}' for x, y in points)
        parts.append(f'<polyline points="{line}" fill="none" stroke="{plot.COLOURS[engine]}" stroke-width="2"/>')
        for (x, y), rate in zip(points, by_size):
            parts.append(f'<circle cx="{x:.0f}" cy="{y:.0f}" r="3" fill="{plot.COLOURS[engine]}"/>')
            parts.append(plot.text(x, y - 7, table.short_number(rate), anchor='middle', size=10))
        parts.append(plot.text(points[-1][0] + 8, points[-1][1] + 4, engine, size=11))
    return parts


def render_picture(arguments, rates):
    step = PANEL_WIDTH + 2 * MARGIN
    width, height = step * len(rates) + MARGIN // 2, PANEL_HEIGHT + 2 * MARGIN
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        'font-family="system-ui, sans-serif" fill="#212529">',
        f'<rect width="{width}" height="{height}" fill="#ffffff"/>',
    ]
    for number, (name, engines) in enumerate(rates.items()):
        parts += panel(arguments, name, engines, MARGIN // 2 + number * step)
    return '\n'.join([*parts, '</svg>', ''])


def main():
    arguments = parse_arguments()
    rates = measure(arguments)
    text = render_table(arguments, rates)
    print(text)
    (arguments.programs / 'curve.json').write_text(json.dumps({'rows_millions': arguments.rows, 'rates': rates}) + '\n')
    picture = render_picture(arguments, rates)
    (arguments.programs / 'curve.svg').write_text(picture)
    if arguments.docs:
        figures.update(arguments.docs / 'benchmarks.md', 'curve.py', text)
        (arguments.docs / 'curve.svg').write_text(picture)
    return 0


if __name__ == '__main__':
    sys.exit(main())
