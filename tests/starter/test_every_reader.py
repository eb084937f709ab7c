"""Every role by every way in which a mission is read: what one table says is shown, and nothing else.

Each verb of the command line stands in a table here, so a new one has to say what it shows. The table of who may is
written by hand beside the policies. Decisions, commands and starts are in `tests/activities/test_every_role.py`.
"""

import json
import os
from datetime import timedelta

import httpx
import pytest
import typer
from google.protobuf.json_format import MessageToDict, ParseDict
from launched import process
from stage import wait_at_gate
from temporalio.api.common.v1 import Payloads
from temporalio.common import WorkflowIDReusePolicy
from temporalio.converter import WorkflowSerializationContext

from activities import keys, reader_token, service_keys
from activities.content import ContentStore
from activities.people import Directory
from activities.policy import Policy
from contracts.artifact import Artifact
from runtime.codec_server import Access, application
from runtime.connection import Unreachable
from runtime.payloads import data_converter
from runtime.reading import Readers
from starter.cli import app
from tests.payloads import PLACE_OF_ALL
from tests.sealed import sealed
from tests.starter.test_recorder import until

FOUND = "beacons to canary-7f3a"
POLICIES = """
@id("analysts") permit(principal in Role::"analyst", action == Action::"read_outputs", resource in Team::"blue");
@id("outsiders") permit(principal in Role::"outsider", action, resource in Team::"red");
@id("auditors") permit(principal in Role::"auditor", action == Action::"read_audit",
  resource == Mission::"host_check");
@id("leads") permit(principal in Role::"lead", action == Action::"decide", resource in Mission::"host_check");
@id("harmless") permit(principal, action, resource == Mission::"harmless");
"""
MAY = {
    "analyst": {"outputs", "gate"},
    "auditor": {"audit"},
    "lead": {"gate"},
    "outsider": set(),
    "": set(),
}
"""What people of a role may be shown; the last is who does not say who they are."""
WAYS = {
    "show": ("outputs", "ended"),
    "follow": ("outputs", "ended"),
    "explain": ("outputs", "ended"),
    "artifacts": ("outputs", "ended"),
    "artifact": ("outputs", "ended", "report.md"),
    "deadletter": ("outputs", "ended"),
    "why": ("audit", "ended"),
    "audit": ("audit", "ended"),
    "audit search": ("audit", "--actor", "looker"),
    "receipt": ("audit", "ended", "isolate"),
    "queue": ("gate", "--all"),
    "approve": ("gate", "waiting", "isolate", "--print"),
    "reject": ("gate", "waiting", "isolate", "--print", "--comment", "no"),
    "modify": ("gate", "waiting", "isolate", "--print", "--changes", "changes"),
    "request-changes": ("gate", "waiting", "isolate", "--print", "--comment", "no"),
    "abstain": ("gate", "waiting", "isolate", "--print"),
    "delegate": ("gate", "waiting", "isolate", "--print", "--to", "auditor-1"),
    "withdraw": ("gate", "waiting", "isolate", "--print"),
    "answer": ("gate", "waiting", "isolate", "--print", "--value", "1"),
    "facilitate": ("gate", "waiting", "isolate", "end", "--print"),
}
"""The verbs that show what a mission made, its record, or what waits at its gates: what each shows, and how it is
called."""
NEEDLESS = {
    "files here": "new, lint, sign, rehearse, finding, graph, diff, estimate, schema, admit, policy, people, keys",
    "what runs, without what it made": "demo, dev, list, start, event, cancel, setup, replay, reconcile, record, rerun",
    "the keys of contents; its server has a test of its own below": "codec",
    "the namespace's own tables": "costs, breakers, locks, halts, halt, lift",
    "a receipt of a command": "pause, resume, note, interrupt, retry, skip, redirect, rollback, amend, escalate, abort",
    "an exported file, which is read without us": "audit verify",
}
"""The others, by what they show."""


@pytest.fixture
async def read(gonogo, client, cast, shared_home, tmp_path, monkeypatch):
    """Ask as somebody, in a workspace with these policies, of a mission that has ended and of one that waits."""
    data = b"# Report"
    digest = await ContentStore(os.environ["GONOGO_PAYLOADS"]).put(data)
    cast.reason = FOUND
    cast.files = (Artifact(name="report.md", media_type="text/markdown", digest=digest, size=len(data)),)
    names = {"ended": await wait_at_gate(client), "waiting": await wait_at_gate(client)}
    monkeypatch.setenv("GONOGO_DATABASE", f"sqlite+aiosqlite:///{tmp_path / 'books.db'}")
    assert 0 == (await gonogo("approve", names["ended"], "isolate", "--as", "maya", "--comment", "go")).code
    await client.get_workflow_handle(names["ended"]).result(rpc_timeout=timedelta(seconds=90))
    service_keys.make(shared_home, "recorder")

    async def recorded():
        await gonogo("record")
        return names["ended"] in (await gonogo("audit", "search", "--actor", "looker")).out

    await until(recorded, 90)
    home, workspace = tmp_path / "readers", tmp_path / "workspace"
    for folder in (home, workspace / "policies"):
        folder.mkdir(parents=True)
    (workspace / "policies" / "readers.cedar").write_text(POLICIES)
    (tmp_path / "changes").write_text('{"reason": "another"}')
    for role in filter(None, MAY):
        keys.create(home, f"{role}-1", (role,))
    monkeypatch.setenv("GONOGO_HOME", str(home))
    monkeypatch.setenv("GONOGO_WORKSPACE", str(workspace))

    async def ask(person, verb, *arguments):
        monkeypatch.setenv("GONOGO_PERSON", person)
        given = {**names, "changes": str(tmp_path / "changes")}
        return await gonogo(*verb.split(), *(given.get(one, one) for one in arguments))

    ask.names, ask.home, ask.workspace = names, home, workspace
    return ask


def test_every_verb_says_whether_it_reads_a_mission():
    known = typer.main.get_command(app).commands
    verbs = {*known, *(f"audit {one}" for one in known["audit"].commands if one != "mission")}
    needless = {verb.strip() for some in NEEDLESS.values() for verb in some.split(",")}
    assert verbs == {*WAYS, *needless}


async def test_each_role_is_shown_by_each_verb_what_the_table_says(read):
    for role, may in MAY.items():
        who = f"{role}-1" if role else ""
        for verb, (shows, *arguments) in WAYS.items():
            if not who and shows == "gate" and verb != "queue":
                continue  # Who decides has to say who they are: the usage says so.
            told = await read(who, verb, *arguments)
            case = (role, verb, told.code, told.err[:300])
            if shows in may:
                assert "denied" not in told.err, case
                continue
            assert "denied: no policy permits it" in told.err, case
            assert ("set GONOGO_PERSON to say who reads" in told.err) is (not who), case
            assert not [word for word in ("beacons", "# Report") if word in told.out + told.err], case
            assert read.names["waiting"] not in told.out, case
            assert (0 if verb in {"queue", "audit search"} else 1) == told.code, case
    seen = [(await read("analyst-1", verb, *WAYS[verb][1:])).out for verb in ("explain", "queue", "artifact")]
    assert [True, True, True] == [
        word in out for word, out in zip(("web-01 beacons", FOUND, "# Report"), seen, strict=True)
    ]
    assert FOUND in (await read("lead-1", "approve", *WAYS["approve"][1:])).err


async def test_a_reading_that_policy_refuses_is_one_sentence_and_exit_code_1(read, server):
    mission = read.names["ended"]
    place = {"GONOGO_HOME": str(read.home), "GONOGO_WORKSPACE": str(read.workspace), "TEMPORAL_ADDRESS": server.address}
    code, out, err = await process("show", mission, GONOGO_PERSON="auditor-1", **place)

    assert (1, "") == (code, out)
    assert "gonogo: auditor-1: read outputs host_check: denied: no policy permits it\n" == err


async def test_the_codec_server_shows_each_role_what_the_table_says(read, client, tmp_path):
    ended, seal = read.names["ended"], sealed(tmp_path)
    directory = Directory(read.home / "people.yaml")
    policy = Policy(read.workspace, directory, {}, {})

    async def there():
        return client

    async def shown(role, mission=ended, connect=there):
        readers = Readers(policy, connect)
        access = Access(directory, (), "pages")
        served = httpx.ASGITransport(application(seal, access, "default", readers.why_not))
        context = WorkflowSerializationContext("default", mission)
        payloads = await data_converter(PLACE_OF_ALL, seal).with_context(context).encode([FOUND])
        token = f"Bearer {reader_token.sign(read.home, f'{role}-1')}" if role else ""
        async with httpx.AsyncClient(transport=served, base_url="http://codec") as http:
            answer = await http.post(
                "/decode" if role else "/pages/pages/decode",
                json=MessageToDict(Payloads(payloads=payloads)),
                headers={"authorization": token} if role else {},
            )
        assert 200 == answer.status_code, answer.text
        [payload] = ParseDict(answer.json(), Payloads()).payloads
        return json.loads(payload.data)

    told = {role: await shown(role) for role in MAY}
    assert {role for role, may in MAY.items() if "outputs" in may} == {
        role for role, said in told.items() if said == FOUND
    }
    assert "refused: auditor-1: read outputs host_check: denied: no policy permits it" == told["auditor"]
    assert "knows no nothing-of-the-sort any more" in await shown("analyst", "nothing-of-the-sort")
    assert "nobody can say who may read it" in await shown("analyst", "a'b")

    async def nowhere():
        raise Unreachable("no Temporal server answers")

    assert "the server cannot be asked" in await shown("analyst", connect=nowhere)
    again = {"task_queue": "nobody-s", "id_reuse_policy": WorkflowIDReusePolicy.ALLOW_DUPLICATE}
    taken = await client.start_workflow("harmless", id=ended, **again)
    try:
        assert "host_check: denied" in await shown("lead")
    finally:
        await taken.terminate()
