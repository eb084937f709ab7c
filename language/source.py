"""Whose words a value may hold: of agents, tools, people, or whoever asked for the mission. Pure, over the plan.

The law: what may come from several is said of all of them. Of what cannot be told nothing is said.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from contracts.definition import Definition, GateStep, MapStep, MissionStep, ReviewStep, Step, WaitStep
from language.expression import names, template_expressions
from language.named import named_by
from language.steps import by_name, called_by, every_step, walk

Sources = Mapping[str, tuple[str, ...]]
"""By variable, whose words it may hold, as in `agent correlator`."""


def sources(definition: Definition) -> Sources:
    """Return whose words each variable of a mission may hold."""
    steps = by_name(definition)
    found: dict[str, tuple[str, ...]] = dict.fromkeys(definition.inputs.get("properties", {}), ("who asked for it",))
    for step in every_step(definition):
        if step.output:
            found[step.output] = _union((found.get(step.output, ()), _spoken(step, steps)))
    for step in every_step(definition):
        if isinstance(step, MapStep):
            found[step.map.as_] = _union((found.get(step.map.as_, ()), _read((step.map.over,), found)))
    return found


def read_by(template: Any, known: Sources) -> tuple[str, ...]:
    """Return whose words may come into a value through its templates."""
    return _read(template_expressions(template), known)


def _read(expressions: Iterable[str], known: Sources) -> tuple[str, ...]:
    return _union(known.get(name, ()) for source in expressions for name in sorted(names(source)))


def _spoken(step: Step, steps: Mapping[str, Step]) -> tuple[str, ...]:
    """Return whose words a step's output may hold: of all that runs inside it, and of all that this calls."""
    inside = list(_reached(step, steps))
    agents, tools = named_by(inside)
    said = [*(f"agent {name}" for name in sorted(agents)), *(f"tool {name}" for name in sorted(tools))]
    for one in inside:
        match one:
            case GateStep() | ReviewStep():
                said.append("who decided")
            case MissionStep():
                said.append(f"mission {one.mission}")
            case WaitStep() if one.wait.event:
                said.append(f"event {one.wait.event}")
    return tuple(dict.fromkeys(said))


def _reached(step: Step, steps: Mapping[str, Step]) -> Iterator[Step]:
    seen, waiting = set[str](), [step]
    while waiting:
        one = waiting.pop()
        if one.step not in seen:
            seen.add(one.step)
            yield one
            waiting += [*walk((one,)), *(steps[name] for name in called_by(one) if name in steps)]


def _union(many: Iterable[Iterable[str]]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(one for some in many for one in some))
