"""Let an agent plan, load what it answers, ask people if the definition says so, and carry the plan out.

Every plan has a record of its own below the step (`rollout/plan[2]`): what was answered, loaded, found and said of it.
So a later run walks the plan that was loaded, and none is loaded twice. The loading is a port; what a plan may hold is
in `language/planned.py`.
"""

import asyncio
from typing import Any

from contracts.call import AgentCall
from contracts.definition import PlanStep, Step
from contracts.planned import LoadedPlan, PlanOrder
from contracts.planning import ASSENT, PLAN_REFUSED, PLANNING, SHOWN, STEPS
from contracts.policy import FINDINGS, MOST_ASKED
from contracts.record import Failure, Record
from contracts.view import MissionState
from workflows.interpreter.ask import AGAINST, WORDS, Answer, Question, ask, ask_apart, gate_rungs, go_unapproved
from workflows.interpreter.consult import consult
from workflows.interpreter.effort import agent_effort
from workflows.interpreter.ending import EffectFailed, MissionEnded, StepFailed
from workflows.interpreter.outcome import Outcome
from workflows.interpreter.planned import AGAIN, Said, kept, loaded, met, question, shown, where
from workflows.interpreter.scope import Scope
from workflows.interpreter.terms import terms

REJECTED = "refused"


async def run_plan(step: PlanStep, path: str, scope: Scope) -> Outcome:
    """Run the first plan that loads and that people approve. A refused one goes back to the planner."""
    cause = ""
    for number in range(1, step.plan.attempts + 1):
        here = f"{path}/plan[{number}]"
        try:
            failure, against = await _judged(step, path, number, scope)
        except StepFailed as failed:
            _finish(here, "failed", scope, failure=failed.failure)
            raise
        except asyncio.CancelledError:
            _finish(here, "cancelled", scope)
            raise
        if failure is None:
            return await _answered(step, path, here, against, scope)
        cause = failure.cause
    tried = f"{step.plan.attempts} plans were made, and each went back with what was wrong"
    refused = _failure(PLAN_REFUSED, path, cause)
    raise StepFailed(refused.model_copy(update={"actor": step.plan.agent, "tried": tried}))


async def _answered(step: PlanStep, path: str, here: str, against: Said | None, scope: Scope) -> Outcome:
    """Carry out the plan that loaded, unless people did not approve it."""
    if against is None:
        _finish(here, "succeeded", scope)
        return await _carry_out(loaded(scope.journal.get(here)), path, scope)
    answer, at = against
    _finish(here, "skipped", scope)
    if step.approval is None or at != here:
        said = f": {answer.comment}" if answer.comment else ""
        raise MissionEnded(MissionState.REFUSED, f"{at} was {WORDS[answer.decided]}{said}")
    await go_unapproved(step.approval, answer, path, scope)
    return Outcome(output=answer.output(), kept=answer.output(), status="skipped")


async def _judged(step: PlanStep, path: str, number: int, scope: Scope) -> tuple[Failure | None, Said | None]:
    """Have a plan made, loaded and shown; return why it goes back to its planner, or what people said against it."""
    here = f"{path}/plan[{number}]"
    failure = await _faulty(step, path, number, scope)
    if failure is not None:
        return failure, None
    failure, against = await _approved(step, path, number, scope)
    if against is None or not step.plan.revise or number == step.plan.attempts:
        return failure, against
    answer = against.answer
    if answer.decided not in AGAINST:
        return None, against
    said = "rejected the plan" if answer.decided == "rejected" else "asked for changes"
    cause = f"{', '.join(answer.by)} {said}: {answer.comment or 'without a word'}"
    failure = _failure(REJECTED, here, cause)
    _finish(here, "failed", scope, failure=failure)
    return failure, None


async def _approved(step: PlanStep, path: str, number: int, scope: Scope) -> tuple[Failure | None, Said | None]:
    """Have a plan approved by those of its own gate, and by those whom policy names; return what is against it.

    Policy is asked anew once they have: what they saw may not be what it says now. What it denies by then goes back to
    the planner, and whatever it wants approved beside that is asked about.
    """
    here = f"{path}/plan[{number}]"
    own = await _asked(step, here, scope)
    if own is not None and own.decided != "approved":
        return None, Said(own, here)
    for again in range(MOST_ASKED):
        record = _record(here, scope)
        before = loaded(record)
        if not before.wanting or ASSENT in record.output:
            return None, None
        at = here if met(record) else where(record)
        if at != here:
            answer = await ask_apart(question(_message(step, before), record, scope), at, scope)
            if answer.decided != "approved":
                return None, Said(answer, at)
        await scope.begin_effect()
        now = await _load(step, path, number, record.output["answer"], scope, again=again + 1)
        if not now.findings and set(now.wanting) <= set(before.wanting):
            scope.journal.update(here, output={**record.output, ASSENT: at})
            scope.ports.changed()
            return None, None
        _keep(here, now, scope, **{AGAIN: record.output.get(AGAIN, 0) + (at != here)})
        if now.findings:
            return _found(here, now.findings, scope), None
    return _found(here, ("policy changes faster than people can approve",), scope), None


async def _faulty(step: PlanStep, path: str, number: int, scope: Scope) -> Failure | None:
    """Have a plan made and loaded; return why it cannot run, if it cannot."""
    here = f"{path}/plan[{number}]"
    record = scope.journal.get(here)
    if record is None or record.output is None:
        await _plan(step, path, number, scope)
    record = _record(here, scope)
    if "plan" not in record.output:
        await scope.begin_effect()
        _keep(here, await _load(step, path, number, record.output["answer"], scope), scope)
    plan = loaded(scope.journal.get(here))
    return _found(here, plan.findings, scope) if plan.findings else None


def _found(here: str, findings: tuple[str, ...], scope: Scope) -> Failure:
    """Return why a plan goes back to its planner, with all that was found."""
    failure = _failure(PLAN_REFUSED, here, "; ".join(findings))
    _finish(here, "failed", scope, failure=failure)
    return failure


def _keep(here: str, plan: LoadedPlan, scope: Scope, **more: Any) -> None:
    """Put a plan on record, with what policy said of it."""
    said = {"policy": plan.policy} if plan.policy else {}
    scope.journal.update(here, output={**_record(here, scope).output, **kept(plan), **more}, **said)
    scope.ports.changed()


def _record(here: str, scope: Scope) -> Record:
    record = scope.journal.get(here)
    if record is None:
        raise AssertionError(here)
    return record


async def _plan(step: PlanStep, path: str, number: int, scope: Scope) -> None:
    """Ask the planner. It is told its bounds, and what became of its plan before."""
    here = f"{path}/plan[{number}]"
    agent = scope.plan.agents[step.plan.agent]
    context = scope.context(step.plan.context, path)
    call = AgentCall(
        mission=scope.mission.id,
        path=here,
        name=step.plan.agent,
        agent=agent,
        task=scope.text(step.plan.task, path),
        context={**context, PLANNING: _bounds(step, scope) | _before(path, number, scope)},
        errors=_findings(path, number, scope),
    )
    await scope.begin_effect()
    scope.journal.start(here, PLANNING, step.plan.agent, scope.ports.now())
    scope.ports.changed()
    result = await consult(call, agent_effort(agent, None, None), scope)
    scope.journal.update(here, output={"answer": result.output}, observations=result.observations, usage=result.usage)


def _bounds(step: PlanStep, scope: Scope) -> dict[str, Any]:
    """Return what a planner may use, as its contracts describe it."""
    allow, plan = step.plan.allow, scope.plan
    tools = {name: plan.tools[name] for name in allow.tools}
    return {
        "kinds": list(allow.kinds),
        "agents": {name: {"description": plan.agents[name].description} for name in allow.agents},
        "tools": {
            name: {
                "description": tool.description,
                "effect": tool.effect,
                "needs_approval": tool.needs_approval(),
                "compensated_by": list(tool.compensated_by),
                "input": tool.input,
            }
            for name, tool in tools.items()
        },
        "approvers": list(allow.approvers or (step.approval.approvers if step.approval else ())),
        "max_steps": step.plan.max_steps,
        "variables": sorted(name for name in (*scope.variables.values, *scope.local)),
    }


def _before(path: str, number: int, scope: Scope) -> dict[str, Any]:
    """Return the plan that was refused last."""
    record = scope.journal.get(f"{path}/plan[{number - 1}]")
    answer = record.output["answer"] if record is not None and record.output else None
    return {"refused": answer.get(STEPS) if isinstance(answer, dict) else answer} if record is not None else {}


def _findings(path: str, number: int, scope: Scope) -> tuple[str, ...]:
    """Return what was wrong with the plan before: the loader's findings, or what people said."""
    record = scope.journal.get(f"{path}/plan[{number - 1}]")
    if record is None or record.failure is None:
        return ()
    return loaded(record).findings or (record.failure.cause,)


async def _load(step: PlanStep, path: str, number: int, answer: Any, scope: Scope, *, again: int = 0) -> LoadedPlan:
    here = f"{path}/plan[{number}]"
    order = PlanOrder(
        id=f"{scope.mission.id}/{here}",
        plan=scope.plan,
        step=step,
        answer=answer,
        before=_seen(path, number, scope),
        defers=scope.limits.defers,
        again=again,
    )
    try:
        with scope.ports.within(here):
            return await scope.ports.load_plan(order)
    except EffectFailed as failed:
        raise StepFailed(_failure(failed.code, here, failed.cause)) from failed


def _seen(path: str, number: int, scope: Scope) -> tuple[Step, ...]:
    """Return the steps of the last plan that people were shown."""
    for earlier in range(number - 1, 0, -1):
        plan = loaded(scope.journal.get(f"{path}/plan[{earlier}]"))
        if plan.steps:
            return plan.steps
    return ()


async def _asked(step: PlanStep, here: str, scope: Scope) -> Answer | None:
    """Show people the plan and what it changes; its digest and the difference are part of what they sign."""
    gate, record = step.approval, scope.journal.get(here)
    if gate is None or record is None:
        return None
    plan = loaded(record)
    found = {FINDINGS: list(plan.wanting)} if plan.wanting else {}
    asked = Question(
        kind="approval",
        message=scope.text(gate.message, here) or _message(step, plan),
        rungs=gate_rungs(gate, scope),
        terms=terms(gate),
        context={**scope.context(gate.context, here), SHOWN: {**shown(record), **found}},
        planned=plan if plan.wanting else None,
    )
    return await ask(asked, here, scope)


def _message(step: PlanStep, plan: LoadedPlan) -> str:
    return f"{step.step.replace('_', ' ')}: {len(plan.steps)} planned steps"


async def _carry_out(plan: LoadedPlan, path: str, scope: Scope) -> Outcome:
    """Run the plan as a group. What its steps set stays in it."""
    results = await scope.run_target(plan.steps, path, scope.planned(plan.steps))
    output = {"id": plan.id, "digest": plan.digest, STEPS: results}
    return Outcome(output=output, kept=output)


def _finish(here: str, status: Any, scope: Scope, **fields: Any) -> None:
    """Close a plan's record, once."""
    record = scope.journal.get(here)
    if record is not None and record.status in {"running", "waiting"}:
        scope.journal.finish(here, status, scope.ports.now(), **fields)
        scope.ports.changed()


def _failure(code: str, here: str, cause: str) -> Failure:
    return Failure(code=code, step=here, operation="plan", cause=cause[:4_000])
