"""Several actions under one approval: what they do is settled before anybody is asked, and stays as it was shown.

The law: nothing is resolved again once people were asked, whatever variables hold by then. What runs, and on whose
word, is read from the grant; the executor looks for each action in it by its path (`activities/authority.py`).
"""

from collections.abc import Iterator

from contracts.decision import Action
from contracts.definition import ActionStep, GroupStep, Step
from contracts.record import Approved
from workflows.interpreter.scope import Scope


def frozen(step: GroupStep, path: str, scope: Scope) -> tuple[Action, ...]:
    """Return the actions of a group as people are shown them: while a gate is open, as it was opened."""
    opening = scope.gates.get(path)
    return opening.subject.actions if opening is not None else tuple(_resolved(step.steps, path, scope))


def covered(path: str, scope: Scope) -> Action | None:
    """Return what people approved for an action together with others, if they did."""
    actions = scope.grant.subject.actions if scope.grant is not None else ()
    return next((action for action in actions if action.step == path), None)


def approved(scope: Scope) -> Approved | None:
    """Return where people approved what runs here, and who they were."""
    record = scope.journal.get(scope.grant.subject.step) if scope.grant is not None else None
    return Approved(at=record.path, by=tuple(record.answer["by"])) if record is not None and record.answer else None


def _resolved(steps: tuple[Step, ...], parent: str, scope: Scope) -> Iterator[Action]:
    for step in steps:
        path = f"{parent}/{step.step}"
        match step:
            case _ if step.step in scope.called:
                continue
            case ActionStep():
                undo = step.compensate.tool if step.compensate else None
                arguments = scope.render(step.with_, path)
                yield Action(step=path, tool=step.action, arguments=arguments, compensation=undo)
            case GroupStep():
                yield from _resolved(step.steps, path, scope)
            case _:
                raise AssertionError(path)
