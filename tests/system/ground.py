"""Where a mission meets its server, its company, its workers and its people: all real, all killable.

A `Place` has a company, and a namespace with queues and workers of its own: what is done to them disturbs nobody else.
Places share a server, but for those that kill it.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import yaml
from temporalio.client import Client, Interceptor, OutboundInterceptor, StartWorkflowInput

from activities import keys, service_keys
from activities.people import Directory
from contracts.workspace import PeopleFile
from language.workspace import load_workspace
from starter.server import DevServer
from tests.payloads import DATA_CONVERTER
from tests.system.hands import ROOT, Hand, Nursery, clean_environ, until

SHIPPED = ROOT / "missions"
TICKETS = "secops-tickets"
NAMESPACES = [f"place-{number}" for number in range(1, 41)]
PROVIDED = ("dead_letter:", "on_failure:")
TASK_TIMEOUT = timedelta(seconds=2)
"""How long the server waits for a worker that took a mission's task and says nothing more. Its own default is 10 s."""


class _Hasty(Interceptor):
    """Starts missions with a short task timeout, so that a worker's death in a task costs seconds less."""

    def intercept_client(self, next: OutboundInterceptor) -> OutboundInterceptor:  # noqa: A002 (the SDK's name)
        class Outbound(OutboundInterceptor):
            async def start_workflow(self, input: StartWorkflowInput) -> Any:  # noqa: A002
                input.task_timeout = TASK_TIMEOUT
                return await super().start_workflow(input)

        return Outbound(next)


async def connect(address: str, namespace: str = "default") -> Client:
    return await Client.connect(address, namespace=namespace, data_converter=DATA_CONVERTER, interceptors=[_Hasty()])


def people_at(home: Path) -> Path:
    """Give everybody of the shipped workspace a key of their own, and return the home where the keys lie."""
    for name in load_workspace(SHIPPED).people.people:
        keys.create(home, name)
    service_keys.make(home, "broker")
    service_keys.make(home, "recorder")
    return home


def workspace_with(folder: Path, **queues: str) -> Path:
    """Copy the shipped workspace, with other queues for some tools: what a team does that serves its own tools.

    Its missions provide for no failure and wait for no operator: these tests are about what is undone then, and when.
    """
    folder.mkdir()
    for file in (*SHIPPED.glob("*.yaml"), *SHIPPED.glob("*/mission.yaml"), *(SHIPPED / "policies").iterdir()):
        target = folder / file.relative_to(SHIPPED)
        target.parent.mkdir(exist_ok=True)
        lines = file.read_text().splitlines(keepends=True)
        target.write_text("".join(line for line in lines if not line.strip().startswith(PROVIDED)))
    tools = yaml.safe_load((SHIPPED / "tools.yaml").read_text())
    for tool, queue in queues.items():
        tools["tools"][tool]["queue"] = queue
    (folder / "tools.yaml").write_text(yaml.safe_dump(tools))
    return folder


def alert(name: str = "beaconing_workstation") -> dict[str, Any]:
    given: dict[str, Any] = json.loads((SHIPPED / "incident_triage" / "alerts" / f"{name}.json").read_text())
    return given


@dataclass(frozen=True)
class Company:
    """The demo company: a process, its back door, and what it has seen."""

    hand: Hand
    url: str

    async def effects(self, case: str) -> list[dict[str, Any]]:
        """Return every effect of one mission that the world really saw."""
        return [effect for effect in await self._get("effects") if effect["arguments"].get("case") == case]

    async def attempts(self, case: str) -> list[dict[str, Any]]:
        """Return every call on behalf of one mission, whatever came of it."""
        return [call for call in await self._get("attempts") if call["arguments"].get("case") == case]

    async def break_tool(self, tool: str, mode: str, **more: Any) -> None:
        await self._send("POST", json={"tool": tool, "mode": mode, **more})

    async def mend(self) -> None:
        await self._send("DELETE")

    async def did(self, case: str, tool: str) -> None:
        """Wait until the tool's effect is committed."""

        async def committed() -> bool:
            return tool in [effect["tool"] for effect in await self.effects(case)]

        await until(committed, f"the company did {tool} for {case}")

    async def called(self, case: str, tool: str, times: int = 1) -> None:
        """Wait until a tool's calls have come to an end so many times."""

        async def enough() -> bool:
            calls = [call for call in await self.attempts(case) if call["tool"] == tool]
            return sum(call["outcome"] != "received" for call in calls) >= times

        await until(enough, f"{tool} was called {times} times for {case}")

    async def _get(self, what: str) -> list[dict[str, Any]]:
        async with httpx.AsyncClient(base_url=self.url.removesuffix("/mcp"), timeout=30) as http:
            answer: list[dict[str, Any]] = (await http.get(f"/{what}")).raise_for_status().json()[what]
        return answer

    async def _send(self, method: str, **body: Any) -> None:
        async with httpx.AsyncClient(base_url=self.url.removesuffix("/mcp"), timeout=30) as http:
            (await http.request(method, "/faults", **body)).raise_for_status()


async def found_company(nursery: Nursery, home: Path, folder: Path, number: int = 1, port: int = 0) -> Company:
    """Start a company on a free port, with the books that lie in the folder, that trusts the broker of a home."""
    arguments = ["--port", str(port), "--database", str(folder / "company.db")]
    arguments += ["--credentials", str(home / service_keys.FILE)]
    log = folder / f"company-{number}.log"
    hand = await nursery.start("company", arguments, clean_environ(), log, "company listens at")
    line = next(line for line in log.read_text().splitlines() if "company listens at" in line)
    return Company(hand, line.split()[-1])


@asynccontextmanager
async def server_over(folder: Path, namespaces: Iterable[str] = ()) -> AsyncIterator[DevServer]:
    """Run the real server over a file database in WAL mode, with more namespaces than its own."""
    server = DevServer(folder / "server.log", database=folder / "temporal.db")
    for namespace in namespaces:
        server.process.command += ["--namespace", namespace]
    async with server:
        yield server


@dataclass
class Place:
    """A namespace on a server, a company, people with keys, and the workers that were hired here."""

    nursery: Nursery
    server: DevServer
    company: Company
    home: Path
    folder: Path
    namespace: str
    workspace: Path
    hands: list[Hand] = field(default_factory=list)

    async def client(self) -> Client:
        return await connect(self.server.address, self.namespace)

    def people(self) -> PeopleFile:
        return Directory(self.workspace / "people.yaml", self.home / "people.yaml").people()

    async def hire(self, queue: str = "", **environ: str) -> Hand:
        """Start a worker for one queue, or for all; return once it serves."""
        variables = clean_environ(
            **{
                "TEMPORAL_ADDRESS": self.server.address,
                "TEMPORAL_NAMESPACE": self.namespace,
                "GONOGO_HOME": str(self.home),
                "GONOGO_WORKSPACE": str(self.workspace),
                "GONOGO_COMPANY_URL": self.company.url,
                **environ,
            }
        )
        log = self.folder / f"worker-{len(self.hands) + 1}.log"
        hand = await self.nursery.start("worker", ["--queues", queue] if queue else [], variables, log, "serving")
        self.hands.append(hand)
        return hand

    async def rebuild_company(self) -> None:
        """Start the company again where it was, after its death."""
        await until(self.company.hand.gone, "the company is gone")
        port = httpx.URL(self.company.url).port or 0
        self.company = await found_company(self.nursery, self.home, self.folder, 2, port)


class Grounds:
    """Makes places: on one server that they share, or each on one of its own."""

    def __init__(self, nursery: Nursery, server: DevServer, folder: Path) -> None:
        self._nursery = nursery
        self._server = server
        self._folder = folder
        self._free = iter(NAMESPACES)
        self._home = people_at(folder / "home")
        self._whole = workspace_with(folder / "whole")
        self._split = workspace_with(folder / "split", open_ticket=TICKETS, close_ticket=TICKETS)

    @asynccontextmanager
    async def place(self, *, split: bool = False, own_server: bool = False) -> AsyncIterator[Place]:
        """Open a place. `split` puts tickets on a queue of their own, so that a worker for it can be killed apart."""
        namespace = next(self._free)
        folder = self._folder / namespace
        folder.mkdir()
        async with AsyncExitStack() as stack:
            server = await stack.enter_async_context(server_over(folder)) if own_server else self._server
            company = await found_company(self._nursery, self._home, folder)
            place = Place(
                nursery=self._nursery,
                server=server,
                company=company,
                home=self._home,
                folder=folder,
                namespace="default" if own_server else namespace,
                workspace=self._split if split else self._whole,
            )
            stack.push_async_callback(_dismiss, place)
            yield place


async def _dismiss(place: Place) -> None:
    await asyncio.gather(*(hand.kill() for hand in (*place.hands, place.company.hand)))
