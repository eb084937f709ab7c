"""Draw a mission as SVG: blocks in rows, what they hold inside them, the ways out of them side by side.

Pure, and laid out by the mission's own structure, so that two drawings of one mission are alike to the byte. The marks
are `ink.py`; texts of authors are escaped there. `starter/graph.py` makes a PNG of it.
"""

from collections.abc import Mapping

from contracts.definition import Definition
from language.diagram import NOTHING, Block, Run, Way, diagram
from language.ink import Box, Ink, Point
from language.layout import DOWN, GAP, PAD, block_size, head_height, lead, run_size, side_size, way_size

MARGIN = 24
CAP = 34

Exits = list[tuple[Point, str]]
"""Where lines leave to the next block, each with its label."""


def drawing(definition: Definition, notes: Mapping[str, str] = NOTHING) -> str:
    """Return a mission's picture as SVG; `notes` say more of steps."""
    run = diagram(definition, notes)
    size = run_size(run)
    pen = Pen()
    axis = MARGIN + max(size.axis, 120)
    start = pen.cap(definition.mission, axis, MARGIN)
    exits = pen.run(run, axis - size.axis, MARGIN + CAP + DOWN, [(start, "")])
    bottom = MARGIN + CAP + DOWN + size.height + DOWN
    pen.lead(exits, (axis, bottom))
    pen.cap(" | ".join(definition.verdict.one_of), axis, bottom)
    pen.called()
    width = max(axis - size.axis + size.width, axis + 160) + MARGIN
    return pen.ink.page(width + 40 * bool(pen.calls), bottom + CAP + MARGIN, definition.mission)


class Pen:
    """Draws blocks, and remembers where each stands."""

    def __init__(self) -> None:
        self.ink = Ink()
        self.places: dict[str, Box] = {}
        self.calls: list[tuple[Box, str, str]] = []

    def cap(self, text: str, axis: float, y: float) -> Point:
        """Draw the start or the end of the mission, and return where it is left."""
        self.ink.cap(text, axis, y, CAP)
        return axis, y + CAP

    def run(self, run: Run, x: float, y: float, before: Exits) -> Exits:
        """Draw a list with its upper left corner at a point, after what leads to it; return what leads out of it."""
        size = run_size(run)
        exits: dict[str, Exits] = {}
        last = before
        at = y
        for row in run.rows:
            sizes = [block_size(block) for block in row]
            wide = sum(one.width for one in sizes) + GAP * (len(row) - 1)
            left = x + size.axis - (wide / 2 if len(row) > 1 else sizes[0].axis)
            after: Exits = []
            for block, one in zip(row, sizes, strict=True):
                needed = [way for need, name in run.needs if name == block.name for way in exits.get(need, ())]
                exits[block.name] = self.block(block, left, at, needed or (before if run.graph else last))
                after += exits[block.name]
                left += one.width + GAP
            at += max(one.height for one in sizes) + DOWN
            last = after
        self.aside(run, x + size.main + GAP, y)
        needed_names = {need for need, _ in run.needs}
        ends = [way for name, ways in exits.items() if name not in needed_names for way in ways]
        return ends if run.graph else last

    def aside(self, run: Run, x: float, y: float) -> None:
        """Draw the steps that are only called beside the others."""
        widest = side_size(run).width
        for block in run.called:
            size = block_size(block)
            self.block(block, x + (widest - size.width) / 2, y, [])
            y += size.height + DOWN

    def block(self, block: Block, x: float, y: float, before: Exits) -> Exits:
        size = block_size(block)
        head = head_height(block)
        axis = x + size.axis
        self.lead(before, (axis, y))
        frame = lead(block)
        if block.inside is not None:
            inner = run_size(block.inside)
            self.ink.box(block, axis - frame.width / 2, y, frame.width, frame.height)
            self.run(block.inside, axis - inner.width / 2, y + head + PAD, [])
        else:
            self.ink.shape(block, axis - frame.width / 2, y, frame.width, frame.height)
        place = self.places[block.name] = (axis - frame.width / 2, y, frame.width, frame.height)
        self.calls += [(place, label, name) for label, name in block.calls]
        bottom = (axis, y + frame.height)
        return self.ways(block.ways, x, bottom) if block.ways else [(bottom, "")]

    def ways(self, ways: tuple[Way, ...], x: float, bottom: Point) -> Exits:
        """Draw the lists that lead out of a block side by side, and the way past them as a line."""
        exits: Exits = []
        for way in ways:
            size = way_size(way)
            if way.run is None:
                point = (x + size.axis, bottom[1] + DOWN)
                self.ink.line([bottom, (bottom[0], bottom[1] + DOWN / 3), (point[0], bottom[1] + DOWN / 3), point])
                self.ink.label(way.label, point[0] + 5, bottom[1] + DOWN / 3 + 13)
                exits.append((point, ""))
            else:
                exits += self.run(way.run, x, bottom[1] + DOWN, [(bottom, way.label)])
            x += size.width + GAP
        return exits

    def lead(self, before: Exits, to: Point) -> None:
        """Draw the lines that lead to a block's top."""
        for (x, y), label in before:
            bend = y + DOWN / 3 if label else to[1] - DOWN / 2
            self.ink.line([(x, y), (x, bend), (to[0], bend), to], arrow=True)
            if label:
                self.ink.label(label, to[0] + 5, bend + 13)

    def called(self) -> None:
        """Draw the dotted lines from a step to the steps that it calls."""
        for source, label, name in self.calls:
            if name in self.places:
                self.ink.call(source, self.places[name], label)
