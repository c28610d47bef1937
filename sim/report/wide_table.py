"""A table that is split, not cut, on a narrow terminal."""

from rich import box
from rich.table import Table
from rich.text import Text

__all__ = ["WideTable", "new_table"]


class WideTable:
    """Rows under headings, as one table if it fits, else as several stacked ones.

    Each of the parts repeats the first columns, which name the row. Nothing is cut: a single column
    that is too wide for the terminal is folded.

    Parameters
    ----------
    title : str
    keys : int
        Number of first columns that name the row and are repeated.

    Attributes
    ----------
    caption : str or None
        Set below, as wide as the terminal.
    """

    def __init__(self, title, keys=1):
        self.caption: str | None = None
        self._title = title
        self._keys = keys
        self._columns = []
        self._rows = []
        self._sections = set()

    def add_column(self, heading, justify="left"):
        """Add a column; one without a heading is never parted from the column before it."""
        self._columns.append((heading, justify))

    def add_row(self, *cells, style=None):
        """Add a row with a cell for each column, of str or `rich.text.Text`."""
        self._rows.append((cells, style))

    def add_section(self):
        """Rule off the rows so far."""
        self._sections.add(len(self._rows))

    def __rich_console__(self, console, options):
        keys = list(range(self._keys))
        shares: list[list[int]] = [[]]
        for number in range(self._keys, len(self._columns)):
            wanted = [*keys, *shares[-1], number]
            together = not self._columns[number][0]
            if shares[-1] and not together and self._width(console, wanted) > options.max_width:
                shares.append([])
            shares[-1].append(number)
        yield Text(self._title, style="bold")
        for share in shares:
            yield self._table([*keys, *share])
        if self.caption:
            yield Text(self.caption, style="dim")

    def _width(self, console, columns):
        """Characters that these columns take if nothing is folded."""
        table = self._table(columns)
        return console.measure(table, options=console.options.update(width=1_000_000)).maximum

    def _table(self, columns):
        """These columns as a table of rich."""
        table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
        for number in columns:
            heading, justify = self._columns[number]
            table.add_column(heading, justify=justify, overflow="fold")
        for place, (cells, style) in enumerate(self._rows):
            if place in self._sections:
                table.add_section()
            table.add_row(*(cells[number] for number in columns), style=style)
        return table


def new_table(title: str, *columns: str) -> WideTable:
    """A `WideTable` with a left-aligned first column and numbers in the others."""
    table = WideTable(title)
    for number, column in enumerate(columns):
        table.add_column(column, justify="right" if number else "left")
    return table
