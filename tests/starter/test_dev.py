"""`gonogo dev`: three programs as one, seen to die, stopped together, and swept up after a crash."""

import asyncio
import os
import signal
import sys
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from starter import footprint
from starter.footprint import Footprint, Trace
from starter.ports import free_port, is_free

ANSWERED = 20
"""Seconds within which a loaded machine must have answered."""


@asynccontextmanager
async def dev(home, *arguments):
    """Run `gonogo dev` on free ports; it is ended with whatever it started, whatever a test does to it."""
    ports = [free_port() for _ in range(3)]
    options = [f"--{name}={port}" for name, port in zip(("port", "ui-port", "company-port"), ports, strict=True)]
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "starter", "dev", *options, *arguments,
        env={**os.environ, "GONOGO_HOME": str(home), "GONOGO_WORKSPACE": str(Path("missions").resolve())},
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    process.ports = ports
    try:
        yield process
    finally:
        if process.returncode is None:
            process.terminate()
            await process.communicate()
        with footprint.supervised(home) as alone:
            assert alone
            footprint.sweep(home)


async def line_with(stream, word):
    async with asyncio.timeout(ANSWERED):
        while word not in (line := (await stream.readline()).decode()):
            assert line, f"it ended before it said {word!r}"


async def ended(process):
    async with asyncio.timeout(ANSWERED):
        out, err = await process.communicate()
    return process.returncode, out.decode(), err.decode()


async def test_ctrl_c_stops_everything_and_a_second_one_beside_it_is_refused(tmp_path):
    async with dev(tmp_path) as first:
        await line_with(first.stdout, "Ctrl-C")
        async with asyncio.timeout(ANSWERED):
            second = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "starter", "dev",
                env={**os.environ, "GONOGO_HOME": str(tmp_path)}, stderr=asyncio.subprocess.PIPE,
            )  # fmt: skip
            code, _, said = await ended(second)
        first.send_signal(signal.SIGINT)

        assert (3, True) == (code, f"(process {first.pid}" in said)
        assert 0 == (await ended(first))[0]
        assert all(is_free(port) for port in first.ports)
        assert footprint.read(tmp_path) is None


async def test_whoever_dies_is_named_and_what_a_crash_left_behind_is_swept(tmp_path):
    async with dev(tmp_path) as crashed:
        await line_with(crashed.stdout, "Ctrl-C")
        left = footprint.read(tmp_path)
        crashed.kill()
        await ended(crashed)

    assert not any(footprint.ours(trace) for trace in left.processes.values())

    async with dev(tmp_path) as again:
        await line_with(again.stdout, "Ctrl-C")
        os.kill(footprint.read(tmp_path).processes["the worker"].pid, signal.SIGKILL)
        code, _, said = await ended(again)

    assert (3, True) == (code, "the worker ended by itself (exit code -9)" in said), said


async def test_a_port_in_use_is_one_line_and_nothing_is_left_running(tmp_path):
    server = await asyncio.start_server(lambda *_: None, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server, dev(tmp_path, f"--ui-port={port}") as process:
        code, _, said = await ended(process)

    assert (3, 1) == (code, len(said.splitlines())), said
    assert f"port {port} (Temporal Web UI) is in use" in said


async def test_a_home_that_cannot_be_written_is_one_line(tmp_path):
    (tmp_path / "file").touch()
    blocked = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "starter", "demo",
        env={**os.environ, "GONOGO_HOME": str(tmp_path / "file" / "home")}, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    code, _, said = await ended(blocked)

    assert (3, 1) == (code, len(said.splitlines())), said
    assert "set GONOGO_HOME to a folder that you may write" in said


def test_a_process_that_took_over_an_old_id_is_not_swept(tmp_path):
    trace = Trace(pid=os.getpid(), command=("temporal", "server", "start-dev"))
    footprint.write(tmp_path, Footprint(pid=1, port=1, ui_port=2, company_port=3, processes={"server": trace}))

    assert [] == footprint.sweep(tmp_path)


@pytest.mark.parametrize("text", ["", "{", '{"pid": "x"}'])
def test_a_footprint_that_cannot_be_read_counts_as_none(tmp_path, text):
    (tmp_path / "dev.json").write_text(text)

    assert footprint.read(tmp_path) is None
    assert [] == footprint.sweep(tmp_path)
