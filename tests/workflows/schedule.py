"""One random schedule over a small mission: decisions, commands, silence, failures, and crashes that others bring.

Everything is drawn from a seed, so that a schedule that breaks a law can be played again. The laws are in
`test_schedules.py`; the world keeps its own book, and so does whoever sends.
"""

import asyncio
import random
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from temporalio import activity
from temporalio.client import Client, WorkflowFailureError
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError

from activities.authority import Authority
from activities.lineage import ServerLineage
from activities.people import Directory
from activities.statement import Refusal
from contracts.call import EXECUTE_ACTION, RUN_AGENT, AgentCall, AgentResult, ToolCall, ToolResult
from contracts.decision import Opening, Receipt
from contracts.plan import Limits
from contracts.view import MissionView
from contracts.workspace import Tool
from starter.problem import Refused
from starter.state import read_receipt
from tests.interpreter.fakes import TOOLS
from tests.policies import OPEN
from tests.workflows import lawful
from tests.workflows.house import Activities, House, Started, broken

CONTRACTS = {**TOOLS, "release": TOOLS["release"].model_copy(update={"autonomy": "approval"})}
"""This worker's own: here even the compensation needs people's word."""
ENDED = {"completed", "refused", "aborted", "failed", "cancelled"}
PATIENCE = 240
PATHS = ("one", "both", "both/left", "both/right", "again", "again[1]/work", "again[1]/did", "again[2]/did", "last")


def approved(name: str, quorum: int, timeout: str) -> dict[str, Any]:
    gate = {"approvers": ["lead"], "required": quorum, "timeout": timeout, "on_timeout": "refuse"}
    host = {"with": {"host": name}, "compensate": {"tool": "release"}}
    return {"kind": "action", "step": name, "action": "isolate", **host, "approval": gate}


def act(name: str, host: str) -> dict[str, Any]:
    undo = {"compensate": {"tool": "unfile"}, "retry": {"attempts": 2, "first": "50ms"}}
    return {"kind": "action", "step": name, "action": "file", "with": {"host": host}, **undo}


def agent(name: str) -> dict[str, Any]:
    retry = {"attempts": 4, "first": "50ms", "factor": 1.0}
    return {"kind": "agent", "step": name, "agent": "ann", "task": name, "retry": retry}


def mission(order: random.Random) -> dict[str, Any]:
    """Return a mission with approvals and compensations, a parallel, a loop and a dead letter."""
    patience = order.choice(["1s", "1h", "1h", "1h"])
    loop = {"do": [agent("work"), act("did", "did-${{ iteration }}")], "until": "iteration == 2", "max_iterations": 3}
    return {
        "steps": [
            approved("one", 2, patience),
            {"kind": "parallel", "step": "both", "parallel": [act("left", "left"), agent("right")]},
            {"kind": "loop", "step": "again", "loop": {**loop, "on_max": "abort"}},
            approved("last", 1, "1h"),
        ],
        "dead_letter": {"timeout": order.choice(["1s", "1h", "1h"])},
        "limits": Limits(events_per_run=order.choice([16, 40, 400])),
    }


HEARD = 20
"""Seconds for a receipt; a mission that ended meanwhile may have none."""
A_LOOK = timedelta(seconds=0.05)


@dataclass
class World(Activities):
    """The fakes behind the executor's real check; what they come to is drawn, and the world keeps its own book."""

    authority: Authority | None = None
    orders: dict[str, random.Random] = field(default_factory=dict)
    calm: set[str] = field(default_factory=set)
    """Missions in which nothing fails any more."""
    contracts: Mapping[str, Tool] = field(default_factory=lambda: CONTRACTS)
    book: dict[str, list[tuple[ToolCall, str]]] = field(default_factory=lambda: defaultdict(list))
    """By mission: the calls that were committed, each key once, and when."""

    @activity.defn(name=RUN_AGENT)
    async def run(self, call: AgentCall) -> AgentResult:
        luck = await self._luck(call.mission)
        if luck < 0.15:
            raise broken("refused", "no")
        return AgentResult(output={"n": 1})

    @activity.defn(name=EXECUTE_ACTION)
    async def execute(self, call: ToolCall) -> ToolResult:
        assert self.authority is not None
        try:
            await self.authority.check(call)
        except Refusal as refusal:
            raise broken("refused", "no") from refusal
        luck = await self._luck(call.mission)
        if luck < 0.1:
            raise ApplicationError("not now", {"applied": "no"}, type="unavailable")
        if call.key not in {known.key for known, _ in self.book[call.mission]}:
            self.book[call.mission].append((call, datetime.now(UTC).isoformat()))
            lawful.commit(call)
        if luck < 0.2:
            raise broken("tool_failed", "unknown")
        return ToolResult(output={})

    async def _luck(self, mission: str) -> float:
        order = self.orders.setdefault(mission, random.Random(mission))
        await asyncio.sleep(order.random() * 0.1)
        luck = order.random()
        return 1.0 if mission in self.calm else luck


def world(client: Client, home: Path) -> World:
    return World(authority=Authority(CONTRACTS, Directory(home / "people.yaml"), ServerLineage(client), policy=OPEN))


@dataclass
class Play:
    """One schedule: the mission, what was sent to it, and what its senders heard."""

    seed: int
    started: Started
    order: random.Random
    sent: list[tuple[str, str]] = field(default_factory=list)
    """Token, and the verb in it."""
    heard: dict[str, Receipt] = field(default_factory=dict)

    @property
    def world(self) -> World:
        found = self.started.house.activities
        assert isinstance(found, World)
        return found

    async def run(self) -> MissionView:
        """Play the schedule, then say yes to everything until the mission is over."""
        async with asyncio.timeout(PATIENCE):
            for event in self._events():
                if (await self._look()).state in ENDED:
                    break
                with suppress(RPCError, Refused):
                    # Over meanwhile: then there is nobody to hear it.
                    await self._happens(event)
            self.world.calm.add(self.started.handle.id)
            return await self._finish()

    def _events(self) -> Iterator[str]:
        choices = ("decide",) * 8 + ("command",) * 6 + ("twice", "silence", "silence", "cancel")
        for _ in range(self.order.randint(4, 14)):
            yield self.order.choice(choices)

    async def _happens(self, event: str) -> None:
        match event:
            case "decide":
                openings = await self.started.gates()
                if openings:
                    await self._decide(self.order.choice(openings))
            case "command":
                await self._send(self._command())
            case "twice" if self.sent:
                await self._send(self.order.choice(self.sent))
            case "cancel" if self.order.random() < 0.2:
                await self.started.handle.cancel()
            case _:
                await asyncio.sleep(self.order.random())

    async def _decide(self, opening: Opening) -> None:
        if opening.subject.kind == "compensation":
            verb, person = "approve", "cleo"
        else:
            verb = self.order.choice(["approve"] * 8 + ["reject"])
            person = self.order.choice(["lea", "lou", "lea", "lou", "cleo", "eve", "rita"])
        await self._send((self.started.token(opening, person, verb), verb))

    def _command(self) -> tuple[str, str]:
        verbs = ["pause", "resume", "skip", "retry", "redirect", "rollback", "amend", "note", "interrupt", "escalate"]
        verb = "abort" if self.order.random() < 0.03 else self.order.choice([*verbs, "retry", "rollback", "resume"])
        step = "" if verb in {"pause", "resume", "amend", "abort"} else self.order.choice(PATHS)
        changes = {"name": "x", "value": 1} if verb == "amend" else None
        if verb == "pause" and self.order.random() < 0.5:
            changes = {"interrupt": True}
        person = "cleo" if self.order.random() < 0.9 else "lea"
        return self.started.order(verb, step, person, changes=changes), verb

    async def _send(self, what: tuple[str, str]) -> None:
        token, _ = what
        with suppress(RPCError):
            await self.started.handle.signal("decide", token)
            self.sent.append(what)
        if self.order.random() < 0.5:
            await self._hear(token)

    async def _hear(self, token: str) -> None:
        receipt = None
        with suppress(RPCError, Refused, TimeoutError):
            async with asyncio.timeout(HEARD):
                while receipt is None:
                    receipt = await read_receipt(self.started.house.client, self.started.handle.id, token, A_LOOK)
        if receipt is not None:
            self.heard[token] = receipt

    async def _finish(self) -> MissionView:
        while (view := await self._look()).state not in ENDED:
            with suppress(RPCError, Refused):
                await self._go_on(view)
            await asyncio.sleep(0.5)
        with suppress(WorkflowFailureError):
            await self.started.handle.result()
        return await self._look()

    async def _look(self) -> MissionView:
        """Return how it stands, once there is a worker that can say."""
        while True:
            with suppress(RPCError, Refused):
                return await self.started.state()
            await asyncio.sleep(0.1)

    async def _go_on(self, view: MissionView) -> None:
        if view.paused is not None:
            await self._send((self.started.order("resume"), "resume"))
        elif view.letter is not None:
            await self._send((self.started.order("retry", view.letter.failure.step), "retry"))
        for opening in await self.started.gates() if view.waiting else ():
            voted = {vote.person for vote in opening.votes}
            able = {"lead": ("lea", "lou"), "chief": ("cleo",)}[opening.subject.approvers[0]]
            for person in [one for one in able if one not in voted][: opening.subject.required]:
                await self._send((self.started.token(opening, person), "approve"))


async def begin(h: House, seed: int) -> Play:
    """Start the mission of a seed."""
    order = random.Random(seed)
    started = await h.start(**mission(order))
    return Play(seed, started, order)
