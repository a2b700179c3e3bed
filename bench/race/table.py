"""The results of a race as text."""
import statistics

BASELINE = 'rocksdb'


def short_number(value):
    """Three digits and a unit: 247 k, 4.70 M."""
    for limit, divisor, unit in ((1e9, 1e9, ' G'), (1e6, 1e6, ' M'), (1e3, 1e3, ' k')):
        if value >= 0.9995 * limit:
            return three_digits(value / divisor) + unit
    return three_digits(value)


def three_digits(value):
    return f'{value:.0f}' if value >= 99.95 else f'{value:.1f}' if value >= 9.995 else f'{value:.2f}'


def short_time(ns):
    for limit, divisor, unit in ((1e9, 1e9, ' s'), (1e6, 1e6, ' ms'), (1e3, 1e3, ' us')):
        if ns >= 0.9995 * limit:
            return three_digits(ns / divisor) + unit
    return f'{ns:.0f} ns'


class Row:
    """One workload; medians over its runs."""

    def __init__(self, workload, runs):
        self.workload = workload
        self.runs = runs

    def error(self, engine):
        return next((run['error'] for run in self.runs[engine] if 'error' in run), '')

    def median(self, engine, value):
        good = [run for run in self.runs[engine] if 'error' not in run]
        return statistics.median(value(run) for run in good) if good else None

    def rate(self, engine, group=0):
        return self.median(engine, lambda run: run['groups'][group]['rate'])

    def ratio(self, engine):
        """The engine's rate as a multiple of the baseline's; None where one is missing."""
        own, base = self.rate(engine), self.rate(BASELINE) if BASELINE in self.runs else None
        return own / base if own and base else None

    def cpu_ns(self, engine):
        """CPU time of all threads per row of all groups."""
        return self.median(engine, lambda run: run['cpu_seconds'] * 1e9 / sum(group['rows'] for group in run['groups']))

    def latency(self, engine, name):
        return self.median(engine, lambda run: run['groups'][0][name])

    def figure(self, engine, name):
        return self.median(engine, lambda run: run[name])

    def groups(self):
        """Names of the groups that ran beside the first."""
        for runs in self.runs.values():
            for run in runs:
                if 'error' not in run:
                    return [group['name'] for group in run['groups']]
        return []


def progress_line(workload, engine, report):
    if 'error' in report:
        return f'{workload["name"]:<18}{engine:<9} failed: {report["error"]}'
    group = report['groups'][0]
    return (
        f'{workload["name"]:<18}{engine:<9}{short_number(group["rate"]):>8} {workload["unit"]}/s'
        f'  p99.9 {short_time(group["p999_ns"])}, max {short_time(group["max_ns"])}'
    )


def text_table(header, lines):
    """Columns as wide as their widest cell: the first flush left, the others flush right."""
    widths = [max(len(line[i]) for line in [header, *lines]) for i in range(len(header))]

    def formatted(cells):
        return '  '.join(cell.ljust(width) if i == 0 else cell.rjust(width) for i, (cell, width) in enumerate(zip(cells, widths)))

    return '\n'.join([formatted(header), *map(formatted, lines)])


def cell(value, form):
    return '-' if value is None else form(value)


def speed_table(rows, engines):
    others = [engine for engine in engines if engine != BASELINE]
    header = ['workload', *(f'{engine}/s' for engine in engines), *(f'{engine} x' for engine in others)]
    header += [f'{engine} cpu/row' for engine in engines] + [f'{engine} p99.9' for engine in engines]
    header += [f'{engine} max' for engine in engines]
    lines = []
    for row in rows:
        for number, group in enumerate(row.groups()):
            name = row.workload['name'] if number == 0 else f'  its {group}'
            line = [name, *(cell(row.rate(engine, number), short_number) for engine in engines)]
            if number == 0:
                line += [cell(row.ratio(engine), lambda ratio: f'{ratio:.2f}') for engine in others]
                line += [cell(row.cpu_ns(engine), short_time) for engine in engines]
                line += [cell(row.latency(engine, 'p999_ns'), short_time) for engine in engines]
                line += [cell(row.latency(engine, 'max_ns'), short_time) for engine in engines]
            lines.append(line + [''] * (len(header) - len(line)))
    return text_table(header, lines)


def cost_table(rows, engines):
    columns = (
        ('write amp', 'write_amplification', lambda value: f'{value:.2f}' if value else '-'),
        ('space amp', 'space_amplification', lambda value: f'{value:.2f}' if value else '-'),
        ('peak MB', 'peak_rss_bytes', lambda value: f'{value / 1e6:.0f}'),
        ('anon MB', 'anonymous_bytes', lambda value: f'{value / 1e6:.0f}'),
    )
    header = ['workload', *(f'{engine} {title}' for title, _, _ in columns for engine in engines)]
    lines = []
    for row in rows:
        figures = [cell(row.figure(engine, name), form) for _, name, form in columns for engine in engines]
        lines.append([row.workload['name'], *figures])
    return text_table(header, lines)


def render(rows, engines):
    parts = ['', speed_table(rows, engines), '', cost_table(rows, engines)]
    errors = [f'{row.workload["name"]} on {engine}: {row.error(engine)}' for row in rows for engine in engines if row.error(engine)]
    if errors:
        parts += ['', 'FAILED', *errors]
    return '\n'.join(parts) + '\n'
