"""The marks of a picture, as SVG: shapes, lines, labels.

The law: no text of an author is read as markup, and the picture loads nothing. It is light on a white page.
"""

from html import escape

from language.diagram import Block
from language.layout import LINE, SLANT

Point = tuple[float, float]
Box = tuple[float, float, float, float]

COLOURS = {
    "agent": ("#e3effb", "#3b76b0"),
    "gate": ("#fff0cc", "#b07a00"),
    "action": ("#def3e3", "#2e7d43"),
    "condition": ("#f0e6fa", "#7a4bb0"),
}
OTHER = ("#f7f7f7", "#8a8a8a")
STYLE = """text{font-family:Lato,'Helvetica Neue',Arial,sans-serif;font-size:12px;fill:#1a1a1a}
.n{font-weight:bold;font-size:13px}.l{font-size:11px;fill:#555;paint-order:stroke;stroke:#fff;stroke-width:3px}.m{text-anchor:middle}
.e{fill:none;stroke:#555;stroke-width:1.3}.c{fill:none;stroke:#7a4bb0;stroke-width:1.3;stroke-dasharray:2 4}"""
ARROWS = """<marker id="a" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">
<path d="M0 0 8 4 0 8z" fill="#555"/></marker>
<marker id="b" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">
<path d="M0 0 8 4 0 8z" fill="#7a4bb0"/></marker>"""


class Ink:
    """The marks in the order in which they are laid: boxes lie under what they hold, calls over all."""

    def __init__(self) -> None:
        self.marks: list[str] = []

    def page(self, width: float, height: float, title: str) -> str:
        size = f'width="{width:.0f}" height="{height:.0f}" viewBox="0 0 {width:.0f} {height:.0f}"'
        head = f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img"><title>{safe(title)}</title>'
        ground = f'<style>{STYLE}</style><defs>{ARROWS}</defs><rect width="100%" height="100%" fill="#fff"/>'
        return "\n".join([head, ground, *self.marks, "</svg>"]) + "\n"

    def cap(self, text: str, axis: float, y: float, height: float) -> None:
        width = max(110.0, len(text) * 7.2 + 36)
        where = f'x="{axis - width / 2:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height}" rx="{height / 2}"'
        self.marks.append(f'<rect {where} fill="#333" stroke="none"/>')
        self.marks.append(f'<text class="n m" x="{axis:.1f}" y="{y + 22:.1f}" style="fill:#fff">{safe(text)}</text>')

    def shape(self, block: Block, x: float, y: float, width: float, height: float) -> None:
        """Draw a step: a gate has six corners, a condition slants, an action has double sides."""
        fill, stroke = COLOURS.get(block.kind, OTHER)
        paint = f'fill="{fill}" stroke="{stroke}" stroke-width="1.5"'
        slant = SLANT.get(block.kind, 0)
        if slant:
            middle = y + height / 2
            corners = [(x + slant, y), (x + width - slant, y), (x + width, middle)]
            corners += [(x + width - slant, y + height), (x + slant, y + height), (x, middle)]
            self.marks.append(f'<polygon points="{points(corners)}" {paint}/>')
        else:
            round_ = 12 if block.kind == "agent" else 2
            self.marks.append(rect(x, y, width, height, f'rx="{round_}" {paint}'))
        if block.kind == "action":
            inner = [f"M{x + side:.1f} {y:.1f}v{height:.1f}" for side in (6, width - 6)]
            self.marks.append(f'<path d="{"".join(inner)}" fill="none" stroke="{stroke}"/>')
        self.words(block, x + width / 2, y)

    def box(self, block: Block, x: float, y: float, width: float, height: float) -> None:
        """Draw a step that holds others; a loop's edge is dashed."""
        dash = ' stroke-dasharray="6 4"' if block.kind == "loop" else ""
        self.marks.append(rect(x, y, width, height, f'rx="6" fill="#fafafa" stroke="#8a8a8a"{dash}'))
        self.words(block, x + width / 2, y)

    def words(self, block: Block, axis: float, y: float) -> None:
        self.marks.append(f'<text class="n m" x="{axis:.1f}" y="{y + 20:.1f}">{safe(block.name)}</text>')
        for number, line in enumerate(block.lines, 1):
            self.marks.append(f'<text class="m" x="{axis:.1f}" y="{y + 20 + LINE * number:.1f}">{safe(line)}</text>')

    def line(self, way: list[Point], *, arrow: bool = False) -> None:
        end = ' marker-end="url(#a)"' if arrow else ""
        self.marks.append(f'<polyline class="e" points="{points(way)}"{end}/>')

    def label(self, text: str, x: float, y: float) -> None:
        self.marks.append(f'<text class="l" x="{x:.1f}" y="{y:.1f}">{safe(text)}</text>')

    def call(self, source: Box, to: Box, label: str) -> None:
        """Draw a dotted line from one step's right side to the nearer side of the step that it calls."""
        x, y = source[0] + source[2], source[1] + source[3] / 2
        right = to[0] >= x
        end = (to[0] if right else to[0] + to[2], to[1] + to[3] / 2)
        reach = max(30.0, abs(end[0] - x) / 2) if right else 60.0
        first = (max(x, end[0]) + reach if not right else x + reach, y)
        last = (end[0] - reach if right else max(x, end[0]) + reach, end[1])
        curve = f"M{x:.1f} {y:.1f}C{points([first, last, end])}"
        self.marks.append(f'<path class="c" d="{curve}" marker-end="url(#b)"/>')
        self.label(label, x + 5, y - 5)


def rect(x: float, y: float, width: float, height: float, rest: str) -> str:
    return f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" {rest}/>'


def points(way: list[Point]) -> str:
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in way)


def safe(text: str) -> str:
    """Return a text that nothing reads as markup. Control characters, which XML does not know, are left out."""
    return escape("".join(char for char in text if char.isprintable()))
