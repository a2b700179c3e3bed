"""The results of a race as a picture: each workload's rate as a multiple of RocksDB's, on a logarithmic scale (SVG)."""
import math
from xml.sax.saxutils import escape

import table

COLOURS = {'firn': '#0b7285', 'rocksdb': '#868e96', 'leveldb': '#e8890c'}
LABEL_WIDTH = 150
PLOT_WIDTH = 560
RIGHT_WIDTH = 60
BAR_HEIGHT = 9
ROW_GAP = 8
TOP = 60


class Scale:
    """Maps a ratio to a horizontal position."""

    def __init__(self, ratios):
        self.low = min(0.5, *ratios)
        self.high = max(2.0, *ratios)

    def __call__(self, ratio):
        return LABEL_WIDTH + PLOT_WIDTH * math.log(ratio / self.low) / math.log(self.high / self.low)

    def ticks(self):
        return [tick for tick in (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100) if self.low <= tick <= self.high]


def text(x, y, content, anchor='start', size=12, weight='normal'):
    return f'<text x="{x:.0f}" y="{y:.0f}" font-size="{size}" font-weight="{weight}" text-anchor="{anchor}">{escape(content)}</text>'


def bar(scale, ratio, y, colour):
    left, right = sorted((scale(1), scale(ratio)))
    return f'<rect x="{left:.1f}" y="{y}" width="{max(right - left, 1):.1f}" height="{BAR_HEIGHT}" rx="1.5" fill="{colour}"/>'


def render(rows, engines):
    """An SVG document; a note in its place where there is nothing to compare."""
    contenders = [engine for engine in engines if engine != table.BASELINE]
    rows = [row for row in rows if any(row.ratio(engine) for engine in contenders)]
    ratios = [row.ratio(engine) for row in rows for engine in contenders if row.ratio(engine)]
    if not ratios:
        return '<svg xmlns="http://www.w3.org/2000/svg" width="300" height="40"><text x="9" y="25">No ratios</text></svg>\n'
    scale = Scale(ratios)
    row_height = BAR_HEIGHT * len(contenders) + ROW_GAP
    height = TOP + row_height * len(rows) + 16
    width = LABEL_WIDTH + PLOT_WIDTH + RIGHT_WIDTH
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        'font-family="system-ui, sans-serif" fill="#212529">',
        f'<rect width="{width}" height="{height}" fill="#ffffff"/>',
        text(12, 22, 'Speed as a multiple of RocksDB', size=15, weight='600'),
    ]
    for number, engine in enumerate(contenders):
        x = width - 90 * (len(contenders) - number)
        parts.append(f'<rect x="{x}" y="12" width="12" height="12" rx="2" fill="{COLOURS[engine]}"/>')
        parts.append(text(x + 17, 22, engine))
    for tick in scale.ticks():
        x = scale(tick)
        colour = '#495057' if tick == 1 else '#dee2e6'
        parts.append(f'<line x1="{x:.1f}" y1="{TOP - 8}" x2="{x:.1f}" y2="{height - 12}" stroke="{colour}"/>')
        parts.append(text(x, TOP - 13, f'{tick:g}x', anchor='middle', size=11))
    for number, row in enumerate(rows):
        top = TOP + number * row_height
        parts.append(text(LABEL_WIDTH - 10, top + BAR_HEIGHT * len(contenders) / 2 + 4, row.workload['name'], anchor='end'))
        for lane, engine in enumerate(contenders):
            ratio = row.ratio(engine)
            if not ratio:
                continue
            y = top + lane * BAR_HEIGHT
            parts.append(bar(scale, ratio, y, COLOURS[engine]))
            parts.append(text(max(scale(ratio), scale(1)) + 4, y + BAR_HEIGHT - 1, f'{ratio:.1f}', size=9))
    return '\n'.join([*parts, '</svg>', ''])
