"""What the variables are when a mission starts: its inputs, the defaults of those left out, and those of steps.

Pure, and used by the checks and the interpreter alike, so that what is checked is what happens.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from contracts.definition import Definition, Step
from language.steps import every_step


def first_values(definition: Definition, inputs: Mapping[str, Any]) -> dict[str, Any]:
    """Return the variables that a mission starts with."""
    return {**defaults(every_step(definition)), **input_defaults(definition.inputs), **inputs}


def defaults(steps: Iterable[Step]) -> dict[str, Any]:
    """Return the values that steps' variables have until the steps have set them."""
    return {step.output: step.default.value for step in steps if step.output and step.default}


def surely_set(definition: Definition) -> frozenset[str]:
    """Return the variables that are there from the start, whatever inputs the mission is given."""
    required = definition.inputs.get("required")
    needed = [name for name in required if isinstance(name, str)] if isinstance(required, list) else []
    return frozenset((*needed, *first_values(definition, {})))


def input_defaults(schema: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values that inputs have when they are left out, by the `default` of their schemas."""
    properties = schema.get("properties")
    parts = properties.items() if isinstance(properties, dict) else ()
    return {name: part["default"] for name, part in parts if isinstance(part, dict) and "default" in part}
