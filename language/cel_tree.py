"""Read CEL's own parse tree, as `Expression.serialize()` spells it (protobuf, `cel.expr.ParsedExpr`).

Pure. Only the fields that we ask about are read: what an expression names, how big it is, where a name stands.
Field numbers are those of google/api/expr/v1alpha1 `syntax.proto`. `language/cost.py` bounds what it may cost.
"""

import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

NAMES_OF_TYPES = "bool bytes double duration dyn int list map null_type string timestamp type uint"
TYPE_NAMES = frozenset(NAMES_OF_TYPES.split())


@dataclass(frozen=True)
class Node:
    """One node: `kind` is const, ident, select, call, list, struct or comprehension."""

    number: int
    kind: str
    name: str = ""
    """An identifier, a field, a function, a comprehension's variable, or a struct's message type."""
    parts: tuple["Node", ...] = ()
    text: str | None = None
    """The value of a constant that is a text."""
    accumulator: str = ""
    asks: bool = False
    """Whether a select is `has(...)`, which asks for the field and does not read it."""
    value: Any = None
    """The value of a constant; its `name` says what kind it is."""


@dataclass(frozen=True)
class Tree:
    """A parsed expression."""

    root: Node
    positions: dict[int, int] = field(default_factory=dict)

    @cached_property
    def nodes(self) -> tuple[Node, ...]:
        return tuple(walk(self.root))

    @cached_property
    def flat(self) -> bool:
        """Whether each part runs at most once and does work in the size of its operands only."""
        return not any(node.kind == "comprehension" or node.name in {"matches", "contains"} for node in self.nodes)

    @cached_property
    def reads(self) -> dict[str, tuple[tuple[str, ...], ...]]:
        """Variables that are read, each with the paths of fields read from it; `()` is the whole value."""
        found: dict[str, list[tuple[str, ...]]] = {}
        for node, path in free(self.root, frozenset()):
            found.setdefault(node.name, []).append(path)
        return {name: shortest(paths) for name, paths in found.items()}

    @cached_property
    def first_seen(self) -> dict[str, int]:
        """Where each variable is first read: an offset in characters."""
        seen: dict[str, int] = {}
        for node, _ in free(self.root, frozenset()):
            seen.setdefault(node.name, self.positions.get(node.number, 0))
        return seen


def shortest(paths: list[tuple[str, ...]]) -> tuple[tuple[str, ...], ...]:
    """Return the paths that no other path already covers."""
    kept: list[tuple[str, ...]] = []
    for path in sorted(set(paths), key=lambda path: (len(path), path)):
        if not any(path[: len(known)] == known for known in kept):
            kept.append(path)
    return tuple(kept)


def walk(node: Node) -> Iterator[Node]:
    """Yield a node and all below it."""
    yield node
    for part in node.parts:
        yield from walk(part)


def free(node: Node, bound: frozenset[str]) -> Iterator[tuple[Node, tuple[str, ...]]]:
    """Yield each identifier that is neither bound by a macro nor a type, with the fields read from it."""
    match node.kind:
        case "ident":
            if variable(node.name) not in bound and node.name not in TYPE_NAMES:
                yield named(node), ()
        case "select":
            base, path = chain(node)
            if base.kind == "ident" and variable(base.name) not in bound and base.name not in TYPE_NAMES:
                yield named(base), path
            else:
                yield from free(node.parts[0], bound)
        case "comprehension":
            inner = bound | {node.name, node.accumulator}
            ranged, start, *rest = node.parts
            yield from free(ranged, bound)
            yield from free(start, bound)
            for part in rest:
                yield from free(part, inner)
        case _:
            for part in node.parts:
                yield from free(part, bound)


def variable(name: str) -> str:
    """Return an identifier without the leading dot that means 'outermost'."""
    return name.removeprefix(".")


def named(node: Node) -> Node:
    """Return an identifier's node under its plain name."""
    return Node(node.number, node.kind, variable(node.name))


def chain(node: Node) -> tuple[Node, tuple[str, ...]]:
    """Return what a chain of field accesses starts from, and the fields in order."""
    fields: list[str] = []
    while node.kind == "select":
        fields.append(node.name)
        node = node.parts[0]
    return node, tuple(reversed(fields))


Fields = dict[int, list[Any]]


def fields(data: bytes) -> Fields:
    """Return a protobuf message's fields by number: numbers for varints, bytes for the rest."""
    found: Fields = {}
    at = 0
    while at < len(data):
        tag, at = varint(data, at)
        match tag & 7:
            case 0:
                value, at = varint(data, at)
                found.setdefault(tag >> 3, []).append(value)
            case 1 | 5 as fixed:
                size = 8 if fixed == 1 else 4
                found.setdefault(tag >> 3, []).append(data[at : at + size])
                at += size
            case 2:
                size, at = varint(data, at)
                found.setdefault(tag >> 3, []).append(data[at : at + size])
                at += size
            case other:
                raise ValueError(f"wire type {other} is none of CEL's")
    return found


def varint(data: bytes, at: int) -> tuple[int, int]:
    """Return the number that starts at an offset, and the offset after it."""
    value = shift = 0
    while True:
        byte = data[at]
        value |= (byte & 0x7F) << shift
        at += 1
        shift += 7
        if byte < 0x80:
            return value, at


def read_tree(serialized: bytes) -> Tree:
    """Return the tree of an expression that was compiled without type checks."""
    message = fields(unwrapped(serialized))
    source = fields(message[3][0]) if 3 in message else {}
    entries = (fields(entry) for entry in source.get(4, []))
    positions = {entry.get(1, [0])[0]: entry.get(2, [0])[0] for entry in entries}
    return Tree(read_node(message[2][0]), positions)


def unwrapped(serialized: bytes) -> bytes:
    """Return what a `google.protobuf.Any` holds."""
    value: bytes = fields(serialized)[2][0]
    return value


def read_node(data: bytes) -> Node:
    """Return one `Expr` and all below it."""
    message = fields(data)
    number = first(message, 2, 0)
    for key, reader in READERS.items():
        if key in message:
            return reader(number, fields(message[key][0]))
    return Node(number, "const")


def first(message: Fields, key: int, otherwise: Any) -> Any:
    return message[key][0] if key in message else otherwise


def text(message: Fields, key: int) -> str:
    value: bytes = first(message, key, b"")
    return value.decode()


def nodes(message: Fields, key: int) -> tuple[Node, ...]:
    return tuple(read_node(part) for part in message.get(key, []))


CONSTANTS: dict[int, tuple[str, Callable[[Any], Any]]] = {
    1: ("null", lambda _: None),
    2: ("bool", bool),
    3: ("int", lambda number: number - (1 << 64) if number >> 63 else number),
    4: ("uint", int),
    5: ("double", lambda data: struct.unpack("<d", data)[0]),
    6: ("text", bytes.decode),
    7: ("bytes", bytes),
}


def read_const(number: int, message: Fields) -> Node:
    for key, (name, reader) in CONSTANTS.items():
        if key in message:
            value = reader(message[key][0])
            return Node(number, "const", name, text=value if name == "text" else None, value=value)
    return Node(number, "const")


def read_ident(number: int, message: Fields) -> Node:
    return Node(number, "ident", text(message, 1))


def read_select(number: int, message: Fields) -> Node:
    return Node(number, "select", text(message, 2), nodes(message, 1), asks=bool(first(message, 3, 0)))


def read_call(number: int, message: Fields) -> Node:
    return Node(number, "call", text(message, 2), nodes(message, 1) + nodes(message, 3))


def read_list(number: int, message: Fields) -> Node:
    return Node(number, "list", "", nodes(message, 1))


def read_struct(number: int, message: Fields) -> Node:
    entries = [fields(entry) for entry in message.get(2, [])]
    parts = tuple(part for entry in entries for key in (3, 4) for part in nodes(entry, key))
    return Node(number, "struct", text(message, 1), parts)


def read_comprehension(number: int, message: Fields) -> Node:
    """Its parts are, in order: range, start, condition, step, result."""
    parts = tuple(part for key in (2, 4, 5, 6, 7) for part in nodes(message, key))
    return Node(number, "comprehension", text(message, 1), parts, accumulator=text(message, 3))


READERS = {
    3: read_const,
    4: read_ident,
    5: read_select,
    6: read_call,
    7: read_list,
    8: read_struct,
    9: read_comprehension,
}
