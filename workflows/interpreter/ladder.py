"""The ladder of a failure: tries, another agent, what the definition names, people. Each rung is recorded, and why.

The law: a rung stands in the journal before it is taken, and what came of it when that is known, so a run that takes
over adds none. The other half is `contracts/rung.py`; what a failure leads to is `walk.py`.
"""

from typing import Any

from contracts.definition import Target
from contracts.record import Failure, inside
from contracts.rung import Outcome, Rung, Taken
from contracts.step import ABORT, CONTINUE, ESCALATE, Fallback
from workflows.interpreter.scope import Scope

RECOVERY = "on_failure"


def note_tries(failure: Failure, path: str, scope: Scope) -> None:
    """Note how often an agent or a tool was asked before its step failed, where that was more than once."""
    if failure.attempts > 1 and failure.step == path:
        _append(path, scope, _taken("retry", "", failure, scope, number=failure.attempts, outcome="failed"))


def tried_again(failure: Failure, number: int, path: str, scope: Scope) -> None:
    """Note that a step is tried again as a whole: for the how manieth time, and why."""
    came_of("failed", path, scope)
    _append(path, scope, _taken("retry", "", failure, scope, number=number))


def went(way: Target | Fallback, failure: Failure, path: str, scope: Scope, /, **fields: Any) -> None:
    """Note where a failure leads, and with it whatever else the step's record is to say."""
    if path.endswith(f"/{RECOVERY}"):
        # Here another one did the task of the step around, and failed too.
        came_of("failed", path.removesuffix(f"/{RECOVERY}"), scope)
    rung, who = _named(way, scope)
    _append(path, scope, _taken(rung, who, failure, scope), **fields)


def on_a_rung(path: str, scope: Scope) -> bool:
    """Whether a step's failure has led somewhere, and nothing has come of that yet."""
    record = scope.journal.get(path)
    last = record.rungs[-1] if record is not None and record.rungs else None
    return last is not None and not last.outcome and last.rung != "dead_letter"


def came_of(outcome: Outcome, path: str, scope: Scope) -> None:
    """Note what came of the last rung, once."""
    record = scope.journal.get(path)
    if record is not None and on_a_rung(path, scope):
        last = record.rungs[-1].model_copy(update={"outcome": outcome})
        scope.journal.update(path, rungs=(*record.rungs[:-1], last))


def all_tried(path: str, scope: Scope) -> list[str]:
    """Return in words everything that was tried before people are asked at a path, the first first."""
    paths = [path]
    while paths[0].endswith(f"/{RECOVERY}"):
        paths.insert(0, paths[0].removesuffix(f"/{RECOVERY}"))
    records = [record for record in map(scope.journal.get, paths) if record is not None]
    return [str(rung) for record in records for rung in record.rungs if rung.rung != "people"]


def left_to_operators(failure: Failure, scope: Scope) -> None:
    """Note that nothing is left for a failure but what operators say: the last rung."""
    _append(failure.step, scope, _taken("dead_letter", "", failure, scope))


def tried_around(path: str, scope: Scope) -> list[str]:
    """Return in words everything that was tried at a step and at those around it."""
    own = (one for one in scope.journal.records() if one.path == path or path.startswith(inside(one.path)))
    return [str(rung) for record in own for rung in record.rungs]


def _named(way: Target | Fallback, scope: Scope) -> tuple[Rung, str]:
    if isinstance(way, Fallback):
        return "fallback", way.agent
    if not isinstance(way, str):
        return "steps", ", ".join(step.step for step in way)
    if way == ESCALATE:
        return "people", scope.plan.escalation.role
    if way == CONTINUE:
        return "continue", ""
    return ("abort", "") if way == ABORT else ("steps", way)


def _taken(rung: Rung, who: str, failure: Failure, scope: Scope, **more: Any) -> Taken:
    return Taken(rung=rung, who=who, code=failure.code, cause=failure.cause, at=scope.ports.now(), **more)


def _append(path: str, scope: Scope, /, *rungs: Taken, **fields: Any) -> None:
    record = scope.journal.get(path)
    if record is not None:
        scope.journal.update(path, rungs=(*record.rungs, *rungs), **fields)
        scope.ports.changed()
