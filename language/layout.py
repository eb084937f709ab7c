"""How much room the parts of a picture take, in pixels. Pure; `drawing.py` puts them there.

A size has an axis: how far from its left edge the line runs on which it is entered and left.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from language.diagram import Block, Run, Way

GAP = 28
"""Between what stands side by side."""
DOWN = 34
"""Between what stands below each other: room for a line and its label."""
PAD = 16
LINE = 16
CHARACTER = 6.8
LETTER = 7.6
NARROWEST = 130
PASS = 90
SLANT = {"gate": 16, "condition": 20}
"""Room that slanting sides take on the left and right."""


@dataclass(frozen=True)
class Size:
    width: float
    height: float
    axis: float
    main: float = 0
    """Of a list, the width without the steps that are only called."""


def head_height(block: Block) -> float:
    """Return the height of a block's name and lines."""
    return 12 + LINE * (1 + len(block.lines)) + 6


def head_width(block: Block) -> float:
    longest = max((len(line) * CHARACTER for line in block.lines), default=0)
    return max(NARROWEST, longest + 28, len(block.name) * LETTER + 28) + 2 * SLANT.get(block.kind, 0)


def lead(block: Block) -> Size:
    """Return the size of a block alone, without the ways out of it."""
    width, height = head_width(block), head_height(block)
    if block.inside is not None:
        inner = run_size(block.inside)
        width, height = max(width, inner.width + 2 * PAD), height + inner.height + 2 * PAD
    return Size(width, height, width / 2)


def block_size(block: Block) -> Size:
    """Return the size of a block with the ways out of it."""
    own = lead(block)
    if not block.ways:
        return own
    sizes = [way_size(way) for way in block.ways]
    wide = sum(size.width for size in sizes) + GAP * (len(sizes) - 1)
    width = max(own.width, wide)
    # The ways start at the left edge, so a narrow row of them shifts the axis.
    axis = max(own.width / 2, min(wide / 2, width - own.width / 2))
    return Size(width, own.height + DOWN + max(size.height for size in sizes), axis)


def way_size(way: Way) -> Size:
    return Size(PASS, 0, PASS / 2) if way.run is None else run_size(way.run)


def run_size(run: Run) -> Size:
    """Return the size of a list: its rows below each other on one axis, the called steps at its right."""
    rows = [row_size([block_size(block) for block in row]) for row in run.rows]
    left = max((row.axis for row in rows), default=0)
    main = left + max((row.width - row.axis for row in rows), default=0)
    height = total(row.height for row in rows)
    side = side_size(run)
    width = main + GAP + side.width if run.called else main
    return Size(width, max(height, side.height), left, main)


def row_size(sizes: list[Size]) -> Size:
    width = sum(size.width for size in sizes) + GAP * (len(sizes) - 1)
    axis = sizes[0].axis if len(sizes) == 1 else width / 2
    return Size(width, max(size.height for size in sizes), axis)


def side_size(run: Run) -> Size:
    """Return the size of the steps that are only called, below each other."""
    sizes = [block_size(block) for block in run.called]
    width = max((size.width for size in sizes), default=0)
    return Size(width, total(size.height for size in sizes), width / 2)


def total(heights: Iterable[float]) -> float:
    """Return the height of parts below each other."""
    parts = list(heights)
    return sum(parts) + DOWN * max(len(parts) - 1, 0)
