"""What an operator's command reaches: the steps that a jump passes, and the running effects that it ends. Pure."""

from collections.abc import Iterator

from contracts.command import VERDICT
from contracts.decision import Ruling
from contracts.definition import Step
from contracts.record import inside
from workflows.interpreter.ports import Touched
from workflows.interpreter.scope import Scope
from workflows.interpreter.spot import Spot, spot

UNDO = "/undo"
"""What a compensation's path ends with: a command that begins something anew has it undone, so it is let be."""


def nothing(_path: str, _agent: bool) -> bool:
    return False


def agents(_path: str, agent: bool) -> bool:
    return agent


def jumped(place: Spot, scope: Scope) -> Iterator[tuple[Step, str]]:
    """Yield the steps that a jump to a place passes, with their paths: those before it that have not settled."""
    for level in place.levels:
        for step in level.before():
            path = f"{level.parent}/{step.step}" if level.parent else step.step
            if scope.journal.settled(path) is None:
                yield step, path


def reach(ruling: Ruling, scope: Scope) -> Touched:
    """Return which running effects a command ends, as a predicate of their path and whether an agent runs there."""
    if ruling.verb == "amend" or ruling.step == VERDICT:
        return nothing
    place = spot(ruling.step, scope)
    own = (place.path,) if ruling.verb != "redirect" else tuple(path for _, path in jumped(place, scope))
    begun = scope.journal.get(place.path) is not None
    gone = set(place.behind(scope.journal)) if ruling.verb in {"retry", "rollback", "redirect"} and begun else set()

    def touched(path: str, agent: bool) -> bool:
        del agent
        if path.endswith(UNDO):
            return False
        return path in gone or any(path == one or path.startswith(inside(one)) for one in own)

    return touched
