"""Several actions under one approval: what they do is settled before anybody is asked, and stays as it was shown.

The law: nothing is resolved again once people were asked, whatever variables hold by then. What runs, and on whose
word, is read from the grant; the executor looks for each action in it by its path (`activities/authority.py`).
"""

from collections.abc import Iterator
from typing import Any

from contracts.decision import Action
from contracts.definition import ActionStep, GroupStep
from contracts.record import Approved
from workflows.interpreter.foreseen import foreseen
from workflows.interpreter.scope import Scope
from workflows.interpreter.tell import withdraw


def frozen(step: GroupStep, path: str, scope: Scope) -> tuple[Action, ...]:
    """Return the actions of a group as people are shown them: while a gate is open, as it was opened."""
    opening = scope.gates.get(path)
    if opening is not None:
        return opening.subject.actions
    return tuple(_frozen(action, here, scope) for action, here in left(step, path, scope))


def _frozen(step: ActionStep, path: str, scope: Scope) -> Action:
    arguments = resolved(step, path, scope)
    undo = step.compensate.tool if step.compensate else None
    known = {"compensation": undo, "undo": foreseen(step, arguments, path, scope)}
    return Action(step=path, tool=step.action, arguments=arguments, **known)


def resolved(step: ActionStep, path: str, scope: Scope) -> dict[str, Any]:
    """Return the arguments of an action as they are now, with what operators laid over them."""
    return {**scope.render(step.with_, path), **scope.control.state.inputs.get(path, {})}


def ask_again(path: str, scope: Scope) -> None:
    """Take back what people approved together at a path, or are being asked: what is left is another list."""
    opening, record = scope.gates.get(path), scope.journal.get(path)
    if opening is not None and opening.subject.actions:
        withdraw(opening, scope)
    if record is not None and record.grant is not None and record.grant.subject.actions:
        scope.journal.update(path, answer=None, grant=None, decisions=(), generation=scope.journal.generation)


def covered(path: str, scope: Scope) -> Action | None:
    """Return what people approved for an action together with others, if they did."""
    actions = scope.grant.subject.actions if scope.grant is not None else ()
    return next((action for action in actions if action.step == path), None)


def approved(scope: Scope) -> Approved | None:
    """Return where people approved what runs here, and who they were."""
    record = scope.journal.get(scope.grant.subject.step) if scope.grant is not None else None
    return Approved(at=record.path, by=tuple(record.answer["by"])) if record is not None and record.answer else None


def left(step: GroupStep, path: str, scope: Scope) -> list[tuple[ActionStep, str]]:
    """Return the actions of a group that are still to run, in order, with their paths."""
    return [(action, here) for action, here in actions_of(step, path, scope) if scope.journal.settled(here) is None]


def actions_of(group: GroupStep, path: str, scope: Scope) -> Iterator[tuple[ActionStep, str]]:
    """Yield the actions of a group, in order, with their paths."""
    for step in group.steps:
        here = f"{path}/{step.step}"
        match step:
            case _ if step.step in scope.called:
                continue
            case ActionStep():
                yield step, here
            case GroupStep():
                yield from actions_of(step, here, scope)
            case _:
                raise AssertionError(here)
