"""The kill switch from the command line: thrown, seen, lifted, and refused with its reason."""

import asyncio
import shutil

import pytest
import yaml

WHY = "it releases the wrong host"


async def until(gonogo, ready, *words):
    """Ask until the answer is as it should be."""
    async with asyncio.timeout(20):
        while not ready(told := await gonogo(*words)):
            await asyncio.sleep(0.05)
    return told


@pytest.fixture
async def free(gonogo, client):
    """Leave nothing halted behind: the table is one for the server."""
    yield
    for halt in (await gonogo("halts", "--json")).json:
        kind, _, name = halt["target"].partition(":")
        await gonogo("lift", f"--{kind}", name, "--reason", "the test is over", "--as", "lena")


async def test_a_tool_is_halted_its_mission_waits_and_goes_on(gonogo, waiting, free):
    halted = await gonogo("halt", "--tool", "isolate_host", "--reason", WHY, "--as", "lena")
    approved = await gonogo("approve", waiting, "isolate", "--as", "maya")
    beside = " ".join(approved.out.replace("│", "").split())
    found = await until(gonogo, lambda told: told.json[0]["waiting"], "halts", "--json")
    read = await gonogo("halts")
    page = await gonogo("show", waiting)
    listed = next(one for one in (await gonogo("list", "--json")).json if one["id"] == waiting)
    told = await gonogo("list")
    lifted = await gonogo("lift", "--tool", "isolate_host", "--reason", "mended", "--as", "maya")
    followed = await gonogo("follow", waiting)
    audit = (await gonogo("audit", waiting, "--json")).json
    said = [entry["what"] for entry in audit if "halt" in entry["what"] or "held up" in entry["what"]]

    assert (0, 0, 0, 0) == (halted.code, approved.code, lifted.code, followed.code)
    assert "tool isolate_host is halted" in halted.out
    assert f"tool isolate_host is halted by lena: {WHY}; approved, it waits until that is lifted" in beside
    [halt] = found.json
    assert ("tool:isolate_host", "lena", WHY, [waiting]) == tuple(
        halt[key] for key in ("target", "by", "reason", "waiting")
    )
    assert WHY in read.out
    assert waiting in read.out
    assert f"waits at isolate: tool isolate_host is halted by lena: {WHY}" in " ".join(page.out.split())
    assert ["tool:isolate_host"] == listed["halted_by"]
    assert "running (halted)" in told.out
    assert "waits no more for what was halted" in followed.out
    assert ["action held up", "halt waited for", "halt lifted"] == said


async def test_the_audit_of_the_table_tells_who_halted_and_lifted_what_and_what_was_refused(gonogo, client, free):
    await gonogo("halt", "--team", "secops", "--reason", WHY, "--as", "lena")
    refused = await gonogo("lift", "--team", "secops", "--reason", "I want to go on", "--as", "otto")
    await gonogo("lift", "--team", "secops", "--reason", "mended", "--as", "maya")
    audit = (await gonogo("audit", "gonogo-halts", "--json")).json
    rulings = [entry for entry in audit if entry["step"] == "team:secops" and "comment" in entry["detail"]]

    assert (1, True) == (refused.code, "otto is none of the operators: lead" in refused.err)
    assert [
        ("decision accepted", "lena", "halt", WHY),
        ("decision refused", "otto", "lift", "I want to go on"),
        ("decision accepted", "maya", "lift", "mended"),
    ] == [(one["what"], one["who"], one["detail"]["verb"], one["detail"]["comment"]) for one in rulings[-3:]]


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("halt", "--tool", "isolate_hosts"), 2, "no tool 'isolate_hosts' in"),
        (("halt", "--tool", "isolate_hst"), 2, "did you mean isolate_host?"),
        (("halt", "--agent", "retreiver"), 2, "did you mean retriever?"),
        (("halt", "--team", "secop"), 2, "did you mean secops?"),
        (("halt",), 2, "name one: --agent NAME, --tool NAME or --team NAME"),
        (("halt", "--tool", "a", "--agent", "b"), 2, "name one: --agent NAME, --tool NAME or --team NAME"),
        (("lift", "--tool", "isolate_host"), 1, "tool isolate_host is not halted; `gonogo halts` shows what is"),
    ],
)
async def test_what_cannot_be_meant_is_refused_in_a_sentence(gonogo, client, words, code, said):
    told = await gonogo(*words, "--reason", WHY, "--as", "lena")

    assert (code, True) == (told.code, said in told.err)


async def test_who_halts_people_is_told_what_stops_them_from_being_asked(gonogo, client, tmp_path, monkeypatch):
    shutil.copytree("missions", root := tmp_path / "workspace")
    people = {"runtime": "people", "by": ["secops_lead"], "output": {"type": "object"}, "team": "secops"}
    agents = yaml.safe_load((root / "agents.yaml").read_text())
    (root / "agents.yaml").write_text(yaml.safe_dump({"agents": {**agents["agents"], "desk": people}}))
    monkeypatch.setenv("GONOGO_WORKSPACE", str(root))

    told = await gonogo("halt", "--agent", "desk", "--reason", WHY, "--as", "lena")

    said = "agent desk is people, whom no halt keeps from being asked: `gonogo pause ID` stops a mission"
    assert (1, True) == (told.code, said in " ".join(told.err.split()))
    assert [] == (await gonogo("halts", "--json")).json


async def test_a_halt_needs_somebody_and_a_reason(gonogo, client):
    nobody = await gonogo("halt", "--tool", "isolate_host", "--reason", WHY)
    nothing = await gonogo("halt", "--tool", "isolate_host", "--reason", " ", "--as", "lena")

    assert (2, True) == (nobody.code, "who says so? gonogo halt --tool isolate_host --as PERSON" in nobody.err)
    assert (2, True) == (nothing.code, "say why" in nothing.err)


async def test_what_is_halted_already_is_told_with_who_did_it(gonogo, client, free):
    await gonogo("halt", "--agent", "retriever", "--reason", WHY, "--as", "lena")
    again = await gonogo("halt", "--agent", "retriever", "--reason", "me too", "--as", "maya")

    assert (1, True) == (again.code, f"agent retriever is halted by lena: {WHY}; it is halted already" in again.err)


async def test_a_table_that_was_ended_by_force_goes_on_with_what_stood(gonogo, client, free):
    await gonogo("halt", "--tool", "isolate_host", "--reason", WHY, "--as", "lena")
    await client.get_workflow_handle("gonogo-halts").terminate()
    await gonogo("halt", "--agent", "retriever", "--reason", WHY, "--as", "lena")

    assert ["tool:isolate_host", "agent:retriever"] == [
        halt["target"] for halt in (await gonogo("halts", "--json")).json
    ]


async def test_nothing_is_halted_where_nobody_ever_halted_anything(gonogo, client):
    assert ("nothing is halted", []) == ((await gonogo("halts")).out.strip(), (await gonogo("halts", "--json")).json)
