"""Tables without lines: a grey head, calm rows."""

from collections.abc import Iterable, Sequence

from rich import box
from rich.table import Table
from rich.text import Text

from starter.escape import visible

Cell = str | Text


def table(columns: Sequence[str], rows: Iterable[Sequence[Cell]]) -> Table:
    """Return rows under named columns. The first column is never wrapped: it is what people copy."""
    made = Table(box=box.SIMPLE_HEAD, header_style="dim", pad_edge=False, show_edge=False)
    for number, name in enumerate(columns):
        made.add_column(name, no_wrap=number == 0, overflow="fold")
    for row in rows:
        made.add_row(*(cell if isinstance(cell, Text) else Text(visible(cell)) for cell in row))
    return made
