"""Ask policy of a whole mission before its first step: who starts it, and every step of its plan.

Law: what is judged is what the server says was started, and when; not what the mission says of itself. All findings
come at once. `language/questions.py` knows what is asked of a plan, `workflows/mission.py` ends what is not admitted.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from temporalio import activity
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from activities.governance import Governance
from activities.identity import SKEW
from activities.mission_payloads import converter
from activities.people import Directory, Unreadable
from activities.policy import Policy
from activities.signature import why_plan_unsigned
from activities.statement import Refusal, show, unseal_order
from contracts.base import digest
from contracts.mind import Agent
from contracts.order import rest
from contracts.plan import MissionInput
from contracts.policy import ADMIT, Admission, Admitting, Answer, approval_of
from contracts.workspace import PeopleFile
from language.questions import at_its_gate, questions, starting

PATIENCE = timedelta(seconds=10)
MOST_ANSWERS = 400
"""Answers that are kept; those that do not allow come first."""


@dataclass(frozen=True)
class Start:
    """How a mission was started, as the server has it. `raw` is the input as it was sent."""

    id: str
    name: str
    at: datetime
    raw: Mapping[str, Any]
    given: MissionInput
    first_run: str = ""


class Admissions:
    """The activity that a mission begins with."""

    def __init__(
        self,
        client: Client,
        directory: Directory,
        policy: Policy,
        models: Callable[[str, Agent], Iterable[str]],
        required: Sequence[str] = (),
        *,
        governance: Governance | None = None,
    ) -> None:
        self._required = required
        self._governance = governance
        self._client = client
        self._directory = directory
        self._policy = policy
        self._models = models

    @activity.defn(name=ADMIT)
    async def admit(self, asked: Admitting) -> Admission:
        """Return whether the mission may begin."""
        start, version = await self._start(), self._version()
        plan, wrong = start.given.plan, list(_dishonest(start))
        answers: list[Answer] = []
        signed = False
        try:
            wrong += filter(None, [why_plan_unsigned(self._required, plan, self._directory.people())])
        except Unreadable as no:
            wrong.append(f"no signature can be checked: {no}")
        if not await self._is_child(start):
            try:
                signed = ordered(start, self._directory.people()) and await self._first_use(start)
            except (Refusal, Unreadable) as no:
                wrong.append(f"the order to start it does not count: {no}")
            answers.append(self._policy.ask(starting(plan, start.given.requested_by, signed=signed)))
        answers += [at_its_gate(one, self._policy.ask(one)) for one in questions(plan, self._models)]
        found = admission(answers, wrong, signed=signed, heeds=asked.heeds)
        return found.model_copy(update={"governance": version})

    def _version(self) -> str:
        """Return the version of the rules in force; empty where nobody can say."""
        try:
            return self._governance.version() if self._governance is not None else ""
        except Unreadable:
            return ""

    async def _first_use(self, start: Start) -> bool:
        """Refuse an order on which another mission began before, under the id that it names. Raises `Refusal`."""
        quoted = start.id.replace("'", "''")
        async for run in self._client.list_workflows(f"WorkflowId = '{quoted}'", rpc_timeout=PATIENCE):
            if run.start_time < start.at and await self._began_on(start, run.run_id):
                raise Refusal("a mission was started on it before, and it is good for one")
        return True

    async def _began_on(self, start: Start, run: str) -> bool:
        try:
            other = await self._start(run)
        except RPCError as error:
            if error.status == RPCStatusCode.NOT_FOUND:
                return False
            raise
        except (ValueError, TypeError):
            # What cannot be read as a mission has not begun as one.
            return False
        return other.first_run != start.first_run and other.given.order == start.given.order

    async def _start(self, run: str = "") -> Start:
        """Return how a run was started, by default the one that asks."""
        info = activity.info()
        handle = self._client.get_workflow_handle(info.workflow_id or "", run_id=run or info.workflow_run_id)
        event = await anext(handle.fetch_history_events(page_size=1, rpc_timeout=PATIENCE))
        facts = event.workflow_execution_started_event_attributes
        own = converter(self._client, info.workflow_id or "")
        [raw] = await own.decode(facts.input.payloads, [dict])
        [given] = await own.decode(facts.input.payloads, [MissionInput])
        at = event.event_time.ToDatetime(tzinfo=UTC)
        first = facts.first_execution_run_id
        return Start(info.workflow_id or "", facts.workflow_type.name, at, raw, given, first)

    async def _is_child(self, start: Start) -> bool:
        """Whether another mission started this one: that the server knows, whatever its input says."""
        if start.given.parent is None:
            return False
        handle = self._client.get_workflow_handle(start.id, run_id=activity.info().workflow_run_id)
        found = (await handle.describe(rpc_timeout=PATIENCE)).raw_description.workflow_execution_info
        return bool(found.parent_execution.workflow_id == start.given.parent.id)


def ordered(start: Start, people: PeopleFile) -> bool:
    """Whether who is said to have requested a mission has signed for it. Raises `Refusal` for an order that is bad."""
    if not start.given.order:
        return False
    claims = unseal_order(start.given.order, people)
    if claims.iss != start.given.requested_by:
        raise Refusal(
            f"it is by {claims.iss}, and the mission says it is requested by {show(start.given.requested_by)}"
        )
    began = start.at.timestamp()
    if claims.iat > began + SKEW.total_seconds() or claims.exp <= began:
        raise Refusal("it was given for another time")
    plan, inputs = start.raw.get("plan"), start.raw.get("inputs", {})
    bound = {
        "id": (claims.mission, start.id),
        "plan": (claims.plan, plan.get("digest") if isinstance(plan, dict) else ""),
        "inputs": (claims.inputs, digest(inputs)),
        "beginning": (claims.more, rest(dict(start.raw))),
    }
    for what, (signed, is_) in bound.items():
        if signed != is_:
            raise Refusal(f"it is for another {what}")
    return True


def _dishonest(start: Start) -> Iterator[str]:
    """Yield what a start says of itself that is not so."""
    name = start.given.plan.definition.mission
    if name != start.name:
        yield f"the plan is of {show(name)}, and {show(start.name)} was started"
    for member in _family(start.raw.get("plan")):
        if digest({**member, "digest": ""}) != member.get("digest"):
            yield f"the digest of the plan of {show(member.get('definition', {}).get('mission'))} is not what it holds"


def _family(plan: Any) -> Iterator[Mapping[str, Any]]:
    """Yield a plan as it was sent, and those of the missions that it starts."""
    if isinstance(plan, dict):
        yield plan
        for child in plan.get("missions", {}).values():
            yield from _family(child)


def admission(
    answers: Iterable[Answer], wrong: Iterable[str] = (), *, signed: bool = False, heeds: bool = False
) -> Admission:
    """Return what answers come to: nothing begins that one of them does not allow, or people do not approve."""
    asked = sorted(answers, key=Answer.allowed)
    findings = (*wrong, *(f"{one.at}: {one}" if one.at else str(one) for one in asked if not one.allowed()))
    kept = tuple(one.model_copy(update={"version": ""}) for one in asked[:MOST_ANSWERS])
    version = asked[0].version if asked else ""
    unmet = [one for one in asked if not one.allowed()]
    people = not wrong and unmet and all(one.outcome == "needs approval" for one in unmet)
    people = people and (heeds or all(one.verb == "start" for one in unmet))
    approval = approval_of(unmet) if people else {}
    told: dict[str, Any] = {
        "approval": approval,
        "answers": kept,
        "asked": len(asked),
        "findings": findings,
        "version": version,
    }
    return Admission(admitted=not findings, signed=signed, **told)
