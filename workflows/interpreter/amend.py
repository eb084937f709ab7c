"""Amend what a variable is: an input of the mission, or what a step gave.

The law: what people answered is never amended, and a value fits the contract of whoever gave the one before it.
"""

from typing import Any

from pydantic import ValidationError

from contracts.command import MISSION_BUDGET
from contracts.decision import Ruling
from contracts.definition import ActionStep, AgentStep, Step, WaitStep
from contracts.money import Budget
from contracts.record import Record
from language.schema import errors
from workflows.interpreter.scope import Scope


def why_not_amend(changes: dict[str, Any], scope: Scope) -> str:
    """Return why a variable cannot be given a value."""
    name, value = changes["name"], changes["value"]
    if not isinstance(name, str):
        return "a variable has a name"
    if name == MISSION_BUDGET:
        return _why_no_budget(value)
    inputs = scope.plan.definition.inputs.get("properties", {})
    if name in inputs:
        wrong = errors(inputs[name], value)
        return f"{name} does not fit the mission's inputs: {'; '.join(wrong[:3])}" if wrong else ""
    found = setter(name, scope)
    if found is None:
        return f"no step has set {name[:80]!r} yet, and it is no input"
    step, record = found
    schema = _contract(step, scope)
    if schema is None or record.answer is not None:
        return f"{name} is what {record.path} came to; only what agents, tools and events gave can be amended"
    wrong = errors(schema, value) if schema else []
    return f"{name} does not fit the contract of {record.path}: {'; '.join(wrong[:3])}" if wrong else ""


def _why_no_budget(value: Any) -> str:
    """Return why a budget cannot be laid over the one before."""
    try:
        Budget.model_validate(value)
    except ValidationError as error:
        first = error.errors()[0]
        return f"{'.'.join(map(str, first['loc']))} of mission.budget: {first['msg'].lower()}".removeprefix(" of ")
    return "" if value else "mission.budget needs at least one of usd, tokens, agent_runs, time"


def amend(ruling: Ruling, scope: Scope) -> str:
    """Set a variable, and say what it was."""
    changes = ruling.changes or {}
    name: str = str(changes["name"])
    value: Any = changes["value"]
    if name == MISSION_BUDGET:
        known = scope.control.state.budget or scope.plan.definition.budget or Budget()
        said = {**known.model_dump(exclude_none=True), **value}
        scope.control.put(budget=Budget.model_validate(said))
        return "the mission's budget is amended"
    if name in scope.plan.definition.inputs.get("properties", {}):
        scope.control.put(values={**scope.control.state.values, name: value})
        return f"{name} is amended"
    found = setter(name, scope)
    if found is None:
        raise AssertionError(name)
    scope.journal.update(found[1].path, output=value, by=ruling.person)
    return f"{name} is amended, which {found[1].path} had set"


def setter(name: str, scope: Scope) -> tuple[Step, Record] | None:
    """Return the step that set a variable last, with its record."""
    mine = {step.step: step for step in scope.by_name.values() if step.output == name}
    done = [record for record in scope.journal.records() if record.order and _last(record.path) in mine]
    if not done:
        return None
    record = max(done, key=lambda one: one.order)
    return mine[_last(record.path)], record


def _contract(step: Step, scope: Scope) -> dict[str, Any] | None:
    match step:
        case AgentStep():
            return scope.plan.agents[step.agent].output
        case ActionStep():
            return scope.plan.tools[step.action].output
        case WaitStep() if step.wait.event is not None:
            return step.wait.schema_
        case _:
            return None


def _last(path: str) -> str:
    return path.rsplit("/", 1)[-1]
