"""Let a tool act: exactly what people saw, under one idempotency key, with what undoes it registered first."""

from typing import Any

from contracts.base import digest
from contracts.call import ToolCall, ToolResult
from contracts.definition import ActionStep
from contracts.gate import Gate
from contracts.record import Effect, Failure
from workflows.interpreter.ask import Answer, Question, ask, gate_rungs, go_unapproved
from workflows.interpreter.effort import tool_effort
from workflows.interpreter.ending import EffectFailed, StepFailed
from workflows.interpreter.outcome import Outcome
from workflows.interpreter.scope import Scope


async def run_action(step: ActionStep, path: str, scope: Scope) -> Outcome:
    """Resolve the arguments, ask if the definition says so, act, and arm the compensation."""
    arguments = {**scope.render(step.with_, path), **scope.control.state.inputs.get(path, {})}
    answer = None
    if step.approval is not None:
        answer = await _approval(step, step.approval, path, arguments, scope)
        if answer.decided != "approved":
            await go_unapproved(step.approval, answer, path, scope)
            return Outcome(output=answer.output(), kept=answer.output(), status="skipped")
        arguments = answer.arguments or {}
    return await _act(step, path, arguments, answer, scope)


async def _approval(step: ActionStep, gate: Gate, path: str, arguments: dict[str, Any], scope: Scope) -> Answer:
    tool = scope.plan.tools[step.action]
    question = Question(
        kind="approval",
        message=scope.text(gate.message, path) or tool.description,
        rungs=gate_rungs(gate, scope),
        required=gate.required,
        stands_still=gate.when_paused == "freeze",
        context=scope.context(gate.context, path),
        tool=step.action,
        arguments=arguments,
        compensation=step.compensate.tool if step.compensate else None,
        input_schema=tool.input,
    )
    return await ask(question, path, scope)


async def _act(step: ActionStep, path: str, arguments: dict[str, Any], answer: Answer | None, scope: Scope) -> Outcome:
    await scope.begin_effect(path)
    generation = scope.generation(path)
    key = scope.ports.key(path, digest(arguments), generation)
    call = ToolCall(
        mission=scope.mission.id,
        path=path,
        tool=step.action,
        arguments=arguments,
        key=key,
        grant=answer.grant if answer else None,
        generation=generation,
    )
    effect = _register(step, call, scope)
    scope.journal.update(path, effect=effect)
    try:
        with scope.ports.within(path):
            tool = scope.plan.tools[step.action]
            result = await scope.ports.run_tool(call, tool_effort(tool, step.retry, step.timeout))
    except EffectFailed as failed:
        raise _failed(failed, step, path, effect, scope) from failed
    armed = _arm(step, call, effect, result, scope)
    return Outcome(output=result.output, kept=result.output, fields={"effect": armed, "usage": result.usage})


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
    return effect.model_copy(update={"undo_status": "armed", **_undo(step, call, None, scope)})


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
    path = f"{call.path}/undo"
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
            code=failed.code,
            step=path,
            actor=step.action,
            operation="act",
            cause=failed.cause,
            tried=failed.tried,
            remains=remains,
        )
    )
