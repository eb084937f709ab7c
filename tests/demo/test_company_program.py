"""The company as a program: how it starts, how it refuses to, and what survives it."""

import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import httpx
import httpx2
import pytest
from company_program import Program, ask, use
from mcp.client.client import Client
from mcp.client.streamable_http import streamable_http_client

from demo.attempt import attempts
from demo.ledger import effects
from demo.store import Store

ISOLATE = {"host": "fin-ws-07", "reason": "beaconing", "case": "case-1"}
TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

Launch = Callable[[], Program]


def run_company(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "demo.company", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)


async def test_it_serves_mcp_health_and_ledgers_and_notes_the_trace(shared: Program):
    async with (
        httpx2.AsyncClient(headers={"traceparent": TRACE}) as http,
        Client(streamable_http_client(shared.url, http_client=http)) as client,
    ):
        await ask(client, "isolate_host", key="k1", **ISOLATE)

    assert {"status": "ok"} == shared.get("/health")
    assert ["k1"] == [effect["key"] for effect in shared.get("/effects")["effects"]]
    assert [TRACE] == [row["traceparent"] for row in shared.get("/attempts?tool=isolate_host")["attempts"]]


async def test_it_can_die_before_and_after_an_effect_and_forgets_and_repeats_nothing(launch: Launch):
    program = launch()
    program.order(tool="open_ticket", mode="fail", times=2)
    program.order(tool="isolate_host", mode="act_then_crash", times=1)
    await isolate_in_vain(program)

    assert -signal.SIGKILL == program.stop()
    program.start(port=program.port)
    async with Client(program.url) as client:
        answer = await ask(client, "isolate_host", key="k1", **ISOLATE)

    assert [answer] == [effect["result"] for effect in program.get("/effects")["effects"]]
    assert ["received", "answered"] == [row["outcome"] for row in program.get("/attempts")["attempts"]]
    assert [("open_ticket", 2)] == [(fault["tool"], fault["times"]) for fault in program.get("/faults")["faults"]]
    program.order(tool="isolate_host", mode="crash", times=1)
    await isolate_in_vain(program, key="k2")

    assert -signal.SIGKILL == program.stop()
    with closing(Store(program.database)) as store:
        assert ["k1"] == [effect["key"] for effect in effects(store)]
        assert "received" == attempts(store)[-1]["outcome"]


async def isolate_in_vain(program: Program, key: str = "k1") -> None:
    with pytest.raises(ExceptionGroup):
        async with Client(program.url) as client:
            await use(client, "isolate_host", key=key, **ISOLATE)


def test_it_stops_quietly_on_ctrl_c(launch: Launch):
    program = launch()
    program.process.send_signal(signal.SIGINT)
    _, errors = program.process.communicate(timeout=10)

    assert (0, "") == (program.process.returncode, errors)


def test_a_port_in_use_is_one_line_and_exit_code_3(tmp_path: Path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        refused = run_company("--port", str(port), "--database", str(tmp_path / "other.db"))

    assert 3 == refused.returncode
    assert [f"company: cannot listen on 127.0.0.1:{port}: Address already in use; choose another with --port"] == (
        refused.stderr.splitlines()
    )


@pytest.mark.parametrize("broken", ["file/company.db", "garbage"])
def test_a_database_that_cannot_be_used_is_one_line_and_exit_code_3(tmp_path: Path, broken: str):
    (tmp_path / "file").write_text("in the way")
    (tmp_path / "garbage").write_bytes(b"no database " * 400)
    refused = run_company("--port", "0", "--database", str(tmp_path / broken))

    assert 3 == refused.returncode
    assert 1 == len(refused.stderr.splitlines())
    assert refused.stderr.startswith(f"company: cannot use the database {tmp_path / broken}: ")


@pytest.mark.parametrize(
    ("order", "words"),
    [
        ({"tool": "wipe_host", "mode": "fail"}, "no tool is named 'wipe_host'"),
        ({"tool": "isolate_host", "mode": "explode"}, "mode: Input should be"),
        ({"tool": "isolate_host", "mode": "fail", "times": 0}, "times: Input should be greater"),
        ({"tool": "isolate_host", "mode": "fail", "tims": 1}, "tims: Extra inputs are not permitted"),
        ([], "the order: Input should be"),
    ],
)
def test_wrong_orders_are_refused_in_one_sentence(shared: Program, order: object, words: str):
    answer = httpx.post(f"{shared.root}/faults", json=order)

    assert 400 == answer.status_code
    assert words in answer.json()["error"]


@pytest.mark.parametrize(("body", "kind"), [("{", "application/json"), ('{"tool": "*", "mode": "fail"}', "text/plain")])
def test_an_order_that_is_no_json_is_refused(shared: Program, body: str, kind: str):
    answer = httpx.post(f"{shared.root}/faults", content=body, headers={"content-type": kind})

    assert (400, []) == (answer.status_code, shared.get("/faults")["faults"])


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory):
    program = Program(tmp_path_factory.mktemp("shared") / "company.db")
    yield program
    program.stop()
