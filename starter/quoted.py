"""Texts that others wrote, behind a bar: every line on the screen that begins with the bar is theirs.

The law: whoever wrote it, no text can look like a line of ours. A long line goes on behind a bar of its own, so that
what a width makes of it cannot pass for the next one. What does not fit is cut, and says how much.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from rich.cells import cell_len, chop_cells
from rich.console import Console, ConsoleOptions, RenderResult
from rich.measure import Measurement
from rich.segment import Segment
from rich.style import Style

from starter.escape import visible

BEGINS, GOES_ON, CUT = "│ ", "│↪", "┊ "
BAR = Style(dim=True)
LEAST = 40
"""Room that even an empty line takes."""


@dataclass(frozen=True)
class Quoted:
    """A text of somebody else's. `room` bounds what is shown of it, in characters; none is all."""

    text: str
    room: int | None = None
    style: str = ""

    def kept(self) -> tuple[str, int]:
        """Return what is shown, with everything hidden in it spelt out, and how many characters are cut."""
        return shortened(visible(self.text, lines=True).expandtabs(4), self.room)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Yield the lines, folded to the width that there is."""
        shown, cut = self.kept()
        width = max(options.max_width - len(BEGINS), 2)
        for line in shown.split("\n"):
            for number, part in enumerate(folded(line, width)):
                yield Segment(GOES_ON if number else BEGINS, BAR)
                yield Segment(part, console.get_style(self.style))
                yield Segment.line()
        if cut:
            yield Segment(f"{CUT}{worded(cut, len(shown) + cut)}", Style(bold=True, color="yellow"))
            yield Segment.line()

    def __rich_measure__(self, console: Console, options: ConsoleOptions) -> Measurement:
        """Return how wide it may be."""
        del console
        widest = max(cell_len(line) for line in self.kept()[0].split("\n"))
        return Measurement(len(BEGINS) + 2, max(widest, 2) + len(BEGINS)).with_maximum(options.max_width)


def folded(line: str, width: int) -> Iterator[str]:
    """Yield a line in parts that fit a width, after a space where there is one near the end; no character is lost."""
    begin = 0
    while len(line) - begin > width or cell_len(line[begin:]) > width:
        next_ = line[begin : begin + width]
        part = (chop_cells(next_, width) or [next_])[0]
        space = part.rfind(" ", 2 * len(part) // 3)
        part = part[: space + 1] or part
        yield part
        begin += len(part)
    yield line[begin:]


def shortened(text: str, room: int | None) -> tuple[str, int]:
    """Return the beginning of a text and how many characters are cut: whole lines, unless the first is too long."""
    if room is None:
        return text, 0
    left, kept = room, 0
    for line in text.split("\n"):
        left -= taken(line)
        if left < 0:
            shown = text[: kept - 1] if kept else text[:room]
            return shown, len(text) - len(shown)
        kept += len(line) + 1
    return text, 0


def taken(text: str) -> int:
    """Return the room that a text takes."""
    return sum(max(len(line), LEAST) for line in text.split("\n"))


def worded(cut: int, whole: int) -> str:
    """Say how much is cut."""
    return f"cut here: {cut:,} of {whole:,} characters are not shown"
