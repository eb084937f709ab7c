"""Where expressions stand in a mission, for the checks that read them.

The other halves: `language/expression.py` says what is wrong with one; `checks/expressions.py` and
`checks/variables.py` say where.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from contracts.definition import (
    ActionStep,
    AgentStep,
    CanaryStep,
    ConditionStep,
    GateStep,
    GroupStep,
    LoopStep,
    MapStep,
    MissionStep,
    PartyStep,
    PlanStep,
    RaceStep,
    ReviewStep,
    Step,
    WaitStep,
)
from contracts.step import Place
from language.draft import Draft
from language.expression import ExpressionError, split_template
from language.yaml_source import Value

When = Literal["before", "iterating", "undoing", "each", "answered"]
"""When an expression is read: before its step, after a round of its loop, when its action has reported, for each item
of its map, or when a step of its race, or the probe of its canary, has answered."""


@dataclass(frozen=True)
class Site:
    """An expression, the YAML text that holds it, and where in that text it starts."""

    source: str
    value: Value
    offset: int = 0
    when: When = "before"
    broken: str = ""

    def place(self, line: int = 1, column: int = 1) -> Place:
        """Return the place of a line and column of the expression, as near as the YAML text tells."""
        before = sum(len(text) for text in self.source.splitlines(keepends=True)[: line - 1])
        return self.value.place_of_character(self.offset + before + column - 1)


def sites(step: Step, draft: Draft) -> Iterator[Site]:
    """Yield the expressions of one step, those of steps inside it left out."""
    if step.when:
        yield from whole(draft.value(step, "when"))
    if step.locks:
        yield from templates(draft.value(step, "locks"))
    match step:
        case AgentStep():
            yield from templates(draft.value(step, "task"))
        case GateStep():
            yield from templates(draft.value(step, "gate", "message"))
        case ConditionStep():
            yield from whole(draft.value(step, "condition", "if"))
        case LoopStep():
            yield from whole(draft.value(step, "loop", "until"), "iterating")
        case ActionStep():
            yield from action_sites(step, draft)
        case MapStep():
            yield from whole(draft.value(step, "map", "over"))
            if step.map.key is not None:
                yield from whole(draft.value(step, "map", "key"), "each")
        case RaceStep():
            if step.good is not None:
                yield from whole(draft.value(step, "good"), "answered")
        case WaitStep():
            if step.wait.until is not None:
                yield from whole(draft.value(step, "wait", "until"))
            if step.wait.key:
                yield from templates(draft.value(step, "wait", "key"))
        case GroupStep():
            if step.approval and step.approval.message:
                yield from templates(draft.value(step, "approval", "message"))
        case PlanStep():
            yield from templates(draft.value(step, "plan", "task"))
            if step.approval and step.approval.message:
                yield from templates(draft.value(step, "approval", "message"))
        case ReviewStep():
            if step.review.message:
                yield from templates(draft.value(step, "review", "message"))
        case CanaryStep():
            yield from whole(draft.value(step, "canary", "healthy"), "answered")
        case PartyStep():
            yield from templates(draft.value(step, "party", "topic"))
        case MissionStep():
            if step.with_:
                yield from templates(draft.value(step, "with"))
        case _:
            return


def action_sites(step: ActionStep, draft: Draft) -> Iterator[Site]:
    if step.with_:
        yield from templates(draft.value(step, "with"))
    if step.approval and step.approval.message:
        yield from templates(draft.value(step, "approval", "message"))
    if step.compensate and step.compensate.with_:
        yield from templates(draft.value(step, "compensate", "with"), "undoing")


def verdict_sites(draft: Draft) -> Iterator[Site]:
    """Yield the expression that answers the mission's verdict."""
    if draft.definition.verdict.value:
        yield from whole(draft.tree.find("verdict", "value"))


def whole(value: Value, when: When = "before") -> Iterator[Site]:
    """Yield a text that is an expression from end to end."""
    if isinstance(value.data, str) and value.data.strip():
        yield Site(value.data, value, when=when)


def templates(value: Value, when: When = "before") -> Iterator[Site]:
    """Yield each `${{ expr }}` in a value's texts."""
    match value.data:
        case str():
            try:
                parts = split_template(value.data)
            except ExpressionError as error:
                yield Site("", value, when=when, broken=str(error))
                return
            for part in parts:
                if part.expression:
                    yield Site(part.text, value, part.offset, when)
        case list():
            for item in value.data:
                yield from templates(item, when)
        case dict():
            for item in value.data.values():
                yield from templates(item, when)
        case _:
            return
