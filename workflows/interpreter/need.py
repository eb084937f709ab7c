"""What the steps that are left need of those that are skipped. Pure; the language's own check is `language/checks`.

A variable that only skipped steps would have set must not be read any more, or the mission would fail further on.
"""

from collections.abc import Iterable, Iterator
from typing import Any

from contracts.definition import Step
from language.expression import ExpressionError, names, template_expressions
from language.steps import walk
from workflows.interpreter.scope import Scope
from workflows.interpreter.spot import Spot

EXPRESSIONS = frozenset(("when", "if", "until", "over", "key", "good", "healthy"))


def needs(skipped: list[Step], place: Spot, scope: Scope) -> list[str]:
    """Return the variables that skipped steps would have set, that are not set, and that steps which are left read."""
    own = {step.step for step in walk(skipped)}
    lost = {step.output for step in walk(skipped) if step.output} - set(scope.variables.values)
    lost -= {step.output for step in scope.by_name.values() if step.step not in own and step.default and step.output}
    if not lost:
        return []
    left = [step for step in _left(place, own) if step.step not in own]
    read = set().union(*(reads(step) for step in left)) | _names(scope.plan.definition.verdict.value)
    return sorted(lost & read)


def _left(place: Spot, skipped: set[str]) -> Iterator[Step]:
    if place.step.step not in skipped:
        yield place.step
    for level in place.levels:
        yield from level.behind()
        if level.rest:
            # A round may come again, with all that is in it.
            yield level.step


def reads(step: Step) -> set[str]:
    """Return the variables that a step reads, with all that is inside it."""
    return set(_read(step.model_dump(mode="json", by_alias=True)))


def _read(value: Any, key: str = "") -> Iterator[str]:
    match value:
        case dict():
            for name, inner in value.items():
                yield from _read(inner, name)
        case list():
            for inner in value:
                if key == "context" and isinstance(inner, str):
                    yield inner
                yield from _read(inner)
        case str():
            sources = [value] if key in EXPRESSIONS else _templates(value)
            for source in sources:
                yield from _names(source)
        case _:
            return


def _templates(value: str) -> Iterable[str]:
    try:
        return template_expressions(value)
    except ExpressionError:
        return ()


def _names(source: str) -> set[str]:
    try:
        return set(names(source))
    except ExpressionError:
        return set()
