"""The sources of the tree, for the checks beside this file."""
import pathlib
import re

FOLDERS = ('include', 'platform', 'codec', 'wal', 'sstable', 'compaction', 'lsm', 'examples', 'tools', 'tests', 'bench')
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]', re.MULTILINE)


class Source:
    """One file: its path from the root with forward slashes, and its text."""

    def __init__(self, root, path):
        self.path = path.relative_to(root).as_posix()
        self.text = path.read_text(encoding='utf-8')

    @property
    def is_header(self):
        return self.path.endswith('.h')

    def line_of(self, offset):
        return self.text.count('\n', 0, offset) + 1

    def includes(self):
        """(line, '<' or '"', file) of each include."""
        return [(self.line_of(match.start()), match[1], match[2]) for match in INCLUDE.finditer(self.text)]

    def code(self):
        """The text with comments and the inside of literals blanked out; offsets and lines stay."""
        return CODE_TOKEN.sub(lambda match: re.sub(r'[^\n"]', ' ', match[0]), self.text)


CODE_TOKEN = re.compile(
    r'R"(?P<mark>[^()\\\s]{0,16})\([\s\S]*?\)(?P=mark)"|//[^\n]*|/\*[\s\S]*?\*/|"(?:\\.|[^"\\\n])*"'
)


def sources(root, suffixes=('.h', '.cc')):
    root = pathlib.Path(root).resolve()
    for folder in FOLDERS:
        for path in sorted((root / folder).rglob('*')):
            if path.suffix in suffixes and path.is_file():
                yield Source(root, path)


def report(problems):
    """Prints `path:line: text` for each problem; the exit code of the check."""
    for path, line, text in problems:
        print(f'{path}:{line}: {text}')
    return 1 if problems else 0
