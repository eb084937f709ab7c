"""The demo as a process: it leaves a mission waiting, takes it up again, and brings it to its verdict."""

import json
import re
import signal

import pytest
from launched import beside, dev, ended, line_with
from terminal import at_terminal

from starter import footprint
from starter.demo import demo
from starter.ports import free_port, is_free
from starter.problem import Usage


async def told(home, *options, **environment):
    """Run the demo without a terminal; return its exit code and all that it said."""
    code, out, err = await ended(await beside("demo", home, *options, **environment))
    return code, out + err


async def steered_while_it_asks(home, port):
    """A question that was settled from elsewhere is asked no more, and what came of it is told."""
    there = {"TEMPORAL_ADDRESS": f"127.0.0.1:{port}"}

    async def elsewhere(verb, *options):
        code, out, err = await ended(await beside(verb, home, mission, *options, **there))
        assert 0 == code, out + err
        await person.until("meanwhile, from elsewhere:")

    async with at_terminal("demo", GONOGO_HOME=str(home)) as (person, _):
        mission = re.search(r"demo-\w+-[0-9a-f]{6}", await person.until("Web UI"))[0]
        await person.until("[l]eave it waiting: ")
        await elsewhere("rollback", "--to", "correlate", "--reason", "anew", "--as", "viktor")
        assert "viktor: rollback correlate" in await person.until("[l]eave it waiting: ")
        await elsewhere("reject", "isolate", "--comment", "not today", "--as", "bram")
        assert "rejected by bram" in await person.until("escalate")


@pytest.mark.slow
async def test_from_waiting_to_a_verdict_alone_and_beside_a_dev_that_stops_on_ctrl_c(tmp_path):
    ports = [f"--{name}={free_port()}" for name in ("port", "ui-port", "company-port")]
    code, left = await told(tmp_path, *ports)

    assert 0 == code, left
    assert "goes on waiting. Nobody is here to answer, and DECIDE is not set." in left
    assert "make demo DECIDE=approve" in left
    assert footprint.read(tmp_path) is None
    assert {"600"} == {f"{file.stat().st_mode & 0o777:o}" for file in (tmp_path / "keys").iterdir()}

    async with dev(tmp_path) as running:
        await line_with(running.stdout, "Ctrl-C")

        code, modified = await told(tmp_path, DECIDE="modify")
        assert 0 == code, modified
        assert left.split("new mission")[1].split()[0] == modified.split("taken up again")[1].split()[0]
        assert "open again with the changed arguments" in modified
        assert "verdict  auto_remediate" in modified

        code, rejected = await told(tmp_path, DECIDE="reject")
        assert 0 == code, rejected
        assert "rejected by" in rejected
        assert "isolate_host done" not in rejected
        assert "verdict  escalate" in rejected

        await steered_while_it_asks(tmp_path, running.ports[0])

        running.send_signal(signal.SIGINT)
        assert 0 == (await ended(running))[0]
        assert all(is_free(port) for port in running.ports)


@pytest.mark.parametrize(("name", "value", "said"), [("DECIDE", "maybe", "write approve, reject or modify")])
def test_an_answer_that_does_not_exist_is_a_usage_error(monkeypatch, name, value, said):
    monkeypatch.setenv(name, value)

    with pytest.raises(Usage, match=said):
        demo()


async def test_an_alert_that_does_not_exist_names_those_that_do(tmp_path):
    code, said = await told(tmp_path, ALERT="no_such_alert")

    assert (2, True) == (code, "or one of beaconing_workstation, " in said), said


def test_the_shipped_alerts_are_documents_that_start_takes(pytestconfig):
    for file in (pytestconfig.rootpath / "missions/incident_triage/alerts").glob("*.json"):
        assert ["alert"] == list(json.loads(file.read_text()))
