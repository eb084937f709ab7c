"""Let a tool act: exactly what people saw, under one idempotency key, with what undoes it registered first."""

from typing import Any

from contracts.base import digest
from contracts.call import Grant, ToolCall, ToolResult
from contracts.definition import ActionStep
from contracts.gate import Gate
from contracts.record import Effect, Failure
from workflows.interpreter.ask import Question, gate_rungs, go_unapproved
from workflows.interpreter.effort import tool_effort
from workflows.interpreter.ending import OUTDATED, EffectFailed, Overtaken, StepFailed
from workflows.interpreter.foreseen import agreed, foreseen
from workflows.interpreter.outcome import Outcome
from workflows.interpreter.rework import ask_anew
from workflows.interpreter.scope import Scope
from workflows.interpreter.stakes import asked_by_risk, reading_of, void
from workflows.interpreter.terms import covering, terms
from workflows.interpreter.together import approved, covered, resolved


async def run_action(step: ActionStep, path: str, scope: Scope) -> Outcome:
    """Resolve the arguments, ask if the definition says so, act, and arm the compensation.

    What people approved together with others runs as they saw it, whatever its arguments would be by now.
    """
    if step.approval is None and (together := covered(path, scope)) is not None:
        generation = scope.grant.subject.generation if scope.grant is not None else 0
        scope.journal.update(path, approved=approved(scope), generation=generation)
        return await _act(step, path, together.arguments, scope.grant, scope)
    while True:
        try:
            return await _asked_and_run(step, path, scope)
        except Overtaken as overtaken:
            void(path, overtaken, scope)


async def _asked_and_run(step: ActionStep, path: str, scope: Scope) -> Outcome:
    gate = step.approval
    if gate is None:
        arguments = resolved(step, path, scope)
        gate = asked_by_risk(step, path, arguments, scope)
        if gate is None:
            return await _act(step, path, arguments, None, scope)
    answer = await ask_anew(step, gate, lambda: _question(step, gate, path, scope), path, scope)
    if answer.decided != "approved":
        await go_unapproved(gate, answer, path, scope)
        return Outcome(output=answer.output(), kept=answer.output(), status="skipped")
    return await _act(step, path, answer.arguments or {}, answer.grant, scope)


def _question(step: ActionStep, gate: Gate, path: str, scope: Scope) -> Question:
    tool, undo = scope.plan.tools[step.action], step.compensate.tool if step.compensate else None
    arguments = resolved(step, path, scope)
    return Question(
        kind="approval",
        message=scope.text(gate.message, path) or tool.description,
        rungs=gate_rungs(gate, scope),
        terms=terms(gate, *covering(scope.plan, (step.action, undo))),
        context=scope.context(gate.context, path),
        tool=step.action,
        arguments=arguments,
        compensation=undo,
        undo=foreseen(step, arguments, path, scope),
        foresee=lambda here, given: foreseen(step, given, here, scope),
        input_schema=tool.input,
    )


async def _act(step: ActionStep, path: str, arguments: dict[str, Any], grant: Grant | None, scope: Scope) -> Outcome:
    await scope.begin_effect(path)
    generation = scope.generation(path)
    key = scope.ports.key(path, digest(arguments), generation)
    call = ToolCall(
        mission=scope.mission.id,
        path=path,
        tool=step.action,
        arguments=arguments,
        key=key,
        grant=grant,
        generation=generation,
        again=scope.control.begun(path),
        compensation=step.compensate.tool if step.compensate else None,
        risk=reading_of(path, scope) if grant is None else None,
    )
    effect = _register(step, call, scope)
    scope.journal.update(path, effect=effect)
    try:
        with scope.ports.within(path):
            tool = scope.plan.tools[step.action]
            result = await scope.ports.run_tool(call, tool_effort(tool, step.retry, step.timeout))
    except EffectFailed as failed:
        if failed.code == OUTDATED and failed.applied == "no":
            scope.journal.update(path, effect=None)
            raise Overtaken(failed.cause, failed.governance, failed.people) from failed
        raise _failed(failed, step, path, effect, scope) from failed
    armed = _arm(step, call, effect, result, scope)
    return Outcome(
        output=result.output,
        kept=result.output,
        fields={"effect": armed, "usage": result.usage, "policy": result.policy},
    )


def _register(step: ActionStep, call: ToolCall, scope: Scope) -> Effect:
    """Register what undoes the action before it starts: a crash in between leaves it armed, not forgotten."""
    effect = Effect(
        tool=call.tool,
        arguments=call.arguments,
        arguments_digest=digest(call.arguments),
        key=call.key,
        applied="unknown" if scope.plan.tools[call.tool].acts() else "no",
        locks=tuple(sorted(scope.held)),
    )
    if step.compensate is None:
        return effect
    armed = {"undo_status": "armed", "undo_retry": step.compensate.retry}
    return effect.model_copy(update={**armed, **_undo(step, call, None, scope)})


def _arm(step: ActionStep, call: ToolCall, effect: Effect, result: ToolResult, scope: Scope) -> Effect:
    applied = "yes" if effect.applied == "unknown" else "no"
    undo = _undo(step, call, result.output, scope) if step.compensate is not None else {}
    return effect.model_copy(update={"applied": applied, **undo})


def _undo(step: ActionStep, call: ToolCall, result: Any, scope: Scope) -> dict[str, Any]:
    """Return the compensation, ready to run, or why it could not be made."""
    compensation = step.compensate
    if compensation is None:
        return {}
    if compensation.with_ is None:
        known = {**(result if isinstance(result, dict) else {}), **call.arguments}
        wanted = scope.plan.tools[compensation.tool].input.get("properties", known)
        arguments = {name: value for name, value in known.items() if name in wanted}
    else:
        try:
            arguments = scope.render(
                compensation.with_, call.path, **({"result": result} if result is not None else {})
            )
        except StepFailed as failed:
            return {"undo": None, "undo_error": failed.failure.cause}
    path, arguments = f"{call.path}/undo", {**arguments, **agreed(call)}
    key = scope.ports.key(path, digest(arguments), call.generation)
    return {
        "undo": ToolCall(
            mission=call.mission,
            path=path,
            tool=compensation.tool,
            arguments=arguments,
            key=key,
            grant=call.grant,
            undoes=call.tool,
            undoes_key=call.key,
            generation=call.generation,
        ),
        "undo_error": "",
    }


def _failed(failed: EffectFailed, step: ActionStep, path: str, effect: Effect, scope: Scope) -> StepFailed:
    if failed.applied == "no":
        scope.journal.update(path, effect=effect.model_copy(update={"applied": "no", "undo_status": "none"}))
    else:
        scope.journal.update(path, effect=effect.model_copy(update={"applied": failed.applied}))
    remains = "nothing was done" if failed.applied == "no" else "it may have been done: it is undone, if it can be"
    return StepFailed(
        Failure(
            code="refused" if failed.code == OUTDATED else failed.code,
            step=path,
            actor=step.action,
            operation="act",
            cause=failed.cause,
            tried=failed.tried,
            attempts=failed.attempts,
            remains=remains,
        )
    )
