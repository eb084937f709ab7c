"""The checker: four ledgers, kept by parties that do not trust each other, and what must hold between them.

Client (what was sent, and what its sender heard), world (effects and calls that the company saw), history (all runs),
and who the people are. `breaches` is pure, so that `test_checker.py` can doctor each ledger and see it bite. Signatures
are verified here by plain Ed25519 and not by the code under test.
"""

import json
from base64 import urlsafe_b64decode
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from temporalio.api.enums.v1 import EventType
from temporalio.client import WorkflowHistory
from temporalio.worker import Replayer

from contracts.base import digest
from contracts.call import EXECUTE_ACTION, ToolCall, idempotency_key
from contracts.decision import Claims, Ruling
from contracts.plan import MissionInput, MissionResult, Plan
from contracts.workspace import PeopleFile, Tool
from tests.payloads import DATA_CONVERTER
from workflows.halts import Halts
from workflows.locks import Locks
from workflows.mission import Mission
from workflows.runner import runner

Heard = Literal["acknowledged", "accepted", "refused", "unknown"]
At = tuple[int, int]
"""Where in the chain of runs: the run's number, the event's id."""


@dataclass(frozen=True)
class Sent:
    """A decision that the client sent: its id, its token, and what came back."""

    jti: str
    token: str
    heard: Heard


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


@dataclass(frozen=True)
class Ledgers:
    """Everything that is known of one mission, by whoever kept it."""

    client: tuple[Sent, ...]
    effects: tuple[Mapping[str, Any], ...]
    attempts: tuple[Mapping[str, Any], ...]
    told: Told
    people: PeopleFile
    tools: Mapping[str, Tool]


def breaches(ledgers: Ledgers) -> list[str]:
    """Return every law that these ledgers break, in sentences; none is what must come back."""
    checks = (_doubled, unasked, unapproved, _lost, _not_undone, _unended)
    return [breach for check in checks for breach in check(ledgers)]


async def unreplayable(histories: Iterable[WorkflowHistory]) -> list[str]:
    """Return how each history fails to replay on this code."""
    replayer = Replayer(workflows=[Mission, Locks, Halts], workflow_runner=runner(), data_converter=DATA_CONVERTER)
    found = []
    for history in histories:
        result = await replayer.replay_workflow(history, raise_on_replay_failure=False)
        if result.replay_failure:
            found.append(f"does not replay: {result.replay_failure}")
    return found


def read(histories: Sequence[WorkflowHistory], namespace: str = "default") -> Told:
    """Read all runs of a mission, the first first."""
    started = histories[0].events[0].workflow_execution_started_event_attributes
    given = MissionInput.model_validate_json(started.input.payloads[0].data)
    events = [((run, event.event_id), event) for run, history in enumerate(histories) for event in history.events]
    return Told(
        id=histories[0].workflow_id,
        namespace=namespace,
        first_run=started.first_execution_run_id,
        requested_by=given.requested_by,
        plan=given.plan,
        calls=tuple((at, call) for at, event in events for call in _calls(event)),
        rulings=tuple((at, ruling) for at, event in events for ruling in _rulings(event)),
        arrivals=tuple(token for _, event in events for token in _arrivals(event)),
        state=_state(histories[-1].events[-1]),
    )


def _state(event: Any) -> str:
    name = EventType.Name(event.event_type).removeprefix("EVENT_TYPE_WORKFLOW_EXECUTION_")
    if name == "COMPLETED":
        result = event.workflow_execution_completed_event_attributes.result
        return MissionResult.model_validate_json(result.payloads[0].data).state
    return name.lower() if name in {"FAILED", "CANCELED", "TERMINATED", "TIMED_OUT"} else ""


def _calls(event: Any) -> Iterator[ToolCall]:
    scheduled = event.activity_task_scheduled_event_attributes
    if scheduled.activity_type.name == EXECUTE_ACTION:
        yield ToolCall.model_validate_json(scheduled.input.payloads[0].data)


def _rulings(event: Any) -> Iterator[Ruling]:
    for payload in event.activity_task_completed_event_attributes.result.payloads:
        answer = json.loads(payload.data)
        if isinstance(answer, dict) and "accepted" in answer:
            yield Ruling.model_validate(answer)


def _arrivals(event: Any) -> Iterator[str]:
    signal = event.workflow_execution_signaled_event_attributes.input
    yield from (json.loads(payload.data) for payload in signal.payloads)


def _doubled(ledgers: Ledgers) -> Iterator[str]:
    """At most one committed effect per key, and no step of these missions does the same thing twice on purpose."""
    for key, times in Counter(effect["key"] for effect in ledgers.effects).items():
        if times > 1:
            yield f"doubled: the key {key} has {times} committed effects"
    payloads = Counter((effect["tool"], effect["digest"]) for effect in ledgers.effects)
    for (tool, payload), times in payloads.items():
        if times > 1:
            yield f"doubled: {tool} was committed {times} times with {payload}"


def unasked(ledgers: Ledgers) -> Iterator[str]:
    """Every effect is one that the history asked for, under the key that its place in the mission gives."""
    for effect in ledgers.effects:
        call = _call_of(effect, ledgers.told)
        if call is None:
            yield f"unasked: no call in the history has the key and the payload of the effect {effect['tool']}"
        elif call[1].key != _key(call[1], ledgers.told):
            yield f"unasked: the key of {effect['tool']} is not the one of its step"
        elif effect["key"] not in {attempt["key"] for attempt in ledgers.attempts}:
            yield f"unasked: {effect['tool']} was committed, but nobody called it"


def _key(call: ToolCall, told: Told) -> str:
    what = digest(call.arguments)
    return idempotency_key(told.namespace, told.id, told.first_run, call.path, what, generation=call.generation)


def _call_of(effect: Mapping[str, Any], told: Told) -> tuple[At, ToolCall] | None:
    wanted = (effect["key"], effect["tool"], effect["arguments"])
    return next(((at, call) for at, call in told.calls if (call.key, call.tool, call.arguments) == wanted), None)


def unapproved(ledgers: Ledgers) -> Iterator[str]:
    """Every effect of a tool that needs approval has it, from people who may give it, for exactly this, before it."""
    for effect in ledgers.effects:
        found = _call_of(effect, ledgers.told)
        if found is not None and ledgers.tools[effect["tool"]].needs_approval():
            at, call = found
            names = {name for name in _approvers(call, at, effect, ledgers) if name}
            required = call.grant.subject.required if call.grant else 1
            if len(names) < max(1, required):
                yield f"unapproved: {call.path} ({call.tool}) had {len(names)} of {max(1, required)} approvals"


def _approvers(call: ToolCall, at: At, effect: Mapping[str, Any], ledgers: Ledgers) -> Iterator[str]:
    """Yield who really approved a call before it was asked for."""
    if call.grant is None or not _covers(call, ledgers.told):
        return
    subject = call.grant.subject
    for token in call.grant.tokens:
        claims = _verified(token, ledgers.people)
        if claims is None:
            continue
        person = ledgers.people.people[claims.iss]
        bound = (claims.mission, claims.run, claims.step, claims.nonce, claims.digest, claims.verb)
        wanted = (subject.mission, subject.first_run_id, subject.step, call.grant.nonce, subject.digest(), "approve")
        allowed = claims.iss in subject.approvers or set(person.roles) & set(subject.approvers)
        other = claims.iss.casefold() != ledgers.told.requested_by.casefold()
        if bound == wanted and allowed and other and _ruled(claims, at, effect, ledgers.told):
            yield claims.iss


def _covers(call: ToolCall, told: Told) -> bool:
    """Whether the grant is for this call: its tool and its arguments, or what it undoes."""
    assert call.grant is not None
    subject = call.grant.subject
    if (subject.mission, subject.first_run_id, subject.kind) != (told.id, told.first_run, "approval"):
        return False
    if call.undoes:
        return (subject.tool, subject.compensation, f"{subject.step}/undo") == (call.undoes, call.tool, call.path)
    return (subject.tool, subject.step, subject.arguments) == (call.tool, call.path, call.arguments)


def _verified(token: str, people: PeopleFile) -> Claims | None:
    """Return what a token says if a registered key of its signer signed it."""
    head, body, signature = token.split(".")
    claims = Claims.model_validate_json(_decoded(body))
    for key in people.people[claims.iss].keys if claims.iss in people.people else ():
        try:
            Ed25519PublicKey.from_public_bytes(_decoded(key)).verify(_decoded(signature), f"{head}.{body}".encode())
        except InvalidSignature:
            continue
        return claims
    return None


def _decoded(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _ruled(claims: Claims, at: At, effect: Mapping[str, Any], told: Told) -> bool:
    """Whether the mission accepted the decision, unexpired, before it asked for the effect and before that happened."""
    return any(
        ruling.accepted
        and ruling.jti == claims.jti
        and ruled_at < at
        and ruling.received_at is not None
        and ruling.received_at.timestamp() < claims.exp
        and ruling.received_at <= datetime.fromisoformat(effect["at"])
        for ruled_at, ruling in told.rulings
    )


def _lost(ledgers: Ledgers) -> Iterator[str]:
    """What was acknowledged is in the history once, ruled on once; what is unknown, once or not at all."""
    arrived = Counter(ledgers.told.arrivals)
    rulings = Counter(ruling.jti for _, ruling in ledgers.told.rulings)
    accepted = Counter(ruling.jti for _, ruling in ledgers.told.rulings if ruling.accepted)
    for jti, sends in _by_jti(ledgers.client).items():
        heard = [sent.heard for sent in sends]
        sure = len(heard) - heard.count("unknown")
        times = arrived[sends[0].token]
        if not sure <= times <= len(heard):
            yield f"lost: decision {jti}, acknowledged {sure} times of {len(heard)}, is in the history {times} times"
        if rulings[jti] != times:
            yield f"lost: decision {jti} arrived {times} times and was ruled on {rulings[jti]} times"
        if accepted[jti] > 1:
            yield f"doubled: decision {jti} took effect {accepted[jti]} times"
        if ("accepted" in heard and not accepted[jti]) or (set(heard) == {"refused"} and accepted[jti]):
            yield f"lost: the sender of {jti} heard {', '.join(heard)}, the history accepted it {accepted[jti]} times"


def _by_jti(client: Iterable[Sent]) -> dict[str, list[Sent]]:
    found: dict[str, list[Sent]] = {}
    for sent in client:
        found.setdefault(sent.jti, []).append(sent)
    return found


def _not_undone(ledgers: Ledgers) -> Iterator[str]:
    """A mission that did not complete has undone what it did: once each, afterwards, the last first."""
    told = ledgers.told
    if told.state in {"", "completed"}:
        return
    committed = [found[1] for effect in ledgers.effects if (found := _call_of(effect, told)) is not None]
    done = [call for call in committed if not call.undoes and ledgers.tools[call.tool].compensated_by]
    paths = [call.path for call in committed]
    wanted = [f"{call.path}/undo" for call in reversed(done)]
    undone = [path for path in paths if path in wanted]
    if undone != wanted:
        yield f"not undone: {wanted} was to be undone in this order, committed was {undone}"
    for call in done:
        if f"{call.path}/undo" not in paths[paths.index(call.path) :]:
            yield f"not undone: nothing undid {call.path} after it was done"


def _unended(ledgers: Ledgers) -> Iterator[str]:
    if not ledgers.told.state:
        yield "it has not ended"
