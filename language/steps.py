"""Walk a definition's steps, as the checks and the interpreter both need to.

Pure. A step that another one calls stays in the list where it was written: whoever runs that list skips
the names in `called_names`.
"""

from collections.abc import Iterable, Iterator
from typing import assert_never

from contracts.definition import (
    ActionStep,
    AgentStep,
    CanaryStep,
    ConditionStep,
    Definition,
    GateStep,
    GroupStep,
    LoopStep,
    MapStep,
    MissionStep,
    ParallelStep,
    PartyStep,
    PlanStep,
    RaceStep,
    ReviewStep,
    Step,
    Target,
    WaitStep,
)
from contracts.gate import Gate
from contracts.step import BUILT_IN, LAST_RESORTS, Fallback

FAILING = "on_failure."


def gate_of(step: Step) -> Gate | None:
    """Return what the step asks people: a gate's question, or the approval of an action, a group or a plan."""
    match step:
        case GateStep():
            return step.gate
        case ActionStep() | GroupStep() | PlanStep():
            return step.approval
        case _:
            return None


def gate_targets(gate: Gate | None) -> dict[str, Target]:
    """Return where a gate can lead, by key: `on_timeout`, `on_reject`, and `on_changes` where it has that."""
    if gate is None:
        return {}
    ways = {"on_timeout": gate.on_timeout, "on_reject": gate.on_reject}
    return ways if gate.on_changes is None else {**ways, "on_changes": gate.on_changes}


def targets(step: Step) -> dict[str, Target]:
    """Return where control can go from a step, by the key that says so (`then`, `do`, `on_reject`, …)."""
    return {**kind_targets(step), **failure_targets(step)}


def ways(step: Step) -> Iterator[tuple[str, Target | Fallback]]:
    """Yield where control goes when a step fails, and when a fallback fails too, each by its path in `on_failure`."""
    for name, first in step.on_failure.items():
        path, way = name, first
        yield path, way
        while isinstance(way, Fallback) and way.else_ is not None:
            path, way = f"{path}.else", way.else_
            yield path, way


def failure_targets(step: Step) -> dict[str, Target]:
    """Return where control goes when a step fails, by `on_failure.CLASS`."""
    return {f"{FAILING}{path}": way for path, way in ways(step) if not isinstance(way, Fallback)}


def fallbacks(step: Step) -> dict[str, str]:
    """Return the agents that stand in when a step fails, by the class of failure."""
    return {path: way.agent for path, way in ways(step) if isinstance(way, Fallback)}


def kind_targets(step: Step) -> dict[str, Target]:
    match step:
        case AgentStep():
            return {"below_floor": step.below_floor}
        case GateStep() | ActionStep() | GroupStep() | PlanStep():
            return gate_targets(gate_of(step))
        case ConditionStep():
            return {"then": step.condition.then, "else": step.condition.else_}
        case LoopStep():
            return {"do": step.loop.do, "on_max": step.loop.on_max}
        case MapStep():
            return {"do": step.map.do}
        case ReviewStep():
            return {"on_object": step.review.on_object}
        case CanaryStep():
            return {key: (part,) for key, part in step.canary.parts().items()}
        case PartyStep():
            return {"on_stall": step.party.on_stall}
        case ParallelStep() | RaceStep() | WaitStep() | MissionStep():
            return {}
        case _:
            assert_never(step)


def children(step: Step) -> tuple[tuple[Step, ...], ...]:
    """Return the lists of steps written inside a step: branches, a group's steps, targets in place."""
    inline = tuple(target for target in targets(step).values() if not isinstance(target, str))
    match step:
        case ParallelStep():
            return (step.parallel, *inline)
        case GroupStep():
            return (step.steps, *inline)
        case RaceStep():
            return (step.race, *inline)
        case _:
            return inline


def walk(steps: Iterable[Step]) -> Iterator[Step]:
    """Yield each step, and before its next sibling all that is written inside it."""
    for step in steps:
        yield step
        for inner in children(step):
            yield from walk(inner)


def every_step(definition: Definition) -> Iterator[Step]:
    """Yield every step of a mission, outer ones before what they hold, in the order of writing."""
    return walk(definition.steps)


def called_by(step: Step) -> tuple[str, ...]:
    """Return the names of the steps that this one calls; built-in words are no steps."""
    words = {*BUILT_IN, *LAST_RESORTS}
    return tuple(target for target in targets(step).values() if isinstance(target, str) and target not in words)


def called_names(definition: Definition) -> frozenset[str]:
    """Return the names that other steps call. These steps run from there and never in sequence."""
    return frozenset(name for step in every_step(definition) for name in called_by(step))


def by_name(definition: Definition) -> dict[str, Step]:
    """Return every step by its name, which is unique in a checked mission."""
    return {step.step: step for step in every_step(definition)}
