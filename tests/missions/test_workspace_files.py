"""The shipped workspace: its files agree with each other, with its code, and with the systems they name."""

import json
from importlib import import_module

import pytest
from mcp.client.client import Client
from triage_desk import AGENTS, ALERTS, MISSIONS, PEOPLE, TOOLS, load_alert
from triage_mission import shipped_plan

from demo.seed import build_world
from demo.server import CompanyServer
from language import schema
from language.steps import every_step, gate_of


def test_the_mission_loads_without_findings():
    assert "incident_triage" == shipped_plan().definition.mission


@pytest.mark.parametrize(("name", "agent"), AGENTS.items())
def test_each_agent_is_code_that_is_there_with_tools_that_are_named(name: str, agent):
    module, _, attribute = agent.callable.partition(":")

    assert callable(getattr(import_module(module), attribute))
    assert set(agent.tools) <= TOOLS.keys()
    assert [] == list(schema.check_schema(agent.output))
    assert agent.description
    assert agent.team


async def test_each_tool_is_offered_with_the_arguments_that_its_contract_names(opened: CompanyServer):
    async with Client(opened) as client:
        offered = {tool.name: tool.input_schema for tool in (await client.list_tools()).tools}

    assert offered.keys() == TOOLS.keys()
    for name, tool in TOOLS.items():
        assert set(tool.input["properties"]) <= set(offered[name]["properties"])
        assert set(offered[name]["required"]) == set(tool.input["required"])
        assert [] == list(schema.check_schema(tool.input)) + list(schema.check_schema(tool.output))


@pytest.mark.parametrize(("name", "tool"), [(name, tool) for name, tool in TOOLS.items() if tool.acts()])
def test_what_acts_is_repeatable_and_can_be_undone_by_hand(name: str, tool):
    assert "key" == tool.idempotency
    for undo in tool.compensated_by:
        assert TOOLS[undo].manual
        assert set(TOOLS[undo].input["required"]) <= set(tool.input["required"])
    assert tool.compensated_by or tool.manual


def test_only_tickets_and_what_an_approved_change_allows_act_without_approval():
    free = {name for name, tool in TOOLS.items() if tool.acts() and not tool.needs_approval()}

    assert {"open_ticket", "close_ticket", "patch_host", "unpatch_host"} == free


def test_people_have_names_and_roles_and_no_keys():
    assert all(person.name and person.roles for person in PEOPLE.people.values())
    assert [] == [name for name, person in PEOPLE.people.items() if person.keys]


def test_whoever_is_asked_exists_and_there_is_somebody_to_escalate_to():
    gates = [gate for step in every_step(shipped_plan().definition) if (gate := gate_of(step))]
    asked = {name for gate in gates for rung in (gate, *gate.escalation) for name in rung.approvers}

    assert asked == {"secops_oncall", "secops_lead", "incident_commander"}
    assert asked <= PEOPLE.roles()
    assert PEOPLE.escalation.role in PEOPLE.roles()


@pytest.mark.parametrize("path", sorted(ALERTS.iterdir()), ids=lambda path: path.stem)
def test_each_alert_is_what_the_siem_holds_and_what_the_mission_takes(path):
    alert = load_alert(path.stem)

    assert alert in build_world()["alerts"]
    assert [] == schema.errors(shipped_plan().definition.inputs, json.loads(path.read_text()))


@pytest.mark.parametrize("field", ["class_uid", "time", "device", "finding_info"])
def test_an_alert_without_what_triage_needs_is_refused(field: str):
    alert = load_alert("large_upload")
    del alert[field]

    assert schema.errors(shipped_plan().definition.inputs, {"alert": alert})


def test_the_readme_names_every_alert():
    text = (MISSIONS / "incident_triage" / "README.md").read_text()

    assert [] == [path.stem for path in ALERTS.iterdir() if f"`{path.stem}`" not in text]
