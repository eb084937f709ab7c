"""Secrets in every channel of every shipped mission, and of one that says all it knows: with keys, none is found.

Everything is as `gonogo dev` has it: a server over a database file, a worker, the company, the recorder, keys. What is
searched: the server's database and logs, the books, what lies apart, the worker's log, traces, metrics, events, and
what the command line says. The company's own books are not ours. Whether the search finds is `test_canary_search.py`.
"""

import asyncio
import io
import os
import sqlite3
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from live_mission import LiveMissions, Running, people_with_keys
from opentelemetry import baggage, context
from plays import COME_TO
from temporalio.client import Client
from temporalio.testing import TimeSkipper
from triage_desk import MISSIONS

from activities import keys, service_keys
from activities.payload_keys import rotate
from contracts.decision import Opening, Receipt
from contracts.plan import Limits, MissionResult
from contracts.workspace import MISSION_QUEUE
from language.workspace import load_workspace
from runtime.payloads import data_converter, sealing
from runtime.settings import Settings
from starter.cli import run
from starter.launch import launch, prepare, signed
from starter.ports import free_port
from starter.server import DevServer
from tests.canaries.ground import (
    MEASURED,
    MISSION,
    STOPPED,
    WORD,
    Collector,
    begin_all,
    beside,
    called,
    canary,
    collecting,
    end_all,
    say_ways,
    serving,
)
from tests.canaries.search import found
from tests.demo.company_program import Program
from tests.workflows.house import Activities, House

pytestmark = pytest.mark.slow
KEPT = "kept"
"""The folder that is searched. What lies beside it is the company's."""
SECRETS = {
    "incident_triage": ("alert", "finding_info", "title"),
    "create_prd": ("brief", "title"),
    "architecture_review": ("proposal", "title"),
    "technology_investment": ("case", "title"),
    "release_rollout": ("version",),
    "fleet_patch": ("advisory", "id"),
}
"""Where the inputs of each shipped mission hold a secret, which their schema then calls sensitive."""
RELEASED = "2.4.0"
"""The version that the company knows, until it is called by a secret."""
LOOKS = (("show", "--json"), ("follow",), ("explain",), ("audit",), ("why",), ("artifacts",))
"""What an operator types of a mission."""
OPEN = (("queue",), ("show", MISSION), ("explain", MISSION))
"""And while it waits for people."""
OVERVIEWS = (
    ("audit", "search", "--json"),
    ("list", "--json"),
    ("queue",),
    ("costs",),
    ("breakers", "--json"),
    ("locks",),
    ("halts",),
)


@dataclass
class Sweep:
    """What the missions came to, and where which secrets were found."""

    verdicts: dict[str, Any] = field(default_factory=dict)
    leaks: dict[str, set[str]] = field(default_factory=dict)
    said: dict[str, str] = field(default_factory=dict)
    """What commands said, by what they were about."""
    missions: list[str] = field(default_factory=list)
    places: set[str] = field(default_factory=set)


class Telling(Running):
    """A mission whose people say secrets."""

    async def decide(self, opening: Opening, person: str, verb: str = "approve", **fields: Any) -> Receipt:
        return await super().decide(opening, person, verb, comment=canary("comment"), **fields)


class Planting(LiveMissions):
    """Starts missions with secrets in their inputs, and tells them secrets by every way that leads in."""

    async def start(
        self, mission: str, inputs: dict[str, Any], requested_by: str = "noor", limits: Limits | None = None
    ) -> Running:
        del limits
        settings, client = Settings.read(), self.house.client
        if mission in SECRETS:
            planted(inputs, SECRETS[mission], canary("input", mission))
        given = prepare(settings, self.workspace.people, mission, inputs, requested_by)
        chosen = f"{mission}-{uuid.uuid4().hex[:12]}"
        await launch(client, signed(settings.home, given, chosen), chosen)
        handle = client.get_workflow_handle(chosen, result_type=MissionResult)
        await say_ways(handle)
        return Telling(self.house, handle)


def planted(inputs: dict[str, Any], path: tuple[str, ...], secret: str) -> None:
    *above, name = path
    for one in above:
        inputs = inputs[one]
    inputs[name] = secret


def shipped(folder: Path, collector: Collector) -> Path:
    """Copy the shipped workspace, its secrets called sensitive and its events told, with the mission that says all."""
    root = beside(MISSIONS, folder)
    for mission, path in SECRETS.items():
        file = root / mission / "mission.yaml"
        definition = yaml.safe_load(file.read_text())
        schema = definition["inputs"]
        for name in path:
            schema = schema["properties"][name]
        schema["sensitive"] = True
        file.write_text(yaml.safe_dump(definition, sort_keys=False))
    sink = {"url": f"{collector.url}/events", "secret_env": "CANARY_EVENTS"}
    (root / "events.yaml").write_text(yaml.safe_dump({"webhooks": {"siem": sink}}))
    return root


def rename(database: Path, before: str, after: str) -> None:
    """Have the company call something otherwise, wherever it speaks of it."""
    with closing(sqlite3.connect(database)) as db, db:
        for (table,) in db.execute(
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name LIKE '%release%'"
        ).fetchall():
            for column in db.execute(f'PRAGMA table_info("{table}")').fetchall():
                db.execute(f'UPDATE "{table}" SET "{column[1]}" = ? WHERE "{column[1]}" = ?', (after, before))


@contextmanager
def said_in(**environ: str) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith(("GONOGO_", "TEMPORAL_", "OTEL_"))]:
            patch.delenv(name)
        for name, value in environ.items():
            patch.setenv(name, value)
        yield


SAYING = asyncio.Lock()
"""One command at a time has the output of this process."""


async def told(*arguments: str) -> str:
    """Return what a command that must go well says."""
    out = io.StringIO()
    async with SAYING:
        with redirect_stdout(out), redirect_stderr(out):
            code = await asyncio.to_thread(run, arguments)
    assert code == 0, (arguments, out.getvalue())
    return out.getvalue()


@pytest.fixture(scope="module")
async def sweep(tmp_path_factory: pytest.TempPathFactory) -> Sweep:
    """All of it, once."""
    folder = tmp_path_factory.mktemp("sweep")
    place, sweep = folder / KEPT, Sweep()
    home = place / "home"
    home.mkdir(parents=True)
    settle(home)
    with ExitStack() as stack:
        collector = stack.enter_context(collecting())
        workspace = shipped(folder, collector)
        company = Program(folder / "company.db", "--credentials", str(home / service_keys.FILE))
        stack.callback(company.stop)
        rename(folder / "company.db", RELEASED, canary("input", "release_rollout"))
        token = context.attach(baggage.set_baggage("said", canary("header")))
        stack.callback(context.detach, token)
        metrics = await played(sweep, place, workspace, collector, company.url)
    sweep.leaks = found(WORD, place, {**collector.received, "metrics": metrics})
    sweep.places = {*collector.received, *(str(file.relative_to(place)) for file in place.rglob("*"))}
    return sweep


def settle(home: Path) -> None:
    people_with_keys(home)
    keys.create(home, "lea")
    for service in service_keys.SERVICES:
        service_keys.make(home, service)
    rotate(home / "payload_keys.yaml")


async def played(sweep: Sweep, place: Path, workspace: Path, collector: Collector, company: str) -> bytes:
    """Run server, worker and missions, let an operator look at it all, and return the server's metrics."""
    home, port = place / "home", free_port()
    server = DevServer(place / "server.log", database=place / "temporal.db", skip_time=True)
    server.process.command += ["--metrics-port", str(port)]
    async with server, called() as others:
        environ = {
            "TEMPORAL_ADDRESS": server.address, "GONOGO_COMPANY_URL": company, **others,
            "CANARY_EVENTS": "any-sixteen-bytes-or-more",
        }  # fmt: skip
        own = {**environ, "GONOGO_HOME": str(home), "GONOGO_WORKSPACE": str(workspace)}
        with said_in(**own):
            settings = Settings.read()
            converter = data_converter(settings.contents(), sealing(settings.payload_keys))
            client = await Client.connect(server.address, data_converter=converter)
            async with serving(place, workspace, collector, **environ):
                house = House(client, home, Activities(), MISSION_QUEUE)
                live = Planting(house, load_workspace(workspace, keys.registered(home)), company)
                skipper = TimeSkipper(client)
                plays = (ended(sweep, live, skipper, one) for one in COME_TO)
                await asyncio.gather(said_all(sweep, client, settings), *plays)
                await look(sweep)
        return httpx.get(f"http://127.0.0.1:{port}/metrics").content


async def said_all(sweep: Sweep, client: Client, settings: Settings) -> None:
    """Play the mission that says all it knows, and look at it while it waits for people, and afterwards."""
    await begin_all(client, settings)
    sweep.said["open"] = "\n".join([await told(*line) for line in OPEN])
    await end_all(client, settings)
    await look_at(sweep, MISSION)


async def ended(sweep: Sweep, live: LiveMissions, skipper: TimeSkipper, name: str) -> None:
    play, _ = COME_TO[name]
    running = await play(live, skipper)
    result = await running.result()
    sweep.verdicts[name] = result.verdict
    sweep.missions.append(running.handle.id)
    await look_at(sweep, running.handle.id)


async def look_at(sweep: Sweep, mission: str) -> None:
    """Look at a mission as an operator would, while others go on."""
    sweep.said[mission] = "\n".join([await told(verb, mission, *options) for verb, *options in LOOKS])


async def look(sweep: Sweep) -> None:
    """Look at all missions together."""
    sweep.said["record"] = await told("record")
    sweep.said["stopped"] = await told("audit", STOPPED)
    sweep.said["all"] = "\n".join([await told(*line) for line in OVERVIEWS])


async def test_every_shipped_mission_came_to_its_verdict(sweep):
    assert {name: verdict for name, (_, verdict) in COME_TO.items()} == sweep.verdicts
    assert {path.parent.name for path in MISSIONS.glob("*/mission.yaml")} == set(COME_TO)


async def test_no_secret_is_found_in_what_is_kept_or_sent(sweep):
    """But what the code of agents measures by itself, where somebody collects that: it is not ours to change."""
    assert {"/v1/metrics": {"metric"}, MEASURED: {"sdk-metric"}} == sweep.leaks
    assert {"temporal.db", "home/gonogo.db", "worker.log", "server.log", "/v1/traces", "/events"} <= sweep.places


async def test_what_is_sensitive_is_masked_by_every_command(sweep):
    secrets = {canary("code"), canary("named"), canary("credential"), *(canary("input", name) for name in SECRETS)}
    assert {} == {about: said for about, said in sweep.said.items() if any(one in said for one in secrets)}
    assert "nobody has Bearer [secret]" in sweep.said[MISSION]
    assert all("<hidden>" in sweep.said[mission] for mission in (*sweep.missions, MISSION, "open"))


async def test_who_has_the_keys_reads_why_a_mission_was_stopped_and_an_endpoint_did_not_answer(sweep):
    assert canary("cancel-reason") in sweep.said["stopped"]
    assert canary("breaker") in sweep.said["all"]
