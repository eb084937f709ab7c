"""Start another mission as a child, wait for what it comes to, and keep what undoes it.

The child is a mission of its own: its gates, its journal, its saga. To this one it is one effect, undone as a whole by
the child itself. The other halves: `workflows/parentage.py` in the child, `undo.py` here.
"""

import asyncio
from typing import Any

from contracts.base import digest
from contracts.child import ABANDON, UNDO, Child, Parent, Report
from contracts.decision import Kin
from contracts.definition import MissionStep
from contracts.money import Payer
from contracts.plan import MissionInput
from contracts.record import Effect, Failure
from contracts.veil import veiled
from contracts.view import MissionState
from workflows.interpreter.ending import EffectFailed, StepFailed, Suspended
from workflows.interpreter.join import halt_if_cancelled
from workflows.interpreter.outcome import Outcome
from workflows.interpreter.scope import Scope
from workflows.interpreter.undo import left_by

LONGEST_ID = 900
"""Characters of a workflow's id; a server takes 1,000."""


async def run_mission(step: MissionStep, path: str, scope: Scope) -> Outcome:
    """Run the child to its verdict. One that the step does not accept fails it."""
    record = scope.journal.get(path)
    child = record.child if record is not None else None
    if child is None:
        child = await _start(step, path, scope)
    report = await _reported(step, child, path, scope)
    _settle(step, child, report, path, scope)
    if report.state != MissionState.COMPLETED or report.verdict not in step.accept:
        raise _unaccepted(step, report, path)
    output = {"mission": child.id, "verdict": report.verdict, "state": report.state}
    return Outcome(output=output, kept=output)


async def _start(step: MissionStep, path: str, scope: Scope) -> Child:
    inputs = {**scope.render(step.with_, path), **scope.control.state.inputs.get(path, {})}
    await scope.begin_effect()
    undone = step.on_parent_close != ABANDON
    # What undoes it is registered first: cancelled in between, it is not forgotten.
    effect = Effect(
        tool=step.mission,
        arguments=inputs,
        arguments_digest=digest(inputs),
        applied="unknown",
        locks=tuple(sorted(scope.held)),
    )
    scope.journal.update(path, effect=effect.model_copy(update={"undo_status": "armed" if undone else "none"}))
    own = Kin(mission=scope.mission.id, first_run_id=scope.mission.first_run_id, operators=scope.plan.commanders())
    parent = Parent(
        id=own.mission,
        run=own.first_run_id,
        path=path,
        on_close=step.on_parent_close,
        above=(own, *scope.mission.above),
        payers=(_payer(scope), *scope.mission.payers),
    )
    plan, asker = scope.plan.missions[step.mission], scope.mission.requested_by
    try:
        with scope.ports.within(path):
            mine = scope.mission
            given = MissionInput(
                plan=plan, inputs=inputs, requested_by=asker, parent=parent, fresh=mine.fresh, veil=mine.veil
            )
            child = await scope.ports.start_mission(_id(path, scope), given)
    except EffectFailed as failed:
        _note(path, scope, applied="no", undo_status="none")
        raise StepFailed(_failure(step, path, failed.code, "start the mission", failed.cause)) from failed
    scope.journal.update(path, child=child)
    scope.ports.changed()
    return child


def _payer(scope: Scope) -> Payer:
    budget = scope.control.state.budget or scope.plan.definition.budget
    return Payer(mission=scope.mission.id, budget=budget, since=scope.mission.began)


def _watch(path: str, scope: Scope) -> str:
    """Name the look at a child: one that a command ended may still be open under the name before."""
    return f"{path}~{scope.generation(path)}" if scope.generation(path) else path


def _id(path: str, scope: Scope) -> str:
    """Return the child's id: the same in every run of this mission, another for each attempt."""
    record = scope.journal.get(path)
    again = f"~{record.attempt}" if record is not None and record.attempt > 1 else ""
    again += f"~g{scope.generation(path)}" if scope.generation(path) else ""
    full = f"{scope.mission.id}/{veiled(path, scope.mission.veil)}{again}"
    return full if len(full) <= LONGEST_ID else f"{full[:LONGEST_ID]}~{digest(full)[-16:]}"


async def _reported(step: MissionStep, child: Child, path: str, scope: Scope) -> Report:
    try:
        halt_if_cancelled()
        with scope.ports.within(path):
            report = await scope.ports.watch_mission(child, _watch(path, scope))
    except asyncio.CancelledError:
        if step.on_parent_close != ABANDON:
            # It stops now; that it has undone itself, the saga waits for.
            await scope.ports.stop_mission(child, path)
        raise
    except EffectFailed as failed:
        raise StepFailed(_failure(step, path, failed.code, "wait for the mission", failed.cause)) from failed
    if report is None:
        raise Suspended
    return report


def _settle(step: MissionStep, child: Child, report: Report, path: str, scope: Scope) -> None:
    """Keep what is left to be undone: what the child holds for this mission, or nobody knows of; else nothing."""
    standing = report.held and step.on_parent_close == UNDO
    completed = report.state == MissionState.COMPLETED
    applied = "yes" if completed else "no"
    if report.not_undone and not completed:
        _note(path, scope, applied="yes", undo_status="given_up", undo_error=left_by(child, report))
    elif not report.unsure:
        _note(path, scope, applied=applied, undo_status="armed" if standing else "none")
    scope.journal.update(path, usage=report.spent)


def _unaccepted(step: MissionStep, report: Report, path: str) -> StepFailed:
    if report.state in {MissionState.COMPLETED, MissionState.REFUSED}:
        came = f"the verdict {report.verdict!r}" if report.verdict else f"a refusal ({report.reason})"
        cause = f"it came to {came}; accepted: {', '.join(step.accept)}"
        return StepFailed(_failure(step, path, "child_refused", "reach a verdict", cause))
    cause = f"it ended {report.state.replace('_', ' ')}" + (f": {report.reason}" if report.reason else "")
    return StepFailed(_failure(step, path, "child_failed", "reach a verdict", cause))


def _failure(step: MissionStep, path: str, code: str, operation: str, cause: str) -> Failure:
    return Failure(code=code, step=path, actor=step.mission, operation=operation, cause=cause)


def _note(path: str, scope: Scope, **fields: Any) -> None:
    record = scope.journal.get(path)
    if record is not None and record.effect is not None:
        scope.journal.update(path, effect=record.effect.model_copy(update=fields))
