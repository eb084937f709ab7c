"""Write a mission's picture as Mermaid, which pages of Markdown show.

The law: no text of an author is read as markup. Ids are numbers, labels are quoted, and what Mermaid or HTML would
read in them is spelt by number.
"""

from collections.abc import Mapping

from contracts.definition import Definition
from language.diagram import NOTHING, Block, Run, Way, diagram

SHAPES = {"gate": ("{{", "}}"), "condition": ("{", "}"), "action": ("[[", "]]"), "agent": ("(", ")")}
STYLES = {
    "agent": "fill:#e3effb,stroke:#3b76b0",
    "gate": "fill:#fff0cc,stroke:#b07a00",
    "action": "fill:#def3e3,stroke:#2e7d43",
    "condition": "fill:#f0e6fa,stroke:#7a4bb0",
    "loop": "fill:#fafafa,stroke:#777777,stroke-dasharray:5 4",
    "box": "fill:#fafafa,stroke:#aaaaaa",
}
ESCAPED = str.maketrans({char: f"#{ord(char)};" for char in "#&<>\"'`;{}[]()|\\%"})
Exits = list[tuple[str, str]]
"""What leads to the next block: ids, each with the label of its edge."""


def mermaid(definition: Definition, notes: Mapping[str, str] = NOTHING) -> str:
    """Return a mission as a Mermaid flowchart; `notes` say more of steps."""
    writer = Writer()
    exits = writer.run(diagram(definition, notes), [("start", "")], "  ")
    words = escaped(" | ".join(definition.verdict.one_of))
    writer.lines += [f'  start(["{escaped(definition.mission)}"])', f'  verdict(["{words}"])']
    writer.join(exits, "verdict", "  ")
    writer.called()
    styles = [f"  classDef {name} {style},color:#1a1a1a" for name, style in STYLES.items()]
    return "\n".join(["flowchart TD", *writer.lines, *styles]) + "\n"


class Writer:
    """Lines as they are written, and the id of each step."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.ids: dict[str, str] = {}
        self.count = 0
        self.calls: list[tuple[str, str, str]] = []

    def run(self, run: Run, before: Exits, indent: str) -> Exits:
        """Write a list after what leads to it, and return what leads out of it."""
        exits: dict[str, Exits] = {}
        last = before
        for row in run.rows:
            after: Exits = []
            for block in row:
                needed = [way for need, name in run.needs if name == block.name for way in exits.get(need, ())]
                exits[block.name] = self.block(block, needed or (before if run.graph else last), indent)
                after += exits[block.name]
            last = after
        for block in run.called:
            self.block(block, [], indent)
        needed_names = {need for need, _ in run.needs}
        ends = [way for name, ways in exits.items() if name not in needed_names for way in ways]
        return ends if run.graph else last

    def block(self, block: Block, before: Exits, indent: str) -> Exits:
        self.count += 1
        id_ = self.ids[block.name] = f"s{self.count}"
        self.calls += [(id_, label, name) for label, name in block.calls]
        if block.inside is not None:
            self.box(block, block.inside, id_, indent)
        else:
            opening, closing = SHAPES.get(block.kind, ("[", "]"))
            style = block.kind if block.kind in STYLES else "box"
            self.lines.append(f'{indent}{id_}{opening}"{label_of(block)}"{closing}:::{style}')
        self.join(before, id_, indent)
        return [exit_ for way in block.ways for exit_ in self.way(way, id_, indent)] or [(id_, "")]

    def box(self, block: Block, inside: Run, id_: str, indent: str) -> None:
        self.lines.append(f'{indent}subgraph {id_}["{label_of(block)}"]')
        self.run(inside, [], indent + "  ")
        self.lines.append(f"{indent}end")
        self.lines.append(f"{indent}class {id_} {'loop' if block.kind == 'loop' else 'box'}")

    def way(self, way: Way, id_: str, indent: str) -> Exits:
        return [(id_, way.label)] if way.run is None else self.run(way.run, [(id_, way.label)], indent)

    def join(self, before: Exits, id_: str, indent: str) -> None:
        for source, label in before:
            arrow = f'-->|"{escaped(label)}"|' if label else "-->"
            self.lines.append(f"{indent}{source} {arrow} {id_}")

    def called(self) -> None:
        """Write the edges to the steps that others call."""
        for source, label, name in self.calls:
            if name in self.ids:
                self.lines.append(f'  {source} -.->|"{escaped(label)}"| {self.ids[name]}')


def label_of(block: Block) -> str:
    return "<br/>".join([f"<b>{escaped(block.name)}</b>", *(escaped(line) for line in block.lines)])


def escaped(text: str) -> str:
    """Return a text that nothing reads as markup. Control characters are left out."""
    return "".join(char for char in text.translate(ESCAPED) if char.isprintable())
