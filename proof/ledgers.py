"""The four ledgers of a mission, kept by parties that do not trust each other, and how the history's is read.

The client's (what was sent, and what its sender heard), the world's (effects and calls that the outside saw), the
history (all runs), and the record that was exported; beside them who the people are and what the operator was shown.
What must hold between them is `proof/laws.py`.
"""

import json
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Literal

from temporalio.api.enums.v1 import EventType, WorkflowTaskFailedCause
from temporalio.client import WorkflowHistory

from contracts.call import EXECUTE_ACTION, JUDGE_DECISION, ToolCall, ToolResult
from contracts.decision import Hearing, Ruling
from contracts.plan import MissionInput, MissionResult, Plan
from contracts.policy import Answer
from contracts.view import MissionView
from contracts.workspace import PeopleFile, Tool

Heard = Literal["acknowledged", "accepted", "refused", "unknown"]
RESET = WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_RESET_WORKFLOW
At = tuple[int, int]
"""Where in the chain of runs: the run's number, the event's id."""


@dataclass(frozen=True)
class Sent:
    """A decision or command that the client sent: its id, its token, and what came back."""

    jti: str
    token: str
    heard: Heard


@dataclass(frozen=True)
class Measured:
    """How large a run is: its events, its bytes, its largest payload, and what its last event was."""

    events: int
    bytes: int
    largest: int
    last: str


@dataclass(frozen=True)
class Told:
    """What the histories of a mission's runs tell."""

    id: str
    namespace: str
    first_run: str
    requested_by: str
    plan: Plan
    calls: tuple[tuple[At, ToolCall], ...]
    rulings: tuple[tuple[At, Ruling], ...]
    arrivals: tuple[str, ...]
    """Tokens, as signals brought them."""
    state: str
    """How the mission ended, in the words of `MissionState`, or as Temporal calls it; empty while it runs."""
    runs: tuple[Measured, ...] = ()
    answers: tuple[tuple[str, tuple[Answer, ...]], ...] = ()
    """What policy said of each action that was executed, by its key."""


@dataclass(frozen=True)
class Ledgers:
    """Everything that is known of one mission, by whoever kept it."""

    client: tuple[Sent, ...]
    effects: tuple[Mapping[str, Any], ...]
    """What the world saw, in its order: `key`, `tool`, `arguments`, `digest`, `at`."""
    attempts: tuple[Mapping[str, Any], ...]
    """The calls that reached it, whatever came of them."""
    told: Told
    people: PeopleFile
    tools: Mapping[str, Tool]
    audit: tuple[Mapping[str, Any], ...] | None = None
    """The entries of the exported record; none where none was exported."""
    record: bytes = b""
    """That record as it was exported: chained, its head signed."""
    recorders: tuple[str, ...] = ()
    """The public keys by which its head may be signed."""
    shown: MissionView | None = None
    """The mission as its operator sees it."""
    answers: tuple[tuple[str, int], ...] = ()
    """The questions that the mission was asked, and how large each answer was that it gave."""
    governed: bool = False
    """Whether policy was asked: then every action that was executed has its answer."""
    secrets: tuple[str, ...] = ()
    """What was planted and may be nowhere."""
    texts: Mapping[str, bytes] = field(default_factory=dict)
    """Where it may not be, beside the ledgers: logs, traces, pages, by name."""

    def call_of(self, effect: Mapping[str, Any]) -> tuple[At, ToolCall] | None:
        """Return the call in the history that asked for an effect."""
        wanted = (effect["key"], effect["tool"], effect["arguments"])
        return next(((at, one) for at, one in self.told.calls if (one.key, one.tool, one.arguments) == wanted), None)


def read(
    histories: Sequence[WorkflowHistory], namespace: str = "default", kept: Sequence[WorkflowHistory] = ()
) -> Told:
    """Read all runs of a mission, the first first; `kept` are the same as the server keeps them, where these differ.

    What a reset copied from another run, and what it took over of what that run dropped, counts once.
    """
    started = histories[0].events[0].workflow_execution_started_event_attributes
    given = MissionInput.model_validate_json(started.input.payloads[0].data)
    events = [((run, event.event_id), event) for run, history in enumerate(histories) for event in history.events]
    stands = standing(histories)
    return Told(
        id=histories[0].workflow_id,
        namespace=namespace,
        first_run=started.first_execution_run_id,
        requested_by=given.requested_by,
        plan=given.plan,
        calls=tuple((at, call) for at, event in events for call in _calls(event)),
        rulings=tuple(
            (at, ruling) for run, one in enumerate(histories) for at, ruling in _rulings(run, one) if stands(at)
        ),
        arrivals=tuple(token for at, event in events if stands(at) for token in _arrivals(event)),
        state=_state(histories[-1].events[-1]),
        runs=tuple(_measured(history) for history in kept or histories),
        answers=tuple(answer for history in histories for answer in _answers(history)),
    )


def standing(histories: Sequence[WorkflowHistory]) -> Callable[[At], bool]:
    """Return which events stand: not what a reset copied, and not what it dropped, whose signals it took over."""
    resets = [_resets(history) for history in histories]
    runs = {_run(history, known): number for number, (history, known) in enumerate(zip(histories, resets, strict=True))}
    since, until = [0.0] * len(histories), [math.inf] * len(histories)
    for number, known in enumerate(resets):
        for at, facts in known[-1:]:
            base = runs.get(facts.base_run_id)
            since[number] = 0.0 if base is None else at
            while base is not None:
                until[base] = min(until[base], at)
                # Further back than that run itself goes, it drops of what that one was copied from.
                earlier = [one for where, one in resets[base][-1:] if where > at]
                base = runs.get(earlier[0].base_run_id) if earlier else None
    return lambda at: since[at[0]] <= at[1] < until[at[0]]


def _resets(history: WorkflowHistory) -> list[tuple[int, Any]]:
    found = [(event.event_id, event.workflow_task_failed_event_attributes) for event in history.events]
    return [(at, facts) for at, facts in found if facts.cause == RESET]


def _run(history: WorkflowHistory, resets: list[tuple[int, Any]]) -> str:
    """Return the id of a run; its first event is of the run that it was copied from."""
    if resets:
        return str(resets[-1][1].new_run_id)
    return str(history.events[0].workflow_execution_started_event_attributes.original_execution_run_id)


def _state(event: Any) -> str:
    name = EventType.Name(event.event_type).removeprefix("EVENT_TYPE_WORKFLOW_EXECUTION_")
    if name == "COMPLETED":
        result = event.workflow_execution_completed_event_attributes.result
        return MissionResult.model_validate_json(result.payloads[0].data).state
    failure = event.workflow_execution_failed_event_attributes.failure
    if failure.HasField("canceled_failure_info") or failure.application_failure_info.type == "CancelledError":
        # Nobody asked the run that took over a cancelled mission to stop: the server knows no better word.
        return "canceled"
    return name.lower() if name in {"FAILED", "CANCELED", "TERMINATED", "TIMED_OUT"} else ""


def _calls(event: Any) -> Iterator[ToolCall]:
    scheduled = event.activity_task_scheduled_event_attributes
    if scheduled.activity_type.name == EXECUTE_ACTION:
        yield ToolCall.model_validate_json(scheduled.input.payloads[0].data)


def _answers(history: WorkflowHistory) -> Iterator[tuple[str, tuple[Answer, ...]]]:
    calls = {event.event_id: call for event in history.events for call in _calls(event)}
    for event in history.events:
        completed = event.activity_task_completed_event_attributes
        call = calls.get(completed.scheduled_event_id)
        if call is not None and completed.result.payloads:
            yield call.key, ToolResult.model_validate_json(completed.result.payloads[0].data).policy


def _rulings(run: int, history: WorkflowHistory) -> Iterator[tuple[At, Ruling]]:
    """Yield what was ruled on decisions, each with its token: of one that nobody signed a ruling says nothing."""
    heard: dict[int, str] = {}
    for event in history.events:
        scheduled, completed = (
            event.activity_task_scheduled_event_attributes,
            event.activity_task_completed_event_attributes,
        )
        if scheduled.activity_type.name == JUDGE_DECISION:
            heard[event.event_id] = Hearing.model_validate_json(scheduled.input.payloads[0].data).token
        for payload in completed.result.payloads if completed.scheduled_event_id in heard else ():
            ruling = Ruling.model_validate_json(payload.data)
            if not ruling.asked:
                yield (run, event.event_id), ruling.model_copy(update={"token": heard[completed.scheduled_event_id]})


def _arrivals(event: Any) -> Iterator[str]:
    """Yield what may be a token: anybody may have sent anything else."""
    for payload in event.workflow_execution_signaled_event_attributes.input.payloads:
        with suppress(ValueError):
            said = json.loads(payload.data)
            if isinstance(said, str):
                yield said


def _measured(history: WorkflowHistory) -> Measured:
    last = EventType.Name(history.events[-1].event_type).removeprefix("EVENT_TYPE_").lower()
    sizes = [event.ByteSize() for event in history.events]
    # A payload is no larger than the event that carries it; only of large ones is it worth to look.
    largest = max((_largest(event) for event in history.events if event.ByteSize() > SUSPICIOUS), default=0)
    return Measured(len(sizes), sum(sizes), largest, last)


SUSPICIOUS = 256_000


def _largest(message: Any) -> int:
    """Return the size of the largest payload anywhere in a message."""
    if message.DESCRIPTOR.full_name == "temporal.api.common.v1.Payload":
        return int(message.ByteSize())
    return max((_largest(inner) for inner in inner(message)), default=0)


def inner(message: Any) -> Iterator[Any]:
    for descriptor, value in message.ListFields():
        if descriptor.message_type is None:
            continue
        if hasattr(value, "ListFields"):
            yield value
        else:
            values = value.values() if hasattr(value, "values") else value
            yield from (one for one in values if hasattr(one, "ListFields"))
