"""The results of a race as text."""
import statistics

BASELINE = 'rocksdb'
LATENCIES = (('p50', 'p50_ns'), ('p99', 'p99_ns'), ('p99.9', 'p999_ns'), ('max', 'max_ns'))


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


def short_ratio(value):
    return f'{value:.2f}' if value else '-'


def megabytes(value):
    return f'{value / 1e6:.0f}'


class Row:
    """One workload; medians over its runs."""

    def __init__(self, workload, runs):
        self.workload = workload
        self.runs = runs

    def error(self, engine):
        return next((run['error'] for run in self.runs[engine] if 'error' in run), '')

    def median(self, engine, value):
        """Of the runs that ended well; None where no run has the value."""
        values = [value(run) for run in self.runs[engine] if 'error' not in run]
        return statistics.median(values) if values and None not in values else None

    def rate(self, engine, group=0):
        return self.median(engine, lambda run: run['groups'][group]['rate'])

    def ratio(self, engine):
        """The engine's rate as a multiple of the baseline's; None where one is missing."""
        own, base = self.rate(engine), self.rate(BASELINE) if BASELINE in self.runs else None
        return own / base if own and base else None

    def cpu_ns(self, engine):
        """CPU time of all threads per row of all groups."""
        def of_run(run):
            rows = sum(group['rows'] for group in run['groups'])
            return run['cpu_seconds'] * 1e9 / rows if rows else None  # A log of less than a megabyte has no whole one.

        return self.median(engine, of_run)

    def latency(self, engine, name):
        return self.median(engine, lambda run: run['groups'][0][name])

    def figure(self, engine, name):
        return self.median(engine, lambda run: run.get(name))

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


def text_table(groups, lines):
    """Columns as wide as their widest cell, under two lines of header: the groups' titles and the columns' own.

    groups: [(title, [column name, ...]), ...]; the first column is flush left, the others flush right.
    """
    names = [name for _, columns in groups for name in columns]
    widths = [max(len(line[i]) for line in [names, *lines]) for i in range(len(names))]
    titles = []
    column = 0
    for title, columns in groups:
        width = sum(widths[column : column + len(columns)]) + 2 * (len(columns) - 1)
        widths[column] += max(0, len(title) - width)
        titles.append(title.ljust(max(width, len(title))))
        column += len(columns)

    def formatted(cells):
        first = cells[0].ljust(widths[0])
        return '  '.join([first, *(cell.rjust(width) for cell, width in zip(cells[1:], widths[1:]))]).rstrip()

    return '\n'.join(['  '.join(titles).rstrip(), formatted(names), *map(formatted, lines)])


def cell(value, form):
    return '-' if value is None else form(value)


def speed_table(rows, engines):
    others = [engine for engine in engines if engine != BASELINE]
    groups = [('', ['workload'])]
    groups += [('per second', engines), (f'times {BASELINE}', others), ('CPU time of a row', engines)]
    lines = []
    for row in rows:
        for number, group in enumerate(row.groups()):
            if number == 0:
                line = [row.workload['name'], *(cell(row.rate(engine), short_number) for engine in engines)]
                line += [cell(row.ratio(engine), lambda ratio: f'{ratio:.2f}') for engine in others]
                line += [cell(row.cpu_ns(engine), short_time) for engine in engines]
            else:
                line = [f'  its {group}', *(cell(row.rate(engine, number), short_number) for engine in engines)]
                line += [''] * (len(others) + len(engines))
            lines.append(line)
    return text_table(groups, lines)


def latency_cells(row, engines):
    return [cell(row.latency(engine, name), short_time) for _, name in LATENCIES for engine in engines]


def latency_table(rows, engines):
    groups = [('', ['workload']), *((title, engines) for title, _ in LATENCIES)]
    lines = [[row.workload['name'], *latency_cells(row, engines)] for row in rows]
    return text_table(groups, lines)


def cost_table(rows, engines):
    columns = (
        ('write amplification', 'write_amplification', short_ratio),
        ('space amplification', 'space_amplification', short_ratio),
        ('peak memory, MB', 'peak_rss_bytes', megabytes),
        ('without files, MB', 'peak_anonymous_bytes', megabytes),
    )
    groups = [('', ['workload']), *((title, engines) for title, _, _ in columns)]
    lines = [
        [row.workload['name'], *(cell(row.figure(engine, name), form) for _, name, form in columns for engine in engines)]
        for row in rows
    ]
    return text_table(groups, lines)


def render(rows, engines):
    parts = ['', speed_table(rows, engines), '', latency_table(rows, engines), '', cost_table(rows, engines)]
    errors = [f'{row.workload["name"]} on {engine}: {row.error(engine)}' for row in rows for engine in engines if row.error(engine)]
    if errors:
        parts += ['', 'FAILED', *errors]
    return '\n'.join(parts) + '\n'
