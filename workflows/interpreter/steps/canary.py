"""Act in stages: let each bake, look at it, and go on only from one that is surely healthy.

The law: whatever is not surely healthy is a breach, an action or a probe that failed and a test without an answer too.
A breach stops here: what the stages did is undone, the last first, then an incident is opened, then the step fails.
The verdict on each stage is its record, so that a run that takes over judges nothing again.
"""

import asyncio
from dataclasses import dataclass
from typing import Any

from contracts.base import canonical
from contracts.canary import IN_SANDBOX, STAGE, Canary
from contracts.definition import ActionStep, CanaryStep
from contracts.record import Failure, Record
from workflows.interpreter.bound import sleep_until
from workflows.interpreter.ending import MissionEnded, StepFailed
from workflows.interpreter.outcome import Outcome
from workflows.interpreter.scope import Scope
from workflows.interpreter.undo import undo_below

BREACHED = "canary_breached"
LONGEST = 500
"""Characters of metrics and answers that a failure tells."""


@dataclass(frozen=True)
class Stage:
    """One stage: what the parts see of it, what people call it, its path, and its action."""

    value: int
    name: str
    path: str
    do: ActionStep


async def run_canary(step: CanaryStep, path: str, scope: Scope) -> Outcome:
    """Run the stages in turn. A stage that people did not approve is the end of it, and no failure."""
    passed: list[Stage] = []
    for stage in _stages(step.canary, path):
        record = scope.journal.get(stage.path)
        if record is None or record.status not in {"succeeded", "skipped", "failed"}:
            record = await _run(stage, step.canary, scope)
        if record.status == "failed":
            await _breached(stage, passed, step, path, scope)
        if record.status == "skipped":
            return _outcome(passed, stage, step.canary, scope)
        passed.append(stage)
    return _outcome(passed, None, step.canary, scope)


def _stages(canary: Canary, path: str) -> list[Stage]:
    *others, end = [Stage(value, f"stage {value}", f"{path}[{value}]", canary.do) for value in canary.stages]
    end = Stage(end.value, end.name, end.path, canary.last or canary.do)
    if canary.sandbox is None:
        return [*others, end]
    return [Stage(IN_SANDBOX, "the sandbox", f"{path}[sandbox]", canary.sandbox), *others, end]


async def _run(stage: Stage, canary: Canary, scope: Scope) -> Record:
    """Run one stage and return its record, which is its verdict."""
    await scope.begin_effect(stage.path)
    scope.journal.start(stage.path, STAGE, stage.name, scope.ports.now())
    try:
        status = await _judged(stage, canary, scope.apart(**{STAGE: stage.value}))
    except StepFailed as failed:
        scope.journal.finish(stage.path, "failed", scope.ports.now(), failure=failed.failure)
    except (MissionEnded, asyncio.CancelledError):
        scope.journal.finish(stage.path, "cancelled", scope.ports.now())
        raise
    else:
        scope.journal.finish(stage.path, status, scope.ports.now())
    scope.ports.changed()
    return _record(stage.path, scope)


async def _judged(stage: Stage, canary: Canary, scope: Scope) -> Any:
    """Act, wait, look and judge; return how the stage ended. Raises `StepFailed` where it is not surely healthy."""
    await scope.run_step(stage.do, stage.path, scope)
    done = _record(f"{stage.path}/{stage.do.step}", scope)
    if done.status == "skipped":
        return "skipped"
    await sleep_until((done.ended_at or scope.ports.now()) + canary.bake, f"{stage.path} has baked", stage.path, scope)
    metrics = await scope.run_step(canary.probe, stage.path, scope)
    if not scope.inside(result=metrics).test(canary.healthy, stage.path):
        cause = f"`{canary.healthy}` is not true of {_brief(metrics)}"
        raise StepFailed(Failure(code=BREACHED, step=stage.path, operation="be healthy", cause=cause))
    return "succeeded"


async def _breached(stage: Stage, passed: list[Stage], step: CanaryStep, path: str, scope: Scope) -> None:
    """Undo every stage, the last first, open the incident, and fail."""
    undone = []
    for one in (stage, *reversed(passed)):
        await undo_below(one.path, scope)
        undone.append(f"{one.name} {_undone(one, scope)}")
    incident = await _incident(stage, step.canary, path, scope)
    why = _record(stage.path, scope).failure
    cause = why.cause if why is not None and why.code == BREACHED else str(why)
    raise StepFailed(
        Failure(
            code=BREACHED,
            step=path,
            operation="prove healthy",
            cause=f"{stage.name}: {cause}",
            tried=", ".join(undone),
            remains=incident,
        )
    )


def _undone(stage: Stage, scope: Scope) -> str:
    """Say how it went to undo a stage: its action, and what a refusal of that led to."""
    below = (record for record in scope.journal.records() if record.path.startswith(f"{stage.path}/"))
    ends = {record.effect.undo_status for record in below if record.effect is not None}
    if "given_up" in ends:
        return "was left as it is"
    return "was undone" if "done" in ends else "had nothing to undo"


async def _incident(stage: Stage, canary: Canary, path: str, scope: Scope) -> str:
    """Open the incident, and say what came of it. That it cannot be opened hides no breach."""
    probed = scope.journal.settled(f"{stage.path}/{canary.probe.step}")
    metrics = probed.output if probed is not None else None
    try:
        answer = await scope.run_step(canary.incident, path, scope.apart(**{STAGE: stage.value}, result=metrics))
    except StepFailed as failed:
        return f"no incident was opened ({failed.failure.cause})"
    if _record(f"{path}/{canary.incident.step}", scope).status == "skipped":
        return "no incident was opened (people did not approve it)"
    return f"{canary.incident.action} answered {_brief(answer)}"


def _outcome(passed: list[Stage], refused: Stage | None, canary: Canary, scope: Scope) -> Outcome:
    output = {
        "completed": refused is None,
        "refused": refused.value if refused is not None else None,
        "stages": [
            {
                STAGE: stage.value,
                "result": _record(f"{stage.path}/{stage.do.step}", scope).output,
                "metrics": _record(f"{stage.path}/{canary.probe.step}", scope).output,
            }
            for stage in passed
        ],
    }
    return Outcome(output=output, kept=output)


def _record(path: str, scope: Scope) -> Record:
    record = scope.journal.get(path)
    if record is None:
        raise AssertionError(path)
    return record


def _brief(value: Any) -> str:
    text = canonical(value).decode()
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"
