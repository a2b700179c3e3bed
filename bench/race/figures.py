"""The results of a race as figures for docs/benchmarks.md: what stands between two marks there is replaced."""
import table

def marks(program):
    return f'<!-- figures: written by bench/race/{program} --docs -->\n', f'<!-- end of figures of {program} -->\n'


def markdown_table(header, lines):
    alignment = ['---'] + ['---:'] * (len(header) - 1)
    return '\n'.join('| ' + ' | '.join(cells) + ' |' for cells in [header, alignment, *lines])


def versions(document, engines):
    """{engine: its name and version as it says itself}"""
    found = {}
    for runs in document['results'].values():
        for engine in engines:
            for run in runs.get(engine, []):
                if 'engine' in run:
                    found[engine] = run['engine']
    return [found.get(engine, engine) for engine in engines]


def setting_lines(document, engines):
    machine, settings = document['machine'], document['settings']
    workloads = 'every workload, with all of its operations' if settings['full'] else 'with a quarter of the operations'
    return [
        f'- Date: {document["date"][:10]}. Engines: {", ".join(versions(document, engines))}.',
        f'- Machine: {machine["cpu"]}, {machine["cores"]} cores, {machine["memory_bytes"] / 2**30:.0f} GiB, '
        f'Linux {machine["kernel"].split("-")[0]}.',
        f'- Data: {settings["num"]:,} rows of 16 + {settings["value"]} bytes where a workload has no sizes of its own, '
        f'{workloads}; medians of {settings["repeat"]} run{"s" * (settings["repeat"] > 1)}, the engines by turns.',
    ]


def speed_lines(rows, engines):
    others = [engine for engine in engines if engine != table.BASELINE]
    header = ['workload', 'what', 'unit', *engines, *(f'{engine} / {table.BASELINE}' for engine in others)]
    lines = []
    for row in rows:
        for number, group in enumerate(row.groups()):
            names = [row.workload['name'], row.workload['help'], row.workload['unit'] + '/s']
            if number > 0:
                names = ['', f'its {group}', '']
            rates = {engine: row.rate(engine, number) for engine in engines}
            base = rates.get(table.BASELINE)
            ratios = [f'{rates[engine] / base:.2f}' if rates[engine] and base else '-' for engine in others]
            lines.append([*names, *(table.cell(rates[engine], table.short_number) for engine in engines), *ratios])
    return markdown_table(header, lines)


def latency_lines(rows, engines):
    header = ['workload', *(f'{title} {engine}' for title, _ in table.LATENCIES for engine in engines)]
    lines = [[row.workload['name'], *table.latency_cells(row, engines)] for row in rows]
    return markdown_table(header, lines)


def cost_lines(rows, engines):
    columns = (
        ('bytes written', 'write_amplification', table.short_ratio),
        ('bytes on disk', 'space_amplification', table.short_ratio),
        ('peak MB', 'peak_rss_bytes', table.megabytes),
        ('without files', 'peak_anonymous_bytes', table.megabytes),
    )
    cpu = [f'CPU {engine}' for engine in engines]
    header = ['workload', *cpu, *(f'{title} {engine}' for title, _, _ in columns for engine in engines)]
    lines = [
        [
            row.workload['name'],
            *(table.cell(row.cpu_ns(engine), table.short_time) for engine in engines),
            *(table.cell(row.figure(engine, name), form) for _, name, form in columns for engine in engines),
        ]
        for row in rows
    ]
    return markdown_table(header, lines)


def render(document, rows, engines):
    parts = [
        '\n'.join(setting_lines(document, engines)),
        '### Speed',
        speed_lines(rows, engines),
        '### Latency of one call',
        'One call in 16 is timed; the maximum sees every stall.',
        latency_lines(rows, engines),
        '### CPU, bytes and memory',
        'CPU time of all threads per row; bytes written and on disk, per byte of user data; the peak of resident memory, '
        'first with mapped pages of files, which belong to the page cache and go when others need room, then without.',
        cost_lines(rows, engines),
    ]
    return '\n\n'.join(parts) + '\n'


def update(path, program, text):
    """Puts the figures between the program's marks in the page."""
    page = path.read_text()
    first, last = marks(program)
    before, begin, rest = page.partition(first)
    _, end, after = rest.partition(last)
    if not begin or not end:
        raise SystemExit(f'race: {path} has no place for figures: "{first.strip()}" ... "{last.strip()}"')
    path.write_text(f'{before}{first}\n{text}\n{last}{after}')
