"""Bound what an expression may cost, before it runs, from its tree and the data at hand.

The law: no expression, however hostile it or its data, takes more than about 100 ms or 100 MB; a workflow task that
computes longer trips Temporal's deadlock detector. CEL's runtime bounds iterations and depth, not the work of one
iteration: it copies a variable on each mention, compares whole lists, compiles a pattern each time it is used.
Costs are in units of about 100 ns, sizes in values (64 characters of text count as one). The other half is
`language/expression.py`, which refuses what is above the bound.
"""

import math
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from language.cel_tree import Node, Tree, chain, variable

MOST_COST = 1_000_000
MOST_ITERATIONS = 10_000
MOST_VALUES = 20_000
DEEPEST = 100
CHARACTERS = 64
PATTERN = 20
"""Units for each character of a pattern; a counted repetition multiplies the pattern by what it counts."""

SCALARS = frozenset((int, float, bool, type(None)))
LOGIC = frozenset(("_&&_", "_||_", "!_", "@not_strictly_false", "__not_strictly_false__"))


class Refused(Exception):
    """The expression is not run: it would cost too much, or its data would be read as something else."""


class Bound(NamedTuple):
    """What a value cannot exceed: its size, the longest list or map in it, the size of one of its elements."""

    size: float = 1
    length: float = 0
    element: float = 1

    def grown(self, times: float) -> "Bound":
        return Bound(self.size * times, max(self.length, times), max(self.element, self.size))


ONE = Bound()


class Estimate(NamedTuple):
    """An upper bound of the work to get a value, and of the value."""

    cost: float
    value: Bound


def measure(value: Any) -> Bound:
    """Return the bounds of JSON data. Raises `Refused` for data that is too much or nested too deeply."""
    return _Meter().of(value, 0)


class _Meter:
    """Counts while it measures, so that a huge value is left at once."""

    def __init__(self) -> None:
        self._left = MOST_VALUES

    def of(self, value: Any, depth: int) -> Bound:
        """Return one value's bounds. Scalars are told apart by their exact type, which is what makes this quick."""
        kind = type(value)
        if kind is str:
            if "\0" in value:
                raise Refused("it reads a text with a NUL in it, after which CEL would read nothing")
            return Bound(1 + len(value) // CHARACTERS)
        if kind is not dict and kind is not list:
            return ONE
        self._left -= len(value)
        if depth > DEEPEST:
            raise Refused(f"too costly: it reads data nested more than {DEEPEST} deep")
        if self._left < 0:
            raise Refused(f"too costly: it reads more than {MOST_VALUES} values; name the field that it needs")
        if kind is dict:
            check_keys(value)
            return self._inside(value.values(), len(value), 1 + len(value), depth + 1)
        return self._inside(value, len(value), 1, depth + 1)

    def _inside(self, items: Iterable[Any], length: float, size: float, depth: int) -> Bound:
        largest = 1.0
        for item in items:
            if type(item) in SCALARS:
                size += 1
                continue
            inner = self.of(item, depth)
            size += inner.size
            largest = max(largest, inner.size)
            length = max(length, inner.length)
        return Bound(size, length, largest)


def check_keys(value: dict[Any, Any]) -> None:
    """Refuse keys that CEL would read as others: it takes a key to end at the first NUL."""
    try:
        joined = "".join(value)
    except TypeError:
        raise Refused("it reads a map whose keys are not all text") from None
    if "\0" in joined:
        raise Refused("it reads a map with a NUL in a key, after which CEL would read nothing")


class Estimator:
    """Estimates one expression over one set of variables, projected to what the expression reads."""

    def __init__(self, variables: Mapping[str, Any], whole: Mapping[str, Bound]) -> None:
        self._variables = variables
        self._whole = whole

    def total(self, tree: Tree) -> float:
        """Return a bound for getting the value and turning it into JSON."""
        found = self.of(tree.root, {})
        return found.cost + found.value.size

    def of(self, node: Node, local: Mapping[str, Bound]) -> Estimate:
        """Return the estimate of a node; `local` holds the variables of the macros around it."""
        match node.kind:
            case "const":
                return Estimate(1, ONE if node.text is None else Bound(1 + len(node.text) // CHARACTERS))
            case "ident" | "select":
                return self._path(node, local)
            case "call":
                return self._call(node, local)
            case "comprehension":
                return self._comprehension(node, local)
            case _:
                return self._made(node, local)

    def _path(self, node: Node, local: Mapping[str, Bound]) -> Estimate:
        base, path = chain(node)
        if base.kind != "ident":
            inner = self.of(base, local)
            return Estimate(inner.cost + len(path), inner.value)
        if base.name in local:
            known = local[base.name]
            return Estimate(1 + len(path), Bound(known.size, known.length, known.size) if path else known)
        name = variable(base.name)
        whole = self._whole.get(name, ONE)
        return Estimate(whole.size + len(path), measure(at(self._variables.get(name), path)) if path else whole)

    def _made(self, node: Node, local: Mapping[str, Bound]) -> Estimate:
        parts = [self.of(part, local) for part in node.parts]
        size = 1 + sum(part.value.size for part in parts)
        longest = max((part.value.length for part in parts), default=0)
        largest = max((part.value.size for part in parts), default=1)
        return Estimate(1 + sum(part.cost for part in parts), Bound(size, max(len(parts), longest), largest))

    def _call(self, node: Node, local: Mapping[str, Bound]) -> Estimate:
        parts = [self.of(part, local) for part in node.parts]
        values = [part.value for part in parts]
        work, value = called(node, values)
        return Estimate(1 + work + sum(part.cost for part in parts), value)

    def _comprehension(self, node: Node, local: Mapping[str, Bound]) -> Estimate:
        """Run the step once for its price; what it adds to nothing is what each turn adds."""
        ranged, start, condition, step, result = node.parts
        source, begun = self.of(ranged, local), self.of(start, local)
        times = min(source.value.length, source.value.size)
        if times > MOST_ITERATIONS:
            raise Refused(f"too costly: it goes through more than {MOST_ITERATIONS} elements")
        element = source.value.element
        # On average a list that grows with each turn is half as long as at its end.
        inner = {
            **local,
            node.name: Bound(element, min(source.value.length, element), element),
            node.accumulator: Bound(0, times / 2, 0),
        }
        turn = self.of(step, inner)
        grown = turn.value.grown(times) if start.kind == "list" else turn.value
        end = self.of(result, {**local, node.accumulator: grown})
        each = 1 + turn.cost + self.of(condition, inner).cost
        return Estimate(source.cost + begun.cost + times * each + end.cost, end.value)


def called(node: Node, values: list[Bound]) -> tuple[float, Bound]:
    """Return the work of one call beyond getting its arguments, and the bounds of its answer."""
    sizes = sum(value.size for value in values)
    longest = max((value.length for value in values), default=0)
    match node.name:
        case name if name in LOGIC:
            return 1, ONE
        case "_==_" | "_!=_" | "_<_" | "_<=_" | "_>_" | "_>=_":
            return min(value.size for value in values), ONE
        case "@in" | "_in_":
            return values[-1].size, ONE
        case "_+_":
            length = sum(value.length for value in values)
            return sizes + length, Bound(sizes, length, max(value.element for value in values))
        case "matches":
            return pattern_work(node.parts[-1]) * (1 + values[0].size), ONE
        case "contains":
            return math.prod(value.size for value in values), ONE
        case "_?_:_":
            size, element = max(value.size for value in values), max(value.element for value in values)
            return 1, Bound(size, longest, element)
        case "_[_]":
            return 1, Bound(values[0].size, longest, values[0].size)
        case _:
            return sizes, Bound(1 + sizes, longest, sizes)


def pattern_work(pattern: Node) -> float:
    """Return the work of compiling a pattern and of using it on 64 characters."""
    if pattern.text is None:
        raise Refused("too costly: its pattern is not written in the expression")
    length = len(pattern.text)
    return length * PATTERN * (length if "{" in pattern.text else 1) ** 2


def at(value: Any, path: tuple[str, ...]) -> Any:
    """Return what stands at a path of fields; nothing where the path leads nowhere."""
    for name in path:
        if not isinstance(value, dict):
            return value
        value = value.get(name)
    return value


def project(value: Any, paths: tuple[tuple[str, ...], ...]) -> Any:
    """Return only what an expression reads of a variable, so that a large one costs no more than a small one."""
    if not isinstance(value, dict) or () in paths:
        return value
    heads: dict[str, list[tuple[str, ...]]] = {}
    for path in paths:
        heads.setdefault(path[0], []).append(path[1:])
    return {name: project(value[name], tuple(rest)) for name, rest in heads.items() if name in value}


def check_cost(tree: Tree, variables: Mapping[str, Any]) -> None:
    """Refuse, with `Refused`, an expression that would cost too much over these variables."""
    whole = {name: measure(value) for name, value in variables.items()}
    if tree.flat and len(tree.nodes) * sum(bound.size for bound in whole.values()) <= MOST_COST:
        return
    cost = Estimator(variables, whole).total(tree)
    if cost > MOST_COST:
        raise Refused(f"too costly: it may take {cost / MOST_COST:.1f} times the work that an expression may do")
