"""A shipped mission on a real server: its real agents, the real company as a program, people with keys of their own.

    async with live_missions(client, home, company.url) as live:
        started = await live.start("incident_triage", load_input("incident_triage", "alerts/large_upload.json"))
        await started.decide(await started.gate("review"), "salma")
        result = await started.result()

What runs is what `worker.py` puts together; only the queues have names of their own, so that nobody else's missions
are taken up. The fixtures are in `conftest.py`.
"""

import json
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from temporalio.client import Client
from temporalio.worker import Worker
from triage_desk import MISSIONS

import worker
from activities import keys, service_keys
from activities.halts import Lookout
from activities.locks import Locksmith
from contracts.channel import NotifyFile
from contracts.decision import Opening
from contracts.plan import CURRENT, Limits, MissionInput, MissionResult
from contracts.workspace import PeopleFile, Server, Workspace
from language.freeze import freeze
from language.loader import load_mission
from language.workspace import load_workspace
from runtime.duties import Duties
from runtime.settings import Settings
from starter.launch import signed
from tests.cache import CACHE
from tests.workflows.house import Activities, House, Started
from workflows.halts import Halts
from workflows.locks import Locks
from workflows.mission import Mission
from workflows.runner import WholeTasks

REQUESTER = "noor"


def load_input(mission: str, file: str) -> dict[str, Any]:
    """Read one of a mission's sample inputs."""
    given: dict[str, Any] = json.loads((MISSIONS / mission / file).read_text())
    return given


def people_with_keys(home: Path) -> Path:
    """Give everybody of the shipped workspace a key, and return the home where the keys lie."""
    for name in load_workspace(MISSIONS).people.people:
        keys.create(home, name)
    service_keys.make(home, "broker")
    service_keys.make(home, "executor")
    return home


class Running(Started):
    """A shipped mission that runs. Its people decide with `decide`, whose tokens their own keys sign."""

    async def gate(self, step: str) -> Opening:
        """Wait until a step asks people, and return what it asks. `step` is its path, or the end of it."""

        def asked(openings: tuple[Opening, ...]) -> list[Opening]:
            return [one for one in openings if f"/{one.subject.step}".endswith(f"/{step}")]

        await self.until(lambda openings: bool(asked(openings)))
        return asked(await self.gates())[0]

    async def answer(self, step: str, person: str, verb: str = "approve", comment: str = "") -> None:
        """Wait until a step asks, and let a person answer; a decision that is refused fails the test."""
        said = {"comment": comment} if comment else {}
        receipt = await self.decide(await self.gate(step), person, verb, **said)
        assert receipt.accepted, receipt.reason

    async def output(self, step: str) -> Any:
        """Return what a step came to, by its path or the end of it; of several rounds the last."""
        records = [one for one in (await self.state()).records if f"/{one.path}".endswith(f"/{step}")]
        return records[-1].output


@dataclass
class LiveMissions:
    """Starts missions of the shipped workspace on a queue of its own."""

    house: House
    workspace: Workspace
    company: str

    async def start(
        self, mission: str, inputs: dict[str, Any], requested_by: str = REQUESTER, limits: Limits | None = None
    ) -> Running:
        definition = load_mission(MISSIONS / mission / "mission.yaml", self.workspace)
        plan = freeze(definition, self.workspace)
        lowered = limits.model_dump(exclude_unset=True) if limits else {}
        bounds = CURRENT.model_copy(update=lowered)
        argument = MissionInput(plan=plan, inputs=inputs, requested_by=requested_by, limits=bounds)
        chosen = f"{mission}-{uuid.uuid4().hex[:12]}"
        handle = await self.house.client.start_workflow(
            mission,
            signed(self.house.home, argument, chosen),
            id=chosen,
            task_queue=self.house.queue,
            result_type=MissionResult,
        )
        return Running(self.house, handle)

    async def effects(self, running: Running) -> list[dict[str, Any]]:
        """Return every effect of a mission that the company really saw, in order."""
        return await self._seen("effects", lambda one: one["arguments"].get("case") == running.handle.id)

    async def break_tool(self, tool: str, mode: str = "fail", **more: Any) -> None:
        """Order a fault of the company, as its back door takes it."""
        async with httpx.AsyncClient(base_url=self.company.removesuffix("/mcp")) as http:
            (await http.post("/faults", json={"tool": tool, "mode": mode, **more})).raise_for_status()

    async def mend(self) -> None:
        """Take every fault back."""
        async with httpx.AsyncClient(base_url=self.company.removesuffix("/mcp")) as http:
            (await http.delete("/faults")).raise_for_status()

    async def _seen(self, what: str, mine: Callable[[dict[str, Any]], bool]) -> list[dict[str, Any]]:
        async with httpx.AsyncClient(base_url=self.company.removesuffix("/mcp"), timeout=30) as http:
            rows: list[dict[str, Any]] = (await http.get(f"/{what}")).raise_for_status().json()[what]
        return [row for row in rows if mine(row)]


def moved_workspace(people: PeopleFile, company: str, queue: str) -> Workspace:
    """Return the shipped workspace with the company at this address and everything on one queue."""
    shipped = load_workspace(MISSIONS, people)
    return shipped.model_copy(
        update={
            "servers": dict.fromkeys(shipped.servers, Server(url=company, credential="step")),
            "agents": {name: one.model_copy(update={"queue": queue}) for name, one in shipped.agents.items()},
            "tools": {name: one.model_copy(update={"queue": queue}) for name, one in shipped.tools.items()},
        }
    )


@asynccontextmanager
async def live_missions(
    client: Client, home: Path, company: str, notify: NotifyFile | None = None, model_url: str = ""
) -> AsyncIterator[LiveMissions]:
    """Serve the shipped missions, their agents and their tools, with the people whose keys lie in `home`.

    With a `model_url`, a language model that is found there plays the agents.
    """
    queue = f"live-{uuid.uuid4().hex[:12]}"
    workspace = moved_workspace(keys.registered(home), company, queue)
    workspace = workspace.model_copy(update={"notify": notify or workspace.notify})
    settings = Settings(workspace=MISSIONS, home=home, model="any" if model_url else "", model_url=model_url)
    locksmith = Locksmith(client, id=f"locks-{queue}", queue=queue)
    lookout = Lookout(client, id=f"halts-{queue}", fresh=0.0)
    duties = Duties(client, settings, workspace, [queue], locksmith=locksmith, lookout=lookout, keeps_books=False)
    try:
        async with Worker(
            client,
            task_queue=queue,
            workflows=[Mission, Locks, Halts],
            activities=[*duties.orchestrating(), *duties.on(queue)],
            plugins=[WholeTasks()],
            **worker.PULSE,
            **CACHE,
        ):
            yield LiveMissions(House(client, home, Activities(), queue), workspace, company)
    finally:
        await duties.close()
