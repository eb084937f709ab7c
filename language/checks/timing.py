"""Times: each is above zero, and what happens at a deadline stands beside a deadline."""

from collections.abc import Iterator
from datetime import timedelta

from contracts.definition import ActionStep, AgentStep, CanaryStep, ReviewStep, Step, WaitStep
from contracts.duration import show_duration
from contracts.gate import Gate
from contracts.step import ESCALATE, Retry
from contracts.workspace import Workspace
from language.draft import Draft
from language.finding import Finding
from language.steps import gate_of

MOST_REMINDERS = 10


def check(draft: Draft, workspace: Workspace) -> Iterator[Finding]:  # noqa: ARG001 (every check has these arguments)
    """Find timeouts of zero or below, and consequences of timeouts that nobody set."""
    yield from letter_time(draft)
    for step in draft.steps():
        gate = gate_of(step)
        if gate:
            yield from gate_times(gate, step, draft, "gate" if step.kind == "gate" else "approval")
        yield from positive(step.timeout, step, draft, "timeout")
        if isinstance(step, WaitStep) and step.wait.event is not None and step.timeout is None:
            message = f"nobody knows whether '{step.wait.event}' ever happens"
            mend = "write 'timeout: 24h' beside 'wait', and where to go then under 'on_failure: {timed_out: …}'"
            yield draft.find("TIMEOUT_MISSING", message, step, "wait", mend=mend)
        if isinstance(step, WaitStep):
            yield from positive(step.wait.for_, step, draft, "wait", "for")
        if isinstance(step, ReviewStep):
            yield from positive(step.review.timeout, step, draft, "review", "timeout")
        if isinstance(step, CanaryStep):
            yield from positive(step.canary.bake, step, draft, "canary", "bake")
        if isinstance(step, AgentStep):
            yield from positive(step.cache, step, draft, "cache")
        if step.retry:
            yield from retry_times(step.retry, step, draft, "retry")
        if isinstance(step, ActionStep) and step.compensate and step.compensate.retry:
            yield from retry_times(step.compensate.retry, step, draft, "compensate", "retry")


def letter_time(draft: Draft) -> Iterator[Finding]:
    """Find a dead letter that nobody would have the time to open."""
    box = draft.definition.dead_letter
    if box is not None and box.timeout is not None and box.timeout <= timedelta(0):
        value = draft.tree.find("dead_letter", "timeout")
        message = f"'timeout' is {value.data}: no time at all"
        yield Finding("TIMEOUT_NOT_POSITIVE", message, value.place, "write a span above zero, such as '7d'")


def gate_times(gate: Gate, step: Step, draft: Draft, key: str) -> Iterator[Finding]:
    written = draft.value(step, key).data
    keys = written if isinstance(written, dict) else {}
    yield from positive(gate.timeout, step, draft, key, "timeout")
    yield from reminders(gate.remind, gate.timeout, step, draft, key)
    for number, rung in enumerate(gate.escalation):
        yield from positive(rung.timeout, step, draft, key, "escalation", number, "timeout")
        yield from reminders(rung.remind, rung.timeout, step, draft, key, "escalation", number)
        here = draft.value(step, key, "escalation", number).data
        if rung is not gate.escalation[-1] and isinstance(here, dict) and "on_timeout" in here:
            message = "this rung is not the last: from here silence climbs on"
            path = (key, "escalation", number, "on_timeout")
            yield draft.find("BAD_VALUE", message, step, *path, mend="write 'on_timeout' at the last rung alone")
    if "timeout" not in keys and "on_timeout" in keys:
        message = "'on_timeout' without a 'timeout' never comes"
        yield draft.find("TIMEOUT_MISSING", message, step, key, "on_timeout", mend="write 'timeout: 48h' beside it")
    if "timeout" not in keys and gate.escalation:
        message = "the escalation is never climbed without a 'timeout'"
        yield draft.find("TIMEOUT_MISSING", message, step, key, "escalation", mend="write 'timeout: 48h' beside it")
    elif gate.escalation and gate.on_timeout != ESCALATE:
        message = "the escalation is never climbed"
        yield draft.find("BAD_VALUE", message, step, key, "escalation", mend="write 'on_timeout: escalate' beside it")


def reminders(
    spans: tuple[timedelta, ...], deadline: timedelta | None, step: Step, draft: Draft, *path: str | int
) -> Iterator[Finding]:
    """Find reminders that come at once, never, or twice."""
    if len(spans) > MOST_REMINDERS:
        message = f"{len(spans)} reminders: people stop to read them"
        yield draft.find("BAD_VALUE", message, step, *path, "remind", mend=f"write at most {MOST_REMINDERS}")
    listed = isinstance(draft.value(step, *path, "remind").data, list)
    for number, span in enumerate(spans):
        where = (*path, "remind", number) if listed else (*path, "remind")
        if span <= timedelta(0):
            message = f"'remind' is {draft.value(step, *where).data}: no time at all"
            yield draft.find(
                "TIMEOUT_NOT_POSITIVE", message, step, *where, mend="write a span above zero, such as '30m'"
            )
        elif span in spans[:number]:
            yield draft.find(
                "BAD_VALUE", f"'{show_duration(span)}' stands twice in 'remind'", step, *where, mend="write it once"
            )
        elif deadline is not None and span >= deadline > timedelta(0):
            message = (
                f"a reminder after {show_duration(span)} never comes: the deadline is after {show_duration(deadline)}"
            )
            yield draft.find("REMINDER_LATE", message, step, *where, mend="remind before the deadline")


def retry_times(retry: Retry, step: Step, draft: Draft, *path: str) -> Iterator[Finding]:
    yield from positive(retry.first, step, draft, *path, "first")
    yield from positive(retry.most, step, draft, *path, "most")
    if timedelta(0) < retry.most < retry.first:
        message = "the longest wait, 'most', is shorter than the first"
        yield draft.find("BAD_VALUE", message, step, *path, mend="make 'most' at least as long as 'first'")


def positive(span: timedelta | None, step: Step, draft: Draft, *path: str | int) -> Iterator[Finding]:
    if span is not None and span <= timedelta(0):
        value = draft.value(step, *path).data
        message = f"'{path[-1]}' is {value}: no time at all"
        yield draft.find("TIMEOUT_NOT_POSITIVE", message, step, *path, mend="write a span above zero, such as '30m'")
