"""Ask an agent, and have an answer by its schema. One that does not fit goes back to it once with the errors."""

from collections.abc import Awaitable
from typing import Any

from contracts.call import AgentCall, AgentResult, Observation, noted
from contracts.command import MISSION_BUDGET
from contracts.mind import PeopleAgent
from contracts.record import Failure
from contracts.usage import Usage
from workflows.interpreter.circle import demand_progress
from workflows.interpreter.dialogue import through
from workflows.interpreter.ending import EffectFailed, StepFailed
from workflows.interpreter.people import done_by_people
from workflows.interpreter.ports import Effort
from workflows.interpreter.scope import Scope
from workflows.interpreter.tell import tell_spending

NOTHING = AgentResult()
AGAIN = "start the mission again once the cause is gone"


async def consult(call: AgentCall, effort: Effort, scope: Scope) -> AgentResult:
    """Return the answer, with what both attempts cost. `StepFailed` when there is none.

    What operators had to say to it goes along, and what they laid over its input.
    """
    call = as_operators_said(call, scope)
    if isinstance(call.agent, PeopleAgent):
        return AgentResult(output=await done_by_people(call, call.agent, effort.timeout, scope))
    demand_progress(call, scope)
    first = await _run(call, effort, scope)
    if not first.errors:
        return _answered(first, call, scope)
    if first.handed_back is not None:
        raise _unfit(call, first.errors, first.handed_back, _left(first), scope)
    again = await _run(call.model_copy(update={"errors": first.errors}), effort, scope, first)
    both = _left(again, first)
    if again.errors:
        raise _unfit(call, again.errors, 1, both, scope)
    both |= {"artifacts": (*first.artifacts, *again.artifacts), "sources": (*first.sources, *again.sources)}
    return _answered(again.model_copy(update=both), call, scope)


def _unfit(call: AgentCall, errors: tuple[str, ...], times: int, left: dict[str, Any], scope: Scope) -> StepFailed:
    _note(call, left, scope)
    often = {0: "nothing was handed back to it", 1: "the errors were handed back to it once"}
    return StepFailed(
        Failure(
            code="output_invalid",
            step=call.path,
            actor=call.name,
            operation="answer by its output schema",
            cause="; ".join(errors),
            tried=often.get(times, f"the errors were handed back to it {times} times"),
            remains="mend the agent or its schema, and start the mission again",
        )
    )


def as_operators_said(call: AgentCall, scope: Scope) -> AgentCall:
    """Return a call with what operators had to say to it, and what the mission may spend."""
    said = scope.control.state
    given = dict(said.inputs.get(call.path, {}))
    task = str(given.pop("task", call.task))
    more = {
        "task": task,
        "context": {**call.context, **given},
        "guidance": said.guidance.get(call.path, ()),
        "generation": scope.generation(call.path),
        "budget": said.budget or scope.plan.definition.budget,
        "since": scope.mission.began,
        "payers": scope.mission.payers,
    }
    return call.model_copy(update=more)


def _answered(result: AgentResult, call: AgentCall, scope: Scope) -> AgentResult:
    """Return an answer; an agent that asks for people has none yet."""
    if not result.escalated:
        return result
    record = scope.journal.get(call.path)
    if record is not None and record.kind == "agent":
        scope.journal.update(call.path, output=result.output, **noted(result))
    cause = result.escalated[:1_000]
    remains = "say whether the mission may go on"
    operation = "do it without people"
    failure = Failure(
        code="escalated", step=call.path, actor=call.name, operation=operation, cause=cause, remains=remains
    )
    raise StepFailed(failure)


def _left(run: AgentResult | EffectFailed, before: AgentResult = NOTHING) -> dict[str, Any]:
    """Return what the step's record keeps of a run that came to nothing, and of the one before it."""
    return {"observations": (*before.observations, *run.observations), "usage": before.usage.plus(run.usage)}


def _note(call: AgentCall, left: dict[str, Any], scope: Scope) -> None:
    """Keep what an agent noticed and spent whose step has no answer."""
    known = scope.journal.get(call.path)
    if known is not None and left != _left(NOTHING):
        scope.journal.update(call.path, **left)


async def _run(call: AgentCall, effort: Effort, scope: Scope, before: AgentResult = NOTHING) -> AgentResult:
    def once(one: AgentCall, seen: tuple[Observation, ...]) -> Awaitable[AgentResult]:
        # Between two questions to people its record says what it has spent.
        talked = one.talk.spent if one.talk is not None else Usage()
        so_far = AgentResult(observations=(*before.observations, *seen), usage=before.usage.plus(talked))
        return _once(one, effort, scope, so_far)

    return await through(call, once, scope)


async def _once(call: AgentCall, effort: Effort, scope: Scope, before: AgentResult) -> AgentResult:
    try:
        with scope.ports.within(call.path):
            result = await scope.ports.run_agent(call, effort)
    except EffectFailed as failed:
        _note(call, _left(failed, before), scope)
        raise StepFailed(
            Failure(
                code=failed.code,
                step=call.path,
                actor=call.name,
                operation="run the agent",
                cause=failed.cause,
                tried=failed.tried,
                attempts=failed.attempts,
                remains=f"raise what it may spend ({MISSION_BUDGET}), or skip the step" if failed.over else AGAIN,
                over=failed.over,
            )
        ) from failed
    if result.news:
        tell_spending(call.path, result.news, scope)
    return result
