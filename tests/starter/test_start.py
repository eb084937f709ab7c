"""Starting a mission: from its definition and one document to a workflow that nobody starts twice."""

import json
import uuid
from pathlib import Path

import pytest
from temporalio.client import Client

from activities import keys
from tests.payloads import DATA_CONVERTER
from tests.policies import permit_all

MISSIONS = Path(__file__).resolve().parents[2] / "missions"
ALERT = str(MISSIONS / "incident_triage" / "alerts" / "beaconing_workstation.json")


@pytest.fixture
def shipped(gonogo, monkeypatch, tmp_path):
    """The shipped workspace, where noor can sign. No worker serves its missions here: they stay where they start."""
    keys.create(tmp_path / "signing", "noor")
    keys.create(tmp_path / "signing", "maya", ("lead",))
    monkeypatch.setenv("GONOGO_HOME", str(tmp_path / "signing"))
    monkeypatch.setenv("GONOGO_WORKSPACE", str(MISSIONS))
    return gonogo


@pytest.fixture
async def fresh(server):
    """An id for a mission; what runs under it is ended afterwards."""
    mission = f"incident-{uuid.uuid4().hex[:8]}"
    yield mission
    client = await Client.connect(server.address, data_converter=DATA_CONVERTER)
    handle = client.get_workflow_handle(mission)
    if (await handle.describe()).close_time is None:
        await handle.terminate()


def order(mission, **changes):
    options = {"--input": ALERT, "--id": mission, "--as": "noor"} | changes
    return ["start", "incident_triage", *(word for pair in options.items() for word in pair)]


async def test_a_mission_starts_under_its_own_name_with_a_frozen_plan(shipped, fresh, server):
    told = await shipped(*order(fresh), "--json")

    assert (0, fresh, True) == (told.code, told.json["id"], told.json["started"])
    client = await Client.connect(server.address)
    description = await client.get_workflow_handle(fresh).describe()
    assert ("incident_triage", "gonogo") == (description.workflow_type, description.task_queue)
    assert {"incident_triage", "running", "secops"} == {str(pair.value) for pair in description.typed_search_attributes}
    assert told.json["plan_digest"].startswith("sha256:")
    assert "noor" in await description.static_summary()


async def test_starting_twice_with_one_id_starts_one_mission_and_says_so(shipped, fresh):
    first = await shipped(*order(fresh), "--json")
    second = await shipped(*order(fresh), "--json")

    assert (0, False, first.json["run"]) == (second.code, second.json["started"], second.json["run"])
    assert "nothing new was started" in (await shipped(*order(fresh))).out


@pytest.mark.parametrize("table", ["gonogo-halts", "gonogo-locks"])
async def test_the_ids_of_the_namespace_s_own_tables_are_no_mission_s(shipped, client, table):
    told = await shipped(*order(table))

    assert (2, True) == (told.code, f"{table} is no id for a mission" in told.err)


async def test_an_id_whose_mission_has_ended_is_not_used_again(shipped, fresh, server):
    await shipped(*order(fresh))
    client = await Client.connect(server.address)
    await client.get_workflow_handle(fresh).terminate()

    told = await shipped(*order(fresh))

    assert (1, True) == (told.code, "has run and ended: nothing was started" in told.err)


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["start", "incident_triag", "--input", ALERT, "--as", "noor"], 2, "did you mean incident_triage?"),
        (["start", "nothing_like_it", "--input", ALERT, "--as", "noor"], 2, "there are "),
        (["start", "../missions", "--input", ALERT, "--as", "noor"], 2, "is no id"),
        (order("x", **{"--as": "nobody"}), 2, "gonogo people add nobody --role ROLE"),
        (order("x", **{"--input": "/nowhere.json"}), 2, "cannot read /nowhere.json: No such file"),
        (order("x", **{"--id": "a b"}), 2, "is no id"),
    ],
)
async def test_what_cannot_be_started_is_said_in_one_line(shipped, client, arguments, code, said):
    told = await shipped(*arguments)

    assert (code, 1, True) == (told.code, len(told.err.splitlines()), said in told.err), told.err


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda alert: alert.pop("time"), '"time" is a required property'),
        (lambda alert: alert.update(severity_id=9), "alert.severity_id: 9 is greater than the maximum of 6"),
    ],
)
async def test_inputs_that_do_not_fit_the_mission_say_where(shipped, client, tmp_path, change, said):
    inputs = json.loads(Path(ALERT).read_text())
    change(inputs["alert"])
    (tmp_path / "in.json").write_text(json.dumps(inputs))

    told = await shipped(*order("x", **{"--input": str(tmp_path / "in.json")}))

    assert (2, 1, True) == (told.code, len(told.err.splitlines()), said in told.err), told.err


async def test_inputs_that_are_no_object_are_refused(shipped, client, tmp_path):
    (tmp_path / "in.json").write_text("[]")

    told = await shipped(*order("x", **{"--input": str(tmp_path / "in.json")}))

    assert (2, True) == (told.code, "one object with the fields alert" in told.err)


async def test_a_definition_with_findings_is_refused_with_all_of_them(shipped, client, tmp_path, monkeypatch):
    broken = workspace(tmp_path, "agent: retrievr", "task: look", "contxt: [alert]")
    monkeypatch.setenv("GONOGO_WORKSPACE", str(broken))

    told = await shipped("start", "broken", "--input", ALERT, "--as", "maya")

    assert (1, True) == (told.code, "its definition is refused" in told.err)
    assert told.err.count("broken/mission.yaml:") >= 2


def workspace(folder, *lines):
    """Make a workspace of one mission whose only step has these lines."""
    root = folder / "missions"
    (root / "broken").mkdir(parents=True)
    for name in ("agents.yaml", "tools.yaml", "security.yaml", "people.yaml"):
        (root / name).write_text((MISSIONS / name).read_text())
    permit_all(root)
    step = "\n".join(f"    {line}" for line in lines)
    head = "mission: broken\nversion: 1.0.0\nteam: t\nverdict: {one_of: [a], value: '\"a\"'}\nsteps:\n  - step: one\n"
    (root / "broken" / "mission.yaml").write_text(f"{head}{step}\n")
    return root


async def test_lint_is_silent_about_what_is_right(gonogo):
    told = await gonogo("lint", str(MISSIONS))

    assert (0, "no findings\n") == (told.code, told.out)
    assert [] == (await gonogo("lint", str(MISSIONS / "incident_triage"), "--json")).json


async def test_lint_tells_every_finding_in_a_line_of_its_own(gonogo, tmp_path):
    told = await gonogo("lint", str(workspace(tmp_path, "agent: retrievr", "task: look", "contxt: [alert]")))

    assert 1 == told.code
    assert all("broken/mission.yaml:" in line for line in told.out.splitlines())
    found = (await gonogo("lint", str(tmp_path / "missions"), "--json")).json
    assert len(found) == len(told.out.splitlines())
    assert {"file", "line", "column", "code", "message", "mend"} == set(found[0])


async def test_lint_of_nothing_is_a_usage_error(gonogo, tmp_path):
    assert 2 == (await gonogo("lint", str(tmp_path / "none"))).code
