"""Whether an operator's command makes sense as a mission stands, with the reason where it does not. Pure."""

import re
from itertools import pairwise
from typing import Any

from contracts.command import CARRIES, ELSEWHERE, VERDICT
from contracts.decision import CommandVerb, Ruling
from contracts.definition import ActionStep, AgentStep, ConditionStep, MapStep, MissionStep, Step, WaitStep
from contracts.record import Record
from language.schema import errors
from workflows.interpreter.amend import why_not_amend
from workflows.interpreter.journal import SETTLED
from workflows.interpreter.need import needs
from workflows.interpreter.reach import jumped
from workflows.interpreter.scope import Scope
from workflows.interpreter.spot import Level, Spot, spot
from workflows.interpreter.steps.map import MOST_SHOWN

RANK = re.compile(r"[\[#]")
"""What a path has where it says a round, an item or an attempt."""


class Senseless(Exception):
    """A command that makes no sense now, with the reason."""


def demand_content(ruling: Ruling, verb: CommandVerb) -> None:
    allowed, given = CARRIES.get(verb, frozenset()), set(ruling.changes or {})
    if given - allowed:
        raise Senseless(f"{verb} carries {', '.join(sorted(given - allowed))}, which it does not know")
    if verb == "amend" and given != allowed:
        raise Senseless("amend needs the variable's name and its new value")
    if verb == "retry" and "input" in given and not isinstance((ruling.changes or {})["input"], dict):
        raise Senseless("the input of a step is one object")
    if not ruling.step and verb not in ELSEWHERE:
        raise Senseless(f"{verb} needs a step")


def demand_sense(ruling: Ruling, scope: Scope) -> None:
    """Refuse a command that cannot be carried out as the mission stands."""
    if ruling.verb == "amend":
        reason = why_not_amend(ruling.changes or {}, scope)
        if reason:
            raise Senseless(reason)
        return
    if ruling.step == VERDICT:
        if ruling.verb != "retry":
            raise Senseless("a verdict can only be tried again")
        return
    place, record = spot(ruling.step, scope), scope.journal.get(ruling.step)
    _demand_kept(place, scope)
    match ruling.verb:
        case "skip":
            _demand_skippable(place, record, (ruling.changes or {}), scope)
        case "retry":
            _demand_begun(place, record)
            _demand_input(place, (ruling.changes or {}).get("input"), scope)
        case "rollback":
            _demand_begun(place, record)
        case "redirect":
            _demand_way(place, record, scope)
        case "escalate":
            if record is None or record.status != "failed" or scope.control.letter is None:
                raise Senseless(f"{place.path} has not failed, so there is nothing to escalate")
        case _:
            pass


def _demand_kept(place: Spot, scope: Scope) -> None:
    """Refuse a place whose records were given up for room: what else its item or its map did would be done twice."""
    for level in place.levels:
        if not isinstance(level.step, MapStep) or not level.rest:
            continue
        around, item = scope.journal.get(_map_path(level)), f"{level.path}{level.rest}"
        if around is None or _size(around) <= MOST_SHOWN:
            continue
        if scope.journal.settled(around.path) is not None:
            raise Senseless(f"{around.path} is over, and too long to keep its items apart; name it as a whole")
        if place.path != item and scope.journal.settled(item) is not None:
            raise Senseless(f"{item} is over, and its map too long to keep its steps apart; name {item} as a whole")


def _map_path(level: Level) -> str:
    return level.path + level.rest.rpartition("[")[0] if "[" in level.rest else level.path


def _size(record: Record) -> int:
    known = record.output or {}
    return len(known.get("items", known.get("results", ())))


def _demand_begun(place: Spot, record: Record | None) -> None:
    if record is None:
        raise Senseless(f"{place.path} has not begun")


def _demand_skippable(place: Spot, record: Record | None, given: dict[str, Any], scope: Scope) -> None:
    if record is not None and record.status in SETTLED:
        raise Senseless(f"{place.path} has {record.status}; roll back to it, or amend what it gave")
    if place.levels[-1].rest and not isinstance(place.step, MapStep):
        raise Senseless(f"{place.path} is a round or an attempt; skip {place.levels[-1].path} as a whole")
    if "output" in given:
        wrong = why_not_output(place.step, given["output"], scope)
        if wrong:
            raise Senseless(f"the output does not fit {place.path}: {wrong}")
    else:
        missing = needs([place.step], place, scope)
        if missing:
            raise Senseless(f"later steps need {', '.join(missing)}: give an output")


def _demand_input(place: Spot, given: Any, scope: Scope) -> None:
    if given is None:
        return
    step = place.step
    match step:
        case ActionStep():
            known: Any = {**scope.plan.tools[step.action].input.get("properties", {}), **step.with_}
        case AgentStep():
            known = (*step.context, "task")
        case MissionStep():
            known = scope.plan.missions[step.mission].definition.inputs.get("properties", {})
        case _:
            raise Senseless(f"{place.path} takes no input of its own; try again the step inside it that does")
    unknown = [name for name in given if name not in known]
    if unknown:
        raise Senseless(f"{place.path} knows no {', '.join(unknown)}; it takes {', '.join(known)}")


def _demand_way(place: Spot, record: Record | None, scope: Scope) -> None:
    """Refuse to go where a walk could not get, or where effects would be left behind."""
    for around in (place.path, *place.around()):
        if scope.journal.get(around) is None and RANK.search(around.rpartition("/")[2]):
            raise Senseless(f"{around} has not begun: its rounds and items cannot be jumped into")
    for level, below in pairwise(place.levels):
        _demand_open(level, below, scope)
    if record is not None:
        gone = set(place.behind(scope.journal))
        standing = [one.path for one in scope.journal.records() if one.path in gone and _stands(one)]
        if standing:
            raise Senseless(f"{', '.join(standing[:3])} would be left behind; roll back to {place.path} instead")
        return
    missing = needs([step for step, _ in jumped(place, scope)], place, scope)
    if missing:
        raise Senseless(
            f"{place.path} or what follows needs {', '.join(missing)}, which steps on the way would have set"
        )


def _demand_open(level: Level, below: Level, scope: Scope) -> None:
    """Refuse to go into a step that would not lead on to there."""
    known = scope.journal.get(level.path)
    if known is None and (level.step.kind not in {"group", "parallel"} or level.step.retry is not None):
        raise Senseless(f"{level.path} has not begun; go to it instead of into it")
    if known is None and level.step.when is not None:
        raise Senseless(f"{level.path} has not begun and has a `when`; go to it instead of into it")
    if level.step.retry is not None and not level.rest:
        raise Senseless(f"{level.path} is tried as a whole; name one of its attempts, such as {level.path}#1")
    way = below.parent.removeprefix(f"{level.path}{level.rest}").removeprefix("/")
    if isinstance(level.step, ConditionStep) and known is not None and not way:
        taken = level.step.condition.then if (known.output or {}).get("answer") else level.step.condition.else_
        names = {taken} if isinstance(taken, str) else {step.step for step in taken}
        if below.step.step not in names:
            raise Senseless(f"{level.path} went the other way; roll back to it, or amend what it reads")


def _stands(record: Record) -> bool:
    return record.effect is not None and record.effect.applied != "no" and record.effect.undo_status != "done"


def why_not_output(step: Step, output: Any, scope: Scope) -> str:
    """Return why an output that is given by hand is none that the step could have had."""
    match step:
        case AgentStep():
            schema = scope.plan.agents[step.agent].output
        case ActionStep():
            schema = scope.plan.tools[step.action].output
        case WaitStep():
            schema = step.wait.schema_
        case MissionStep():
            schema = {"type": "object", "required": ["mission", "verdict", "state"]}
        case _:
            schema = {}
    return "; ".join(errors(schema, output)[:3]) if schema else ""
