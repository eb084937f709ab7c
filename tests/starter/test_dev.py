"""`gonogo dev`: three programs as one, seen to die, stopped together, and swept up after a crash."""

import asyncio
import os
import signal

import pytest
from launched import ANSWERED, beside, dev, ended, line_with

from starter import footprint
from starter.dev import _tell
from starter.footprint import Footprint, Trace
from starter.ports import is_free
from starter.process import Process


@pytest.mark.slow
async def test_one_dev_a_home_a_crash_is_swept_up_and_whoever_dies_is_named(tmp_path):
    async with dev(tmp_path, sweep=False) as crashed:
        await line_with(crashed.stdout, "Ctrl-C")
        code, _, said = await ended(await beside("dev", tmp_path))
        assert (3, True) == (code, f"(process {crashed.pid}" in said)
        crashed.kill()
        await ended(crashed)
        assert not any(is_free(port) for port in crashed.ports)

    async with dev(tmp_path) as again:
        await line_with(again.stdout, "Ctrl-C")
        assert all(is_free(port) for port in crashed.ports)
        os.kill(footprint.read(tmp_path).processes["the worker"].pid, signal.SIGKILL)
        code, _, said = await ended(again)

    assert (3, True) == (code, "the worker ended by itself (exit code -9)" in said), said
    assert all(is_free(port) for port in again.ports)


async def test_a_port_in_use_is_one_line_and_nothing_is_left_running(tmp_path):
    server = await asyncio.start_server(lambda *_: None, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server, dev(tmp_path, f"--ui-port={port}") as process:
        code, _, said = await ended(process)

    assert (3, 1) == (code, len(said.splitlines())), said
    assert f"port {port} (Temporal Web UI) is in use" in said


async def test_a_home_that_cannot_be_written_is_one_line(tmp_path):
    (tmp_path / "file").touch()
    code, _, said = await ended(await beside("demo", tmp_path / "file" / "home"))

    assert (3, 1) == (code, len(said.splitlines())), said
    assert "set GONOGO_HOME to a folder that you may write" in said


async def test_what_a_program_writes_is_read_line_by_line_and_once(tmp_path):
    log = tmp_path / "log"
    log.write_text("of an earlier run\n")
    program = Process("talker", ["sh", "-c", "echo one; echo two; printf 'thr'; read _"], log)
    program.start()
    try:
        async with asyncio.timeout(ANSWERED):
            while not program.said("thr"):
                await asyncio.sleep(0.02)
        assert (["one", "two"], []) == (program.news(), program.news())
        with log.open("a") as file:
            file.write("ee\n")
        assert ["three"] == program.news()
    finally:
        program.kill()


def test_notices_of_the_worker_are_shown_and_nothing_else_of_its_log(capsys):
    _tell(["worker: serving gonogo", "notice: m waits for lead", "Traceback"])

    assert "notice: m waits for lead\n" == capsys.readouterr().out


def test_a_process_that_took_over_an_old_id_is_not_swept(tmp_path):
    trace = Trace(pid=os.getpid(), command=("temporal", "server", "start-dev"))
    footprint.write(tmp_path, Footprint(pid=1, port=1, ui_port=2, company_port=3, processes={"server": trace}))

    assert [] == footprint.sweep(tmp_path)


@pytest.mark.parametrize("text", ["", "{", '{"pid": "x"}'])
def test_a_footprint_that_cannot_be_read_counts_as_none(tmp_path, text):
    (tmp_path / "dev.json").write_text(text)

    assert footprint.read(tmp_path) is None
    assert [] == footprint.sweep(tmp_path)
