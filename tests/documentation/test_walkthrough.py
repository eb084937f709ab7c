"""What README tells a newcomer to type, typed: the demo, then missions started, decided and proved by hand."""

import asyncio
import json
import os
import re
import shlex
import sys

import manual
import pytest

from tests.starter.launched import dev, line_with

README = manual.text("README.md")
PATIENCE = 60


@pytest.fixture
def shell(tmp_path):
    """`gonogo` and `temporal` are on the PATH, as after `. .venv/bin/activate`, and `make` has nothing to make."""
    programs = tmp_path / "bin"
    programs.mkdir()
    (programs / "gonogo").write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m starter "$@"\n')
    (programs / "gonogo").chmod(0o755)
    (tmp_path / "ready").touch()

    async def run(line, **environment):
        """Run one line; return its exit code and all that it said."""
        path = f"{programs}:{manual.BIN}:{os.environ['PATH']}"
        process = await asyncio.create_subprocess_shell(
            line.replace("make ", f"make READY={tmp_path / 'ready'} BIN={manual.BIN} ", 1),
            cwd=manual.ROOT, env={**os.environ, "PATH": path, "GONOGO_HOME": str(tmp_path / "home"), **environment},
            stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
        )  # fmt: skip
        async with asyncio.timeout(PATIENCE):
            said, _ = await process.communicate()
        return process.returncode, said.decode()

    return run


async def queued(run, mission, **environment):
    """Wait until a mission waits for people."""
    async with asyncio.timeout(PATIENCE):
        while mission not in {gate["id"] for gate in json.loads((await run("gonogo queue --json", **environment))[1])}:
            await asyncio.sleep(0.1)


@pytest.mark.slow
async def test_what_is_typed_does_what_is_written(tmp_path, shell):
    lines = [line for part in ("Operate it", "Steer", "Decide") for line in manual.typed(manual.section(README, part))]
    demo = next(line for line in manual.typed(README) if line.startswith("make demo DECIDE=approve"))
    async with dev(tmp_path / "home") as running:
        await line_with(running.stdout, "Ctrl-C")
        code, said = await shell(demo)
        assert (0, True) == (code, "verdict  auto_remediate" in said), said

        there = {"TEMPORAL_ADDRESS": f"127.0.0.1:{running.ports[0]}"}
        for line in lines:
            if "gonogo approve" in line:
                await queued(shell, line.partition("gonogo approve ")[2].split()[0], **there)
            code, said = await shell(line, **there)
            assert 0 == code, f"{line}\n{said}"
        ended = [await shell(f"gonogo follow {mission} --json", **there) for mission in ("first", "second", "third")]

    assert ["auto_remediate"] * 3 == [json.loads(said)["verdict"] for _, said in ended]


@pytest.mark.slow
async def test_every_mission_that_the_table_names_starts_and_goes_on(tmp_path, shell):
    """Each comes to a gate, a wait or a verdict; none fails on the samples that newcomers type."""
    page = manual.section(README, "The missions")
    lines = [line for line in manual.typed(page) if line.startswith("gonogo start")]
    async with dev(tmp_path / "home") as running:
        await line_with(running.stdout, "Ctrl-C")
        there = {"TEMPORAL_ADDRESS": f"127.0.0.1:{running.ports[0]}"}
        for line in lines:
            code, said = await shell(f"{line} --json", **there)
            assert 0 == code, f"{line}\n{said}"
        states = await settled(shell, len(lines), **there)

    started = {line.split()[2] for line in lines}
    named = set(re.findall(r"^\| \[`(\w+)`\]", page, re.MULTILINE))
    shipped = {file.parent.name for file in (manual.ROOT / "missions").glob("*/mission.yaml")}
    assert shipped == named == started == set(states)
    assert {"waiting", "completed"} >= set(states.values()), states


async def settled(run, number, **environment):
    """Wait until every mission waits for somebody or is over; return how each stands, by its name."""
    async with asyncio.timeout(PATIENCE):
        while True:
            found = json.loads((await run("gonogo list --json", **environment))[1])
            states = {one["mission"]: one["state"] for one in found}
            if len(states) == number and "running" not in states.values():
                return states
            await asyncio.sleep(0.2)
