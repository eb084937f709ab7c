"""An action's arguments: they fit its tool's input schema, as far as that can be told before the mission runs."""

from collections.abc import Iterator
from typing import Any

from contracts.definition import ActionStep, Step
from contracts.workspace import Workspace
from language.draft import Draft
from language.expression import ExpressionError, template_expressions
from language.finding import Finding
from language.name import nearest
from language.schema import errors

Noun = tuple[str, str]
"""Whose arguments they are, and what they are called there."""
TOOL: Noun = ("tool", "argument")


def check(draft: Draft, workspace: Workspace) -> Iterator[Finding]:
    """Find arguments that a tool does not have, that it needs and does not get, and values that never fit."""
    for step in draft.steps():
        if not isinstance(step, ActionStep):
            continue
        if step.action in workspace.tools:
            yield from misfits(step, step.with_, workspace.tools[step.action].input, draft, "with")
        undo = step.compensate
        if undo and undo.with_ is not None and undo.tool in workspace.tools:
            yield from misfits(step, undo.with_, workspace.tools[undo.tool].input, draft, "compensate", "with")


def misfits(
    step: Step,
    given: dict[str, Any],
    schema: dict[str, Any],
    draft: Draft,
    *path: str,
    noun: Noun = TOOL,
) -> Iterator[Finding]:
    (whose, what), properties = noun, schema.get("properties", {})
    place = draft.value(step, *path)
    for name in given:
        if schema.get("additionalProperties") is False and name not in properties:
            meant = nearest(name, properties)
            mend = f"did you mean '{meant}'?" if meant else f"it takes: {', '.join(properties) or 'nothing'}"
            found = place.key_places.get(name, place.place)
            yield Finding("BAD_ARGUMENT", f"the {whose} has no {what} '{name}'", found, mend)
    for name in schema.get("required", ()):
        if name not in given:
            mend = f"write '{name}: …' under 'with'"
            yield Finding("BAD_ARGUMENT", f"the {whose} needs the {what} '{name}'", place.place, mend)
    loose: dict[str, Any] = {"type": "object", "properties": properties}
    loose |= {key: schema[key] for key in ("$defs", "definitions") if key in schema}
    for name, value in given.items():
        if name in properties and not templated(value):
            for problem in errors(loose, {name: value}):
                yield draft.find("BAD_ARGUMENT", problem, step, *path, name, mend="write what its schema asks for")


def templated(value: Any) -> bool:
    """Whether a value depends on expressions, so that nobody can tell what it will be."""
    try:
        return bool(template_expressions(value))
    except ExpressionError:
        return True
