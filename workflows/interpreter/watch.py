"""Have an agent watched by another: while it works, and once more before anything builds on its answer.

The law: nobody goes on from a watched answer that the watcher has not seen. What it says while the agent works comes
from observations that are live; should nobody hear it then, the look at the answer still comes. Live looks are
`activities/watcher.py`.
"""

import asyncio
from typing import Any

from contracts.call import AgentCall, AgentResult, Observation, noted
from contracts.definition import AgentStep
from contracts.record import Failure
from workflows.interpreter.consult import as_operators_said, consult
from workflows.interpreter.effort import agent_effort
from workflows.interpreter.ending import EffectFailed, StepFailed
from workflows.interpreter.ports import Effort
from workflows.interpreter.scope import Scope

WATCH = "watch"


async def watched(step: AgentStep, call: AgentCall, effort: Effort, scope: Scope) -> AgentResult:
    """Return the agent's answer. An objection meanwhile ends the agent, and fails the step."""
    if step.watch is None:
        return await consult(call, effort, scope)
    said: list[str] = []
    watching = asyncio.ensure_future(_live(step, step.watch, call, scope, said))
    try:
        result = await consult(call, effort, scope)
    except StepFailed as failed:
        raise objected(step.watch, said[0], call.path) if said else failed from None
    finally:
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)
    if said:
        scope.journal.update(call.path, output=result.output, **noted(result))
        raise objected(step.watch, said[0], call.path)
    return result


async def look_at(step: AgentStep, output: Any, path: str, scope: Scope) -> None:
    """Show the watcher an answer, with what was noticed on the way, before anything builds on it."""
    if step.watch is None:
        return
    here = f"{path}/{WATCH}"
    settled = scope.journal.settled(here)
    if settled is None:
        await scope.begin_effect(here)
        scope.journal.start(here, WATCH, step.watch, scope.ports.now())
        record = scope.journal.get(path)
        noticed = record.observations if record is not None else ()
        asked = _order(step, step.watch, path, scope, answer=output, observations=told(noticed))
        try:
            result = await consult(asked, agent_effort(asked.agent, None, None), scope)
        except StepFailed as failed:
            scope.journal.finish(here, "failed", scope.ports.now(), failure=failed.failure)
            raise
        scope.journal.finish(here, "succeeded", scope.ports.now(), output=result.output, **noted(result))
        settled = scope.journal.settled(here)
    words = objection(settled.output if settled is not None else None)
    if words:
        raise objected(step.watch, words, path)


async def _live(step: AgentStep, watcher: str, call: AgentCall, scope: Scope, said: list[str]) -> None:
    asked = _order(step, watcher, call.path, scope)
    same = {"watches": call.path, "generation": scope.generation(call.path)}
    asked = as_operators_said(asked, scope).model_copy(update=same)
    try:
        result = await scope.ports.watch_agent(asked, agent_effort(asked.agent, None, None))
    except EffectFailed:
        return
    words = objection(result.output)
    if words:
        said.append(words)
        scope.journal.update(call.path, observations=result.observations)
        scope.ports.interrupt(call.path, scope.generation(call.path), words)


def _order(step: AgentStep, watcher: str, path: str, scope: Scope, **context: Any) -> AgentCall:
    """Return what a watcher is asked."""
    return AgentCall(
        mission=scope.mission.id,
        path=f"{path}/{WATCH}",
        name=watcher,
        agent=scope.plan.agents[watcher],
        task=f"Watch {step.agent}. Object where people must look at this before anybody builds on it.",
        context={"agent": step.agent, "task": step.task, **context},
    )


def told(noticed: tuple[Observation, ...]) -> list[dict[str, Any]]:
    """Return observations as a watcher reads them."""
    return [one.model_dump(mode="json", exclude_defaults=True) for one in noticed]


def objection(output: Any) -> str:
    """Return what a watcher has against it; nothing where it has nothing."""
    words = output.get("objection") if isinstance(output, dict) else None
    return str(words).strip()[:1_000] if words else ""


def objected(watcher: str, words: str, path: str) -> StepFailed:
    """Return the failure of a step whose watcher objected."""
    remains = "say whether the mission may go on"
    return StepFailed(
        Failure(code="objected", step=path, actor=watcher, operation="watch the step", cause=words, remains=remains)
    )
