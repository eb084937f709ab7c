"""Many missions side by side in one house, each held where a test wants it, and a book of what each did to the world.

Whoever drives a mission releases it, answers its gates, opens its dead letters and resumes it, until it is over.
"""

import asyncio
from collections import defaultdict
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from temporalio.client import WorkflowFailureError
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError
from temporalio.worker import Replayer

from contracts.call import AgentCall, ToolCall
from contracts.decision import Opening
from contracts.view import MissionView
from tests.payloads import DATA_CONVERTER
from tests.workflows.house import Activities, Started
from workflows.halts import Halts
from workflows.locks import Locks
from workflows.mission import Mission
from workflows.runner import runner

PATIENCE = 90
ENDED = {"completed", "refused", "aborted", "failed", "cancelled"}
PEOPLE = {"lead": ("lea", "lou"), "chief": ("cleo",)}


def named(path: str) -> str:
    """Return a step's name, whatever round, item or attempt it is in."""
    return path.rpartition("/")[2].partition("[")[0].partition("#")[0]


@dataclass
class Stage:
    """What all missions of a house have in common: what is held, what fails, and what was done."""

    free: dict[str, asyncio.Event] = field(default_factory=lambda: defaultdict(asyncio.Event))
    begun: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    """By mission: what reached an agent or a tool, with what it is: path, key."""
    done: dict[str, list[ToolCall]] = field(default_factory=lambda: defaultdict(list))
    """By mission: the calls that were committed, each key once."""
    asked: dict[str, list[AgentCall]] = field(default_factory=lambda: defaultdict(list))

    def activities(self) -> Activities:
        agents = {"ann": self.held, "ben": self.sick, "cid": self.work}
        tools = dict.fromkeys(("file", "unfile", "isolate", "release"), self.act)
        return Activities(agents=agents, tools=tools)

    def root(self, mission: str) -> str:
        return mission.partition("/")[0]

    async def held(self, call: AgentCall) -> dict[str, Any]:
        """Work until the mission is released."""
        self._note(call)
        await self.free[self.root(call.mission)].wait()
        return {"n": 1}

    async def sick(self, call: AgentCall) -> Any:
        """Fail until the mission is released."""
        self._note(call)
        if self.free[self.root(call.mission)].is_set():
            return {"n": 1}
        return ApplicationError("it would not", {"applied": "no"}, type="refused", non_retryable=True)

    async def work(self, call: AgentCall) -> dict[str, Any]:
        self._note(call)
        return {"n": 1}

    async def act(self, call: ToolCall) -> Any:
        """Act; what is `slow` reports once the mission is released, what is `shy` is not there before."""
        mission, arguments = self.root(call.mission), call.arguments
        self.begun[mission].append(call.path)
        if arguments.get("shy") and not call.undoes and not self.free[mission].is_set():
            return ApplicationError("not yet", {"applied": "no"}, type="unavailable")
        if call.key not in {one.key for one in self.done[mission]}:
            self.done[mission].append(call)
        if arguments.get("slow") and call.undoes:
            await self.free[mission].wait()
        return {}

    def _note(self, call: AgentCall) -> None:
        mission = self.root(call.mission)
        self.begun[mission].append(call.path)
        self.asked[mission].append(call)

    def world(self, mission: str) -> str:
        """Return what was done in words: `+1` for what a step did, `-1` for what undid it."""
        return " ".join(f"{'-' if one.undoes else '+'}{one.arguments.get('n')}" for one in self.done[mission])


async def drive(started: Started) -> MissionView:
    """Take a mission to its end, as people would who say yes to everything."""
    async with asyncio.timeout(PATIENCE):
        while (view := await started.state()).state not in ENDED:
            if view.paused is not None:
                await started.command("resume")
            elif view.letter is not None:
                await started.command("retry", view.letter.failure.step)
            with suppress(RPCError):
                # What one of them settles may be the end of the mission.
                for opening in await started.gates() if view.waiting else ():
                    await agree(started, opening)
            await asyncio.sleep(0.3)
        with suppress(WorkflowFailureError):
            await started.handle.result()
        return await started.state()


async def agree(started: Started, opening: Opening) -> None:
    """Have everybody who is asked approve, one after the other."""
    for person in [one for role in opening.subject.approvers for one in PEOPLE[role]][: opening.subject.required]:
        await started.decide(opening, person)


async def replay(started: Started) -> None:
    """Replay the last run of a mission; those before it, and its children, with it."""
    replayer = Replayer(workflows=[Mission, Locks, Halts], workflow_runner=runner(), data_converter=DATA_CONVERTER)
    handle = started.handle
    run = None
    while True:
        history = await started.house.client.get_workflow_handle(handle.id, run_id=run).fetch_history()
        await replayer.replay_workflow(history)
        run = history.events[0].workflow_execution_started_event_attributes.continued_execution_run_id
        if not run:
            return
