"""Weigh how risky an action is, by the factors and levels of a workspace. Pure.

The law: what is weighed is the action as people see it, the contract of its tool, and the mission's facts, nothing
else; whoever has these comes to the same score. An expression that fails makes it the highest.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from contracts.decision import Action
from contracts.risk import MOST_SCORE, Factor, Facts, Reading, RiskFile
from contracts.workspace import Tool
from language.expression import ExpressionError, evaluate
from language.risk import of_tool

VARIABLES = frozenset(
    (
        "tool",
        "effect",
        "stake",
        "arguments",
        "resource",
        "actions",
        "mission",
        "before",
        "confidence",
        "hour",
        "weekday",
    )
)
"""What an expression of `risk.yaml` may read."""


def weigh(file: RiskFile, acts: Iterable[Action], tools: Mapping[str, Tool], facts: Facts) -> Reading:
    """Return how risky it is to let some actions happen: as much as the riskiest of them."""
    together = tuple(acts)
    readings = [_weighed(file, act, tools.get(act.tool), facts, len(together)) for act in together]
    return max(readings, key=lambda one: (one.score, one.people), default=_reading(file, 0, facts))


def _weighed(file: RiskFile, act: Action, tool: Tool | None, facts: Facts, actions: int) -> Reading:
    if tool is None:
        return _reading(file, MOST_SCORE, facts, errors=(f"{act.tool} is no tool here",))
    known = {**_facts(facts, act.tool), **_action(act, tool), "actions": actions}
    points: dict[str, float] = {}
    errors: list[str] = []
    whole = sum(factor.weight for factor in file.factors.values())
    for name, factor in file.factors.items():
        try:
            points[name] = MOST_SCORE * factor.weight * value_of(factor, known) / whole
        except ExpressionError as error:
            errors.append(f"{name}: {error}"[:200])
    score = MOST_SCORE if errors or not file.factors else min(MOST_SCORE, round(sum(points.values())))
    shown = {name: round(one) for name, one in points.items()}
    return _reading(file, score, facts, points=shown, errors=tuple(errors))


def value_of(factor: Factor, known: Mapping[str, Any]) -> float:
    """Return what a factor comes to. Raises `ExpressionError` for anything but a number from 0 to 1."""
    value = evaluate(factor.value, known)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
        raise ExpressionError(f"answers {str(value)[:60]}, where a number from 0.0 to 1.0 is wanted")
    return float(value)


def _action(act: Action, tool: Tool) -> dict[str, Any]:
    return {
        "tool": act.tool,
        "effect": tool.effect,
        "stake": of_tool(tool, undone=act.compensation is not None),
        "arguments": act.arguments,
        "resource": act.arguments.get(tool.resource) if tool.resource else None,
    }


def _facts(facts: Facts, tool: str) -> dict[str, Any]:
    """Return a mission's facts as variables. What it does not say of time has no value, and whoever reads it fails."""
    known: dict[str, Any] = {
        "mission": {"name": facts.mission, "team": facts.team, "requested_by": facts.requested_by},
        "before": facts.before.get(tool, 0),
        "confidence": facts.confidence,
    }
    if facts.at is not None:
        known |= {"hour": facts.at.hour, "weekday": facts.at.isoweekday()}
    return known


def _reading(file: RiskFile, score: int, facts: Facts, **more: Any) -> Reading:
    name, level = file.level(score)
    return Reading(score=score, level=name, people=level.people, facts=facts, **more)
