"""Wait: for a span, until a moment, or for something that happens outside."""

from datetime import datetime

from contracts.definition import WaitStep
from contracts.record import Failure
from language.schema import errors
from workflows.interpreter.bound import sleep_until
from workflows.interpreter.ending import StepFailed
from workflows.interpreter.outcome import Outcome
from workflows.interpreter.scope import Scope


async def run_wait(step: WaitStep, path: str, scope: Scope) -> Outcome:
    """Wait for what the step names. Its end is a moment, which no hand-over moves."""
    record = scope.journal.get(path)
    if record is not None and scope.journal.settled(path) is not None:
        return Outcome(output=record.output, kept=record.output)
    if step.wait.event is not None:
        return await _happening(step.wait.event, step, path, scope)
    until = _moment(step, path, scope)
    await sleep_until(until, f"{path} goes on", path, scope)
    output = {"at": until.isoformat()}
    return Outcome(output=output, kept=output)


def _moment(step: WaitStep, path: str, scope: Scope) -> datetime:
    """Return when the wait is over: counted from the step's start, or answered once and kept."""
    record = scope.journal.get(path)
    if step.wait.for_ is not None and record is not None:
        return record.started_at + step.wait.for_
    if record is None or record.output is None:
        answer = scope.evaluate(step.wait.until or "", path)
        scope.journal.update(path, output={"until": _parsed(answer, path).isoformat()})
        return _parsed(answer, path)
    return datetime.fromisoformat(record.output["until"])


def _parsed(answer: object, path: str) -> datetime:
    try:
        moment = datetime.fromisoformat(answer) if isinstance(answer, str) else None
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        cause = f"{repr(answer)[:100]} is no moment; write it as 2026-01-31T09:00:00Z"
        raise StepFailed(Failure(code="bad_input", step=path, operation="wait", cause=cause))
    return moment


async def _happening(name: str, step: WaitStep, path: str, scope: Scope) -> Outcome:
    """Take the first event of the name and key whose payload fits; the others are refused."""
    key = scope.text(step.wait.key, path)
    while True:
        event = scope.events.find(name, key)
        if event is None:
            await _for_event(name, key, path, scope)
            continue
        scope.events.take(event)
        wrong = errors(step.wait.schema_, event.payload) if step.wait.schema_ else []
        if not wrong:
            return Outcome(output=event.payload, kept=event.payload)
        scope.gates.refuse(path, f"the event {name!r} does not fit: {'; '.join(wrong)}"[:500])
        scope.ports.changed()


async def _for_event(name: str, key: str, path: str, scope: Scope) -> None:
    await scope.begin_effect()
    named = f"{name} ({key})" if key else name
    with scope.ports.within(path):
        await scope.ports.wait(lambda: scope.events.find(name, key) is not None, None, f"{path} waits for {named}")
