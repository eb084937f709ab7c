"""What a value may be: the kinds that it may have, and what its fields and elements are.

The law: a type says what is possible, never what is likely. Where nothing is known everything is possible (`ANY`), and
nobody complains; a complaint needs that no possible value would do. Schemas become types in `schema.py`, steps in
`output.py`, expressions in `infer.py`.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

NUMBER = frozenset({"int", "double", "uint"})
EVERY_KIND = frozenset({"null", "bool", "text", "list", "map", "bytes", "timestamp", "duration", "type", *NUMBER})
MOST_SHAPES = 32

WORDS = {
    "text": "a text",
    "bool": "true or false",
    "list": "a list",
    "map": "a map",
    "null": "null",
    "bytes": "bytes",
    "timestamp": "a time",
    "duration": "a duration",
    "type": "a type",
}


class Shape(Protocol):
    """What a map or a list holds. Asked when needed, since schemas may refer to themselves."""

    def field(self, name: str) -> "Type | None":
        """Return the type of a map's field; None where the map cannot have it."""
        ...

    def names(self) -> Iterable[str]:
        """Return the fields that are known by name."""
        ...

    def element(self) -> "Type":
        """Return the type of a list's elements."""
        ...


@dataclass(frozen=True, eq=False)
class Type:
    """What a value may be. `words` are the only texts that it can be, where they are known."""

    kinds: frozenset[str]
    words: frozenset[str] | None = None
    shapes: tuple[Shape, ...] = ()

    def may(self, kinds: Iterable[str]) -> bool:
        """Whether a value may be of one of these kinds. Of a value that never comes to be, everything is true."""
        return not self.kinds or not self.kinds.isdisjoint(kinds)

    def field(self, name: str) -> "Type | None":
        """Return the type of a field; None where no possible value has it."""
        if not self.shapes:
            return ANY
        found = [inner for shape in self.shapes if (inner := shape.field(name)) is not None]
        return union(found) if found else None

    def names(self) -> frozenset[str]:
        return frozenset(name for shape in self.shapes for name in shape.names())

    def element(self) -> "Type":
        return union(shape.element() for shape in self.shapes) if self.shapes else ANY

    def described(self) -> str:
        """Return what a person calls such a value."""
        known = {"a number" if kind in NUMBER else WORDS[kind] for kind in self.kinds}
        return " or ".join(sorted(known, key=lambda word: (word == "null", word))) or "nothing"


class Open:
    """A map or a list of which nothing is known."""

    def field(self, name: str) -> Type | None:
        del name
        return ANY

    def names(self) -> Iterable[str]:
        return ()

    def element(self) -> Type:
        return ANY


@dataclass(frozen=True, eq=False)
class Made:
    """A map with exactly these fields, or a list of such elements."""

    fields: Mapping[str, Type] = field(default_factory=dict)
    item: Type | None = None

    def field(self, name: str) -> Type | None:
        return self.fields.get(name)

    def names(self) -> Iterable[str]:
        return self.fields

    def element(self) -> Type:
        return self.item or NOTHING


OPEN = Open()
ANY = Type(EVERY_KIND, shapes=(OPEN,))
NOTHING = Type(frozenset())
NULL = Type(frozenset({"null"}))
BOOL = Type(frozenset({"bool"}))
INT = Type(frozenset({"int"}))
DOUBLE = Type(frozenset({"double"}))
TEXT = Type(frozenset({"text"}))


def text_of(words: Iterable[str]) -> Type:
    """Return the type of a text that is one of these words."""
    return Type(TEXT.kinds, frozenset(words))


def list_of(element: Type) -> Type:
    return Type(frozenset({"list"}), shapes=(Made(item=element),))


def map_of(fields: Mapping[str, Type]) -> Type:
    """Return the type of a map with exactly these fields."""
    return Type(frozenset({"map"}), shapes=(Made(fields),))


def kinds_of(*kinds: str) -> Type:
    """Return the type of values of these kinds, of which nothing else is known."""
    return Type(frozenset(kinds), shapes=(OPEN,) if {"list", "map"} & set(kinds) else ())


def union(types: Iterable[Type]) -> Type:
    """Return the type of a value that has one of these types."""
    found = [type_ for type_ in dict.fromkeys(types) if type_.kinds]
    if len(found) < 2:
        return found[0] if found else NOTHING
    texts = [type_.words for type_ in found if "text" in type_.kinds]
    words = None if None in texts else frozenset(word for words in texts for word in words or ())
    shapes = tuple(dict.fromkeys(shape for type_ in found for shape in type_.shapes))
    return Type(
        frozenset(kind for type_ in found for kind in type_.kinds),
        words if texts else None,
        shapes if len(shapes) <= MOST_SHAPES else (OPEN,),
    )


def type_of(value: Any) -> Type:
    """Return the type of JSON data: of that value and no other."""
    match value:
        case None:
            return NULL
        case bool():
            return BOOL
        case int():
            return INT
        case float():
            return DOUBLE
        case str():
            return text_of([value])
        case dict():
            return map_of({name: type_of(item) for name, item in value.items()})
        case list() | tuple():
            return list_of(union(type_of(item) for item in value))
        case _:
            return ANY
