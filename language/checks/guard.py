"""Which variables an expression reads, and which steps it has made sure of before it does.

`steps.NAME.status == "succeeded"` is how a definition asks whether a step has set its variable. Where that must be true
for a part of an expression to be read at all, that part may read the variable.
"""

from collections.abc import Iterator

from language.cel_tree import TYPE_NAMES, Node, chain, variable

SUCCEEDED = "succeeded"
Names = frozenset[str]
NO_NAMES: Names = frozenset()


def reads(node: Node, bound: Names = NO_NAMES, sure: Names = NO_NAMES) -> Iterator[tuple[Node, Names]]:
    """Yield each variable that is read, with the steps that have surely succeeded where it is."""
    match node.kind:
        case "ident":
            if variable(node.name) not in bound and node.name not in TYPE_NAMES:
                yield node, sure
        case "call" if node.name in {"_&&_", "_||_", "_?_:_"}:
            yield from guarded(node, bound, sure)
        case "comprehension":
            ranged, start, *rest = node.parts
            for part in (ranged, start):
                yield from reads(part, bound, sure)
            for part in rest:
                yield from reads(part, bound | {node.name, node.accumulator}, sure)
        case _:
            for part in node.parts:
                yield from reads(part, bound, sure)


def guarded(node: Node, bound: Names, sure: Names) -> Iterator[tuple[Node, Names]]:
    """Yield the reads of an operator whose first operand decides whether the next is read."""
    first, *rest = node.parts
    yield from reads(first, bound, sure)
    ways = {
        "_&&_": [succeeded(first, answer=True)],
        "_||_": [succeeded(first, answer=False)],
        "_?_:_": [succeeded(first, answer=True), succeeded(first, answer=False)],
    }
    for part, known in zip(rest, ways[node.name], strict=True):
        yield from reads(part, bound, sure | known)


def succeeded(node: Node, *, answer: bool) -> Names:
    """Return the steps that have surely succeeded when a question has this answer."""
    if node.kind != "call":
        return NO_NAMES
    match node.name:
        case "!_":
            return succeeded(node.parts[0], answer=not answer)
        case "_&&_" | "_||_":
            left, right = (succeeded(part, answer=answer) for part in node.parts)
            # Both operands of a true `&&` are true; of a true `||` only one need be. False turns that round.
            return left | right if (node.name == "_&&_") is answer else left & right
        case "_==_" if answer:
            return asked(*node.parts)
        case "_!=_" if not answer:
            return asked(*node.parts)
        case _:
            return NO_NAMES


def asked(left: Node, right: Node) -> Names:
    """Return the step of which an equality says that it has succeeded."""
    for one, other in ((left, right), (right, left)):
        base, path = chain(one)
        if other.text == SUCCEEDED and variable(base.name) == "steps" and len(path) == 2 and path[1] == "status":
            return frozenset(path[:1])
    return NO_NAMES
