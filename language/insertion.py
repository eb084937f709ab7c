"""Put a step in another one's place, wherever in a mission that stands. Pure; every kind of step is gone through."""

from typing import Any

from pydantic import BaseModel

from contracts.definition import Definition, Step
from contracts.step import BaseStep


def inserted(mission: Definition, old: Step, new: Step) -> Definition:
    """Return the mission with one step in the place of another."""
    return mission.model_copy(update={"steps": tuple(_with(step, old, new) for step in mission.steps)})


def _with(value: Any, old: Step, new: Step) -> Any:
    if isinstance(value, BaseStep) and value == old:
        return new
    match value:
        case BaseModel():
            parts = {name: getattr(value, name) for name in type(value).model_fields}
            changed = {name: _with(part, old, new) for name, part in parts.items() if _holds(part)}
            return value.model_copy(update=changed) if changed else value
        case tuple():
            return tuple(_with(part, old, new) for part in value)
        case dict():
            return {key: _with(part, old, new) for key, part in value.items()}
        case _:
            return value


def _holds(value: Any) -> bool:
    """Whether there may be steps in a value."""
    if isinstance(value, dict):
        return any(_holds(part) for part in value.values())
    return isinstance(value, BaseModel) or (isinstance(value, tuple) and any(_holds(part) for part in value))
