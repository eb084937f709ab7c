"""What an expression may answer, and which parts of it can never work.

One method for each kind of node of CEL's tree. A mistake is told where no possible value would do: a field that no
schema on the way has, a text compared with a number, `size()` of a number. CEL's own type checker, which
`cel_compile.py` asks, knows the kinds of constants and the names of functions; what is in a map it cannot know, since
JSON's maps hold values of every kind.
"""

from collections.abc import Mapping
from typing import NamedTuple

from language.cel_tree import Node, Tree, variable, walk
from language.types.function import ARITHMETIC, BOOLEAN, COMPARISONS, EQUALITY, FUNCTIONS, LOGIC, UNKNOWN, groups, sums
from language.types.kind import (
    ANY,
    BOOL,
    NOTHING,
    NUMBER,
    OPEN,
    TEXT,
    Type,
    list_of,
    map_of,
    text_of,
    type_of,
    union,
)
from language.types.wording import both, conversion, said, shown, suggested

EVERY_KEY = frozenset({"text", "bool", *NUMBER})


class Mistake(NamedTuple):
    """What can never work in an expression, and at which character."""

    code: str
    message: str
    offset: int
    mend: str = ""


def infer(tree: Tree, variables: Mapping[str, Type]) -> tuple[Type, list[Mistake]]:
    """Return what an expression may answer, and its mistakes. Variables that are not known may be anything."""
    inference = Inference(tree, variables)
    return inference.of(tree.root, {}), inference.mistakes


class Inference:
    """Walks one expression. `local` holds the variables of the macros around a node."""

    def __init__(self, tree: Tree, variables: Mapping[str, Type]) -> None:
        self.mistakes: list[Mistake] = []
        self._tree = tree
        self._variables = variables

    def of(self, node: Node, local: Mapping[str, Type]) -> Type:
        """Return the type of a node, and note what is wrong below it."""
        match node.kind:
            case "const":
                return constant(node)
            case "ident":
                return local.get(node.name) or self._variables.get(variable(node.name), ANY)
            case "select":
                return self._select(node, local)
            case "call":
                return self._call(node, [self.of(part, local) for part in node.parts])
            case "list":
                return list_of(union(self.of(part, local) for part in node.parts))
            case "struct":
                return self._struct(node, local)
            case "comprehension":
                return self._comprehension(node, local)
            case _:
                return ANY

    def _wrong(self, node: Node, message: str, mend: str, code: str = "TYPE_MISMATCH", shift: int = 0) -> None:
        offset = self._tree.positions.get(node.number, 0) + shift
        self.mistakes.append(Mistake(code, message, offset, mend))

    def _select(self, node: Node, local: Mapping[str, Type]) -> Type:
        base = self.of(node.parts[0], local)
        found = self._field(node, node.parts[0], node.name, base, shift=1)
        return BOOL if node.asks else found

    def _field(self, node: Node, base: Node, name: str, type_: Type, shift: int) -> Type:
        if not type_.may(("map",)):
            mend = "name an element, as in x[0], or go through it with exists()" if "list" in type_.kinds else ""
            message = f"'{shown(base)}' is {type_.described()} and has no field '{name}'"
            self._wrong(node, message, mend, "UNKNOWN_FIELD", shift)
            return ANY
        found = type_.field(name)
        if found is None:
            mend = suggested(name, type_.names(), "fields here")
            self._wrong(node, f"'{shown(base)}' has no field '{name}'", mend, "UNKNOWN_FIELD", shift)
        return ANY if found is None else found

    def _call(self, node: Node, types: list[Type]) -> Type:
        match node.name:
            case name if name in COMPARISONS:
                self._compare(node, *types)
                return BOOL
            case name if name in LOGIC:
                self._logic(node, types)
                return BOOL
            case "_?_:_":
                self._boolean(node.parts[0], types[0], "? :")
                return union(types[1:])
            case "_[_]":
                return self._index(node, *types)
            case "@in" | "_in_":
                self._among(node, *types)
                return BOOL
            case name if name in ARITHMETIC:
                return self._arithmetic(node, types)
            case "@not_strictly_false" | "__not_strictly_false__":
                return BOOL
            case "dyn":
                return ANY
            case _:
                return self._function(node, types)

    def _compare(self, node: Node, left: Type, right: Type) -> None:
        """Null compares with everything: asking for it is how a definition finds out."""
        one, other = groups(left) - {"null"}, groups(right) - {"null"}
        sign = COMPARISONS[node.name]
        if one and other and not one & other:
            fate = "they are never equal" if node.name in EQUALITY else f"'{sign}' does not compare them"
            self._wrong(node, f"{both(node, left, right)}: {fate}", conversion(node, left, right))
        elif node.name not in EQUALITY and "map" in one & other and len(one & other) == 1:
            self._wrong(node, f"'{sign}' never goes with maps", "compare one of their fields")
        elif node.name in EQUALITY:
            self._words(node, node.parts[1], left, right) or self._words(node, node.parts[0], right, left)

    def _words(self, node: Node, text: Node, type_: Type, other: Type) -> bool:
        """Note a text that is none of the few that the other side can be."""
        if text.kind != "const" or text.text is None or type_.words is None or type_.kinds != TEXT.kinds:
            return False
        if other.words is None or type_.words & other.words:
            return False
        whose = next(part for part in node.parts if part is not text)
        mend = suggested(text.text, type_.words, "it is one of")
        self._wrong(text, f"'{shown(whose)}' is never '{text.text}'", mend)
        return True

    def _logic(self, node: Node, types: list[Type]) -> None:
        for part, type_ in zip(node.parts, types, strict=True):
            self._boolean(part, type_, LOGIC[node.name])

    def _boolean(self, part: Node, type_: Type, sign: str) -> None:
        if not type_.may(BOOLEAN):
            message = f"'{sign}' takes true or false, and {said(part, type_)} is neither"
            self._at_start(part, message, "compare it with something")

    def _at_start(self, part: Node, message: str, mend: str) -> None:
        offset = min(self._tree.positions.get(node.number, 0) for node in walk(part))
        self.mistakes.append(Mistake("TYPE_MISMATCH", message, offset, mend))

    def _arithmetic(self, node: Node, types: list[Type]) -> Type:
        if len(types) == 1:
            found = types[0].kinds & (NUMBER | {"duration"})
        else:
            found = sums(node.name, types[0].kinds, types[1].kinds)
        if not found and all(type_.kinds for type_ in types):
            sign = ARITHMETIC[node.name]
            if len(types) == 2:
                self._wrong(node, f"{both(node, *types)}: '{sign}' does not go with them", conversion(node, *types))
            else:
                self._wrong(
                    node, f"'{sign}' takes a number, and {said(node.parts[0], types[0])} is none", "leave it out"
                )
        shapes = list_of(union(type_.element() for type_ in types)).shapes if "list" in found else ()
        return Type(frozenset(found), shapes=shapes if found != {"list"} or shapes else (OPEN,))

    def _index(self, node: Node, base: Type, key: Type) -> Type:
        inner, at = node.parts
        if at.kind == "const" and at.text is not None and base.kinds - {"list", "null"} == {"map"}:
            return self._field(at, inner, at.text, base, shift=0)
        if not base.may(("list", "map")):
            self._wrong(node, f"{said(inner, base)} has no elements", "leave the brackets out")
            return ANY
        wanted = frozenset().union(NUMBER if "list" in base.kinds else (), EVERY_KEY if "map" in base.kinds else ())
        if not key.may(wanted):
            mend = "write a number, as in x[0]" if "list" in base.kinds else "write a text, as in x['name']"
            self._wrong(node, f"{said(inner, base)} has no element {said(at, key)}", mend)
        return base.element() if "map" not in base.kinds else ANY

    def _among(self, node: Node, item: Type, held: Type) -> None:
        if not held.may(("list", "map")):
            message = f"'in' looks into a list or a map, and {said(node.parts[1], held)} is neither"
            self._wrong(node, message, "write a list on the right, or use == or contains()")
        elif held.kinds == {"list"}:
            one, other = groups(item) - {"null"}, groups(held.element()) - {"null"}
            if one and other and not one & other:
                message = f"'{shown(node.parts[1])}' holds {held.element().described()}"
                self._wrong(node, f"{message} and never {said(node.parts[0], item)}", "look for what it holds")

    def _function(self, node: Node, types: list[Type]) -> Type:
        signature = FUNCTIONS.get(node.name, UNKNOWN)
        for part, type_, takes in zip(node.parts, types, signature.takes, strict=False):
            if not type_.may(takes):
                message = f"{node.name}() takes {signature.words}, and not {said(part, type_)}"
                self._at_start(part, message, f"give it {signature.words}")
        return signature.answers

    def _struct(self, node: Node, local: Mapping[str, Type]) -> Type:
        found: dict[str, Type] = {}
        for key, value in zip(node.parts[::2], node.parts[1::2], strict=False):
            self.of(key, local)
            type_ = self.of(value, local)
            if key.text is None:
                return Type(frozenset({"map"}), shapes=(OPEN,))
            found[key.text] = type_
        return map_of(found)

    def _comprehension(self, node: Node, local: Mapping[str, Type]) -> Type:
        """Go through the macro once: what each turn adds does not depend on the turns before it."""
        ranged, start, condition, step, result = node.parts
        source = self.of(ranged, local)
        if not source.may(("list", "map")):
            self._at_start(ranged, f"{said(ranged, source)} cannot be gone through", "name a list")
        element = element_of(source)
        begun = self.of(start, local)
        inner = {**local, node.name: element, node.accumulator: begun}
        self.of(condition, inner)
        turned = self.of(step, inner)
        return self.of(result, {**local, node.accumulator: union([begun, turned])})


def element_of(source: Type) -> Type:
    """Return what a macro's variable is: a list's element, or a map's key."""
    if not source.may(("list", "map")):
        return ANY
    return union([source.element() if "list" in source.kinds else NOTHING, TEXT if "map" in source.kinds else NOTHING])


def constant(node: Node) -> Type:
    match node.name:
        case "text":
            return text_of([node.text or ""])
        case "uint" | "bytes":
            return Type(frozenset({node.name}))
        case _:
            return type_of(node.value)
