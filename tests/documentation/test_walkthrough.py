"""What README tells a newcomer to type, typed: the demo, then missions started, decided and proved by hand."""

import asyncio
import json
import os
import re
import shlex
import sys
from dataclasses import dataclass
from pathlib import Path

import manual
import pytest
from temporalio.client import Client

from runtime.payloads import data_converter, sealing
from runtime.settings import KEYS
from starter.browse import summary
from starter.reading import Reading
from starter.waiting import gather
from tests.payloads import PLACE_OF_ALL
from tests.starter.launched import dev, line_with

README = manual.text("README.md")
PATIENCE = 60


@dataclass(frozen=True)
class There:
    """Where `gonogo dev` serves."""

    home: Path
    address: str


@pytest.fixture
def shell(tmp_path, there):
    """`gonogo` and `temporal` are on the PATH, as after `. .venv/bin/activate`, and `make` has nothing to make."""
    programs = tmp_path / "bin"
    programs.mkdir()
    (programs / "gonogo").write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m starter "$@"\n')
    (programs / "gonogo").chmod(0o755)
    (tmp_path / "ready").touch()

    async def run(line):
        """Run one line; return its exit code and all that it said. What `make` runs finds the server by its home."""
        address = {} if line.startswith("make ") else {"TEMPORAL_ADDRESS": there.address}
        line = line.replace(" first.jsonl", f" {tmp_path / 'first.jsonl'}")  # Nothing is left in the repository.
        path = f"{programs}:{manual.BIN}:{os.environ['PATH']}"
        process = await asyncio.create_subprocess_shell(
            line.replace("make ", f"make READY={tmp_path / 'ready'} BIN={manual.BIN} ", 1),
            cwd=manual.ROOT, env={**os.environ, "PATH": path, "GONOGO_HOME": str(there.home), **address},
            stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
        )  # fmt: skip
        async with asyncio.timeout(PATIENCE):
            said, _ = await process.communicate()
        return process.returncode, said.decode()

    return run


@pytest.fixture(scope="module")
async def there(tmp_path_factory):
    """One `gonogo dev` for all that is typed here."""
    home = tmp_path_factory.mktemp("dev") / "home"
    async with dev(home) as running:
        await line_with(running.stdout, "Ctrl-C")
        yield There(home, f"127.0.0.1:{running.ports[0]}")


@pytest.fixture
async def looking(there):
    """Whoever only waits looks for themselves: a command typed again and again takes longer than what it waits for."""
    seal = sealing(there.home / KEYS)
    return await Client.connect(there.address, data_converter=data_converter(PLACE_OF_ALL, seal))


async def queued(client, mission):
    """Wait until a mission waits for people."""
    async with asyncio.timeout(PATIENCE):
        while mission not in {gate.subject.mission for gate in (await gather(client, (), Reading()))[0]}:
            await asyncio.sleep(0.1)


@pytest.mark.slow
async def test_what_is_typed_does_what_is_written(shell, looking):
    parts = ("Operate it", "Steer", "Decide", "Prove")
    lines = [line for part in parts for line in manual.typed(manual.section(README, part))]
    demo = next(line for line in manual.typed(README) if line.startswith("make demo DECIDE=approve"))
    code, said = await shell(demo)
    assert (0, True) == (code, "verdict  auto_remediate" in said), said

    for line in lines:
        if "gonogo approve" in line:
            await queued(looking, line.partition("gonogo approve ")[2].split()[0])
        code, said = await shell(line)
        assert 0 == code, f"{line}\n{said}"
    ended = [await shell(f"gonogo follow {mission} --json") for mission in ("first", "second", "third")]

    assert ["auto_remediate"] * 3 == [json.loads(said)["verdict"] for _, said in ended]


@pytest.mark.slow
async def test_every_mission_that_the_table_names_starts_and_goes_on(shell, looking):
    """Each comes to a gate, a wait or a verdict; none fails on the samples that newcomers type."""
    page = manual.section(README, "The missions")
    started = {}
    for line in [line for line in manual.typed(page) if line.startswith("gonogo start")]:
        code, said = await shell(f"{line} --json")
        assert 0 == code, f"{line}\n{said}"
        started[json.loads(said)["id"]] = line.split()[2]
    states = await settled(looking, started)

    named = set(re.findall(r"^\| \[`(\w+)`\]", page, re.MULTILINE))
    shipped = {file.parent.name for file in (manual.ROOT / "missions").glob("*/mission.yaml")}
    assert shipped == named == set(started.values()) == set(states)
    assert {"waiting", "completed"} >= set(states.values()), states


async def settled(client, started):
    """Wait until every mission waits for somebody or is over; return how each stands, by its name."""
    async with asyncio.timeout(PATIENCE):
        while True:
            found = [summary(one) async for one in client.list_workflows("MissionName IS NOT NULL")]
            states = {one["mission"]: one["state"] for one in found if one["id"] in started}
            if len(states) == len(started) and "running" not in states.values():
                return states
            await asyncio.sleep(0.2)
