"""One mission as a test drives it: started, decided on, looked at; and the client's own ledger of what it sent.

The other ledgers are the company's and the server's histories; `proof/` compares them.
"""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

from temporalio.api.enums.v1 import EventType, PendingActivityState, PendingWorkflowTaskState
from temporalio.client import Client, WorkflowExecutionStatus, WorkflowHistory
from temporalio.service import RPCError

from activities import keys, service_keys
from contracts.decision import DECIDE, Opening, Receipt, Verb
from contracts.view import MissionView
from contracts.workspace import MISSION_QUEUE
from language.workspace import load_workspace
from proof.check import commit, everything
from proof.folder import keep
from proof.ledgers import Ledgers, Sent, read
from runtime.settings import Settings
from starter.launch import launch, prepare
from starter.launch import signed as ordered
from starter.problem import Problem
from starter.record import read as read_record
from starter.record import signed
from starter.sign import Wish
from starter.sign import prepare as claims_for
from starter.state import read_gates, read_receipt, read_state
from tests.payloads import DATA_CONVERTER
from tests.system.ground import SHIPPED, Grounds, Place, alert
from tests.system.hands import until

REQUESTER = "noor"
ANSWER = timedelta(seconds=30)


@dataclass(frozen=True)
class Task:
    """What waits for a worker: a workflow task, or the activity of a step. `taken`: some worker has it."""

    queue: str
    path: str = ""
    taken: bool = False
    attempt: int = field(default=1, compare=False)


@dataclass
class Case:
    """A mission at a place. `sent` is what this client knows of its own commands."""

    place: Place
    client: Client
    id: str
    run: str = ""
    sent: list[Sent] = field(default_factory=list)

    async def start(self, name: str = "beaconing_workstation") -> None:
        settings = Settings(workspace=self.place.workspace, home=self.place.home)
        order = prepare(settings, self.place.people(), "incident_triage", alert(name), REQUESTER)
        self.run = (await launch(self.client, ordered(self.place.home, order, self.id), self.id)).run

    async def tasks(self) -> list[Task]:
        """Return the tasks that are open now, as the server sees them."""
        raw = (await self._describe()).raw_description
        found = []
        if raw.HasField("pending_workflow_task"):
            started = PendingWorkflowTaskState.PENDING_WORKFLOW_TASK_STATE_STARTED
            task = raw.pending_workflow_task
            found.append(Task(MISSION_QUEUE, taken=task.state == started, attempt=task.attempt))
        for pending in raw.pending_activities:
            taken = pending.state == PendingActivityState.PENDING_ACTIVITY_STATE_STARTED
            queue = pending.activity_options.task_queue.name
            found.append(Task(queue, pending.activity_id, taken, pending.attempt))
        return found

    async def until_task(self, queue: str, path: str = "", *, taken: bool = False) -> None:
        """Wait until exactly this task is open.

        A worker that does nothing with a task has it only for the task's timeout, which is shorter than a busy machine
        may look away: a further attempt tells that it was taken, too.
        """
        wanted = [Task(queue, path, taken)]
        seen: list[list[Task]] = []

        async def open_now() -> bool:
            seen.append(await self.tasks())
            return wanted in (seen[-1], [replace(task, taken=task.taken or task.attempt > 1) for task in seen[-1]])

        try:
            await until(open_now, f"{wanted} is open in {self.id}")
        except AssertionError as late:
            raise AssertionError(f"{late}: {seen[-3:]}, {await self._last()}") from None

    async def _last(self, most: int = 12) -> list[str]:
        """Return the last events of its history, for whoever asks why it stands."""
        events = (await self.histories())[-1].events[-most:]
        return [f"{event.event_id} {EventType.Name(event.event_type).removeprefix('EVENT_TYPE_')}" for event in events]

    async def until_settled(self, queue: str, path: str = "") -> None:
        """Wait until this task is open no longer."""

        async def settled() -> bool:
            return (queue, path) not in [(task.queue, task.path) for task in await self.tasks()]

        await until(settled, f"{path or 'the workflow task'} is settled in {self.id}")

    async def until_clear(self, queue: str) -> None:
        """Wait until nothing of this mission is open on a queue."""

        async def clear() -> bool:
            return queue not in [task.queue for task in await self.tasks()]

        await until(clear, f"{queue} has nothing of {self.id} to do")

    async def ended(self) -> bool:
        return (await self._describe()).status != WorkflowExecutionStatus.RUNNING

    async def end(self, patience: float = 60) -> None:
        await until(self.ended, f"{self.id} has ended", patience=patience)

    async def opening(self) -> Opening:
        """Wait until a gate is open and return it. Needs a worker.

        A mission that is asked runs ahead on what its history holds. Until the task that does so is done nothing stays
        of it when its worker dies, and a decision that came then would come before its gate.
        """
        opening = (await until(self._openings, f"a gate opens in {self.id}"))[0]
        await self.until_clear(MISSION_QUEUE)
        return opening

    async def view(self) -> MissionView:
        """Return how the mission stands, as the operator sees it. Needs a worker."""
        return await read_state(self.client, self.id, patience=ANSWER)

    def sign(self, opening: Opening, person: str = "ines", verb: Verb = "approve") -> tuple[str, str]:
        """Sign a decision with a person's real key; return its id and its token."""
        claims = claims_for(opening, Wish(verb, f"{person} says {verb}"), person)
        return claims.jti, keys.sign(self.place.home, person, claims)

    async def signal(self, signed: tuple[str, str]) -> bool:
        """Send a decision as a signal; return whether it was acknowledged."""
        jti, token = signed
        handle = self.client.get_workflow_handle(self.id)
        try:
            await handle.signal(DECIDE, token, rpc_timeout=timedelta(seconds=5))
        except RPCError:
            self.sent.append(Sent(jti, token, "unknown"))
            return False
        self.sent.append(Sent(jti, token, "acknowledged"))
        return True

    async def decide(self, signed: tuple[str, str]) -> Receipt | None:
        """Send a decision and wait for its receipt; None when nobody knows yet what became of it."""
        jti, token = signed
        if not await self.signal(signed):
            return None
        try:
            receipt = await read_receipt(self.client, self.id, token, ANSWER)
        except (Problem, RPCError):
            return None
        if receipt is not None:
            heard = Sent(jti, token, "accepted" if receipt.accepted else "refused")
            self.sent[[sent.jti for sent in self.sent].index(jti)] = heard
        return receipt

    async def histories(self) -> list[WorkflowHistory]:
        """Return the histories of all runs, the first first."""
        found: list[WorkflowHistory] = []
        run: str | None = (await self._describe()).run_id
        while run:
            history = await self.client.get_workflow_handle(self.id, run_id=run).fetch_history()
            found.insert(0, history)
            run = history.events[0].workflow_execution_started_event_attributes.continued_execution_run_id
        return found

    async def _describe(self) -> Any:
        return await self.client.get_workflow_handle(self.id).describe(rpc_timeout=timedelta(seconds=10))

    async def _openings(self) -> list[Opening]:
        return await read_gates(self.client, self.id, ANSWER)

    async def audit(self) -> "Account":
        """Close the books: what every ledger says of this mission, and which laws they break."""
        histories = await self.histories()
        book = await read_record(self.client, self.id)
        ledgers = Ledgers(
            client=tuple(self.sent),
            effects=tuple(await self.place.company.effects(self.id)),
            attempts=tuple(await self.place.company.attempts(self.id)),
            told=read(histories, self.place.namespace),
            people=self.place.people(),
            tools=load_workspace(SHIPPED).tools,
            governed=True,
            audit=tuple(entry.model_dump(mode="json") for entry in book.entries),
            record=b"".join(book.lines(signed(book.head, service_keys.private(self.place.home, "recorder")))),
            recorders=service_keys.public(self.place.home)["recorder"],
        )
        found = await everything(ledgers, histories, DATA_CONVERTER)
        kept = f"; its ledgers lie in {keep(ledgers, histories, self.place.folder)}" if found else ""
        return Account(self, ledgers, histories, found, kept)


@dataclass(frozen=True, repr=False)
class Account:
    """What became of a mission. Its representation is a line for whoever reads a failed test."""

    case: Case
    ledgers: Ledgers
    histories: list[WorkflowHistory]
    breaches: list[str]
    kept: str = ""

    def __repr__(self) -> str:
        logs = f"whose programs wrote their logs into {self.case.place.folder}"
        return f"{self.case.id} at commit {commit()}, {logs}{self.kept}"

    def done(self) -> list[str]:
        """Return the tools that the world saw, in order."""
        return [effect["tool"] for effect in self.ledgers.effects]

    def calls(self, tool: str) -> list[str]:
        """Return how each call of a tool ended, at the company."""
        return [attempt["outcome"] for attempt in self.ledgers.attempts if attempt["tool"] == tool]


async def ending(case: Case) -> dict[str, Any]:
    """Return how a mission ended, in words that are the same for two missions that ended the same. Needs a worker."""
    view = await case.view()
    undone = {record.path: record.effect.undo_status for record in view.records if record.effect is not None}
    effects = [(effect["tool"], effect["arguments"]) for effect in await case.place.company.effects(case.id)]
    told = {
        "state": view.state,
        "verdict": view.verdict,
        "reason": view.reason,
        "steps": [(record.path, record.status, record.attempt, record.order) for record in view.records],
        "undone": undone,
        "effects": effects,
    }
    return json.loads(json.dumps(told).replace(case.id, "THIS CASE"))


@asynccontextmanager
async def case_at(grounds: Grounds, **options: bool) -> AsyncIterator[Case]:
    """Open a case at a place of its own, which ends with it."""
    async with grounds.place(**options) as place:
        yield Case(place, await place.client(), f"case-{place.folder.name}")
