"""A mission's own `on_failure`: where failures lead that no step provides for.

The law: it is written out at the steps of the mission's list as it is read. So whatever is frozen, checked, compared or
drawn says at each step where its failures lead. What a step says itself counts.
"""

from collections.abc import Mapping
from dataclasses import replace

from contracts.definition import AgentStep, Step, Target
from contracts.failure_class import ANY, covers
from contracts.step import BUILT_IN, Fallback
from language.form import Form
from language.step_form import StepReader
from language.steps import called_by, walk
from language.yaml_source import Value

KEY = "on_failure"
Ways = Mapping[str, Target | Fallback]


def read_ways(reader: StepReader, form: Form) -> Ways:
    """Return where failures lead that no step provides for. A list in place would make the same steps many times."""
    found = reader.on_failure(form)
    for name, way in found.items():
        if any(not isinstance(one, str | Fallback) for one in chain(way)):
            value = form.data[KEY]
            message = "the mission's 'on_failure' names a step: a list in place would stand at each of them"
            form.add("BAD_VALUE", message, value.place_of(name), "make it a named step of 'steps', and name it here")
            return {}
    return found


def chain(way: Target | Fallback | None) -> list[Target | Fallback]:
    """Return a way, and those behind it when fallbacks fail."""
    if way is None:
        return []
    return [way, *(chain(way.else_) if isinstance(way, Fallback) else [])]


def spread(steps: tuple[Step, ...], ways: Ways, reader: StepReader, form: Form) -> tuple[Step, ...]:
    """Return the mission's steps, each with the ways that it does not provide for itself.

    Steps that others call, and those that failures lead to, have none: they would lead to themselves.
    """
    if not ways:
        return steps
    called = {name for step in walk(steps) for name in called_by(step)}
    called |= {one for way in ways.values() for one in chain(way) if isinstance(one, str) and one not in BUILT_IN}
    return tuple(step if step.step in called else provided(step, ways, reader, form) for step in steps)


def provided(step: Step, ways: Ways, reader: StepReader, form: Form) -> Step:
    fitting = {name: fit(way, step) for name, way in ways.items() if not covers(step.on_failure, name)}
    added = {name: way for name, way in fitting.items() if way is not None}
    if not added:
        return step
    node, here = reader.nodes[step.place], form.data[KEY]
    own = as_map(node.find(KEY)) if step.on_failure else {}
    # What is wrong with a way is found where it was written: once, at the mission's own key.
    ways_here = {**own, **{name: as_map(here)[name] for name in added}}
    reader.nodes[step.place] = replace(node, data={**as_map(node), KEY: replace(here, data=ways_here)})
    return step.model_copy(update={KEY: {**step.on_failure, **added}})


def as_map(value: Value) -> dict[str, Value]:
    """Return ways by class; one alone is for any."""
    return value.data if isinstance(value.data, dict) else {ANY: value}


def fit(way: Target | Fallback | None, step: Step) -> Target | Fallback | None:
    """Return what a way means at a step: only an agent's can be done by another one."""
    while isinstance(way, Fallback) and not isinstance(step, AgentStep):
        way = way.else_
    return way
