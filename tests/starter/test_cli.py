"""The command line as a process: how it leaves, what it loads, what it prints where."""

import asyncio
import json
import os
import resource
import subprocess
import sys

import pytest
from launched import process

from contracts.attributes import ATTRIBUTES
from starter.cli import run
from starter.ports import HOST, free_port
from starter.server import DevServer

VERBS = ("demo", "dev", "lint", "start", "cancel", "setup", "list", "show", "follow", "queue", "approve", "reject")
VERBS += (
    "modify",
    "people",
    "audit",
    "rehearse",
    "replay",
    "explain",
    "artifacts",
    "artifact",
    "finding",
    "schema",
    "graph",
    "diff",
    "new",
    "estimate",
)
VERBS += ("event",)
RUNS = int(os.environ.get("GONOGO_EXIT_RUNS", "4"))
"""How often the exit codes are looked at; 200 in a row is `GONOGO_EXIT_RUNS=200`."""


async def test_help_lists_every_verb_and_loads_nothing_slow():
    probe = (
        "import sys; from starter.cli import run; run(['--help']);"
        "print([m for m in ('temporalio', 'pydantic', 'opentelemetry', 'mcp', 'yaml') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True)

    assert "[]" == done.stdout.splitlines()[-1]
    for verb in VERBS:
        assert f"  {verb} " in done.stdout


def test_help_is_there_at_once():
    """Measured in processor time, which a busy machine does not stretch as it does the clock's."""

    def spent():
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        return used.ru_utime + used.ru_stime

    before = spent()
    subprocess.run([sys.executable, "-m", "starter", "--help"], capture_output=True, check=True)

    assert spent() - before < 0.6


async def test_exit_codes_are_right_every_time(server):
    nowhere = f"{HOST}:{free_port()}"
    cases = (
        (0, ("list", "--json"), server.address),
        (1, ("audit", "no-such-mission"), server.address),
        (2, ("list", "--state", "sleeping"), server.address),
        (3, ("list",), nowhere),
    )

    async def seen(case):
        code, arguments, address = case
        return code, (await process(*arguments, TEMPORAL_ADDRESS=address))[0]

    codes = []
    for first in range(0, RUNS, len(cases)):
        codes += await asyncio.gather(*(seen(case) for case in cases[: RUNS - first]))

    assert [] == [pair for pair in codes if pair[0] != pair[1]]


async def test_a_server_that_is_not_there_is_one_line_with_the_address():
    address = f"{HOST}:{free_port()}"

    code, out, err = await process("list", "--json", TEMPORAL_ADDRESS=address)

    assert (3, "", 1) == (code, out, len(err.splitlines()))
    assert address in err
    assert "gonogo dev" in err


async def test_one_json_document_is_all_that_stands_on_standard_output(server):
    code, out, err = await process("list", "--state", "dead_letter", "--json", TEMPORAL_ADDRESS=server.address)

    assert (0, list) == (code, type(json.loads(out))), err


async def test_a_reader_that_goes_away_is_no_traceback(server):
    line = f"{sys.executable} -m starter --help | head -1 > /dev/null"

    done = subprocess.run(line, shell=True, capture_output=True, text=True, check=False)

    assert "" == done.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["shwo", "x"], "Did you mean"),
        (["show"], "ID"),
        (["start", "x", "--input", "y"], "who asks for it?"),
        (["list", "--limit", "none"], "limit"),
        (["cancel", "x", "--reason", " "], "say why"),
        (["finding", "CYCEL"], "did you mean CYCLE?"),
    ],
)
def test_a_misspelt_command_is_a_usage_error_in_one_line(arguments, said, capsys, monkeypatch):
    monkeypatch.delenv("GONOGO_PERSON", raising=False)

    assert 2 == run(arguments)
    told = capsys.readouterr()
    assert ("", 1) == (told.out, len(told.err.splitlines()))
    assert said in told.err


def test_a_variable_that_cannot_be_used_is_a_usage_error(capsys, monkeypatch):
    monkeypatch.setenv("GONOGO_MAX_CACHED_WORKFLOWS", "many")

    assert 2 == run(["people", "list"])
    assert "GONOGO_MAX_CACHED_WORKFLOWS is 'many'" in capsys.readouterr().err


async def test_setup_registers_what_is_missing_once(gonogo):
    told = await gonogo("setup")

    assert (0, True) == (told.code, "everything was registered already" in told.out)


async def test_setup_on_a_bare_server_registers_everything(tmp_path, gonogo, monkeypatch):
    async with DevServer(tmp_path / "bare.log", attributes={}) as bare:
        monkeypatch.setenv("TEMPORAL_ADDRESS", bare.address)
        first, second = await gonogo("setup"), await gonogo("setup")

    assert all(name in first.out for name in ATTRIBUTES)
    assert "registered already" in second.out
