"""The executor weighs an action again: by its own workspace, by what people signed, whatever the mission says."""

from pathlib import Path
from typing import Any

import pytest

from activities.actions import ActionExecutor
from activities.authority import Authority
from activities.governance import Governance
from activities.mcp_tools import ToolServers
from activities.people import Directory
from activities.scales import Scales
from contracts.decision import Action, Subject
from contracts.risk import Facts, Reading
from tests.activities import office
from tests.activities.activity_stage import failing, stage, told
from tests.activities.office import call, lineage, undo
from tests.activities.service import Service, tools
from tests.policies import OPEN

RISK = """
factors: {it: {weight: 1, value: "%s"}}
levels: {low: {at: 0}, high: {at: 40, people: 1}, grave: {at: 80, people: 2, approvers: [finance]}}
"""
HARMLESS = Reading(score=0, level="low", people=0)
RULES = [""]
"""The version of the rules in force."""


def asked_now(**fields: Any) -> Subject:
    """Return what people are asked under the rules in force."""
    return office.subject(governance=RULES[0], **fields)


@pytest.fixture
def weighing(home: Path, servers: ToolServers, tmp_path: Path) -> Any:
    """Return how to have an executor that weighs by an expression."""

    people, policy = Directory(home / "people.yaml"), OPEN
    governance = Governance(people, policy, Scales(tmp_path / "risk.yaml"), tools())

    def executor(value: str) -> ActionExecutor:
        (tmp_path / "risk.yaml").write_text(RISK % value)
        RULES[0] = governance.version()
        return ActionExecutor(
            tools(), servers, Authority(tools(), people, lineage, policy=policy, governance=governance)
        )

    return executor


async def test_what_its_contract_frees_runs_unasked_while_the_risk_is_low(weighing: Any, service: Service) -> None:
    await stage().run(weighing("0.1").execute, call("file_ticket"))

    assert ["file_ticket"] == service.tools_called()


@pytest.mark.parametrize(("value", "people"), [("0.5", 1), ("arguments.missing", 2), ("weekday > 5 ? 1.0 : 0.0", 2)])
async def test_what_its_contract_frees_needs_an_approval_where_the_risk_is_high(
    weighing: Any, service: Service, value: str, people: int
) -> None:
    for risk in (None, HARMLESS):
        error = await failing(stage().run(weighing(value).execute, call("file_ticket", risk=risk)))

        assert f"file_ticket is to be asked again: its risk asks for {people} to approve it" == error.message
        assert ("outdated", "no", False) == told(error)
        assert people == error.details[0]["people"]
    assert [] == service.calls


async def test_what_people_were_asked_about_for_its_risk_runs_on_their_word(
    weighing: Any, home: Path, service: Service
) -> None:
    executor = weighing("0.5")
    asked = asked_now(tool="file_ticket", compensation=None, risk=HARMLESS)

    await stage().run(executor.execute, call("file_ticket", grant=office.grant(home, asked, "anna")))

    assert ["file_ticket"] == service.tools_called()


async def test_a_list_of_harmless_actions_frees_none_that_it_does_not_hold(weighing: Any, home: Path) -> None:
    other = Action(step="remediate/other", tool="file_ticket", arguments={"host": "calm"})
    shown = office.subject(step="remediate", tool=None, arguments=None, compensation=None, actions=(other,))
    grant = office.grant(home, shown, "anna")

    executor = weighing("arguments.host == 'calm' ? 0.0 : 0.9")
    error = await failing(stage().run(executor.execute, call("file_ticket", grant=grant)))

    assert "is none of the actions that people approved together at 'remediate'" in error.message


@pytest.mark.parametrize(
    ("names", "fields", "reason"),
    [
        (("anna",), {}, "its risk asks for more: 1 of 2 approvals are there"),
        (("anna",), {"risk": HARMLESS}, "its risk asks for more: 1 of 2 approvals are there"),
        (("anna", "bert"), {"risk": HARMLESS}, ""),
        (("carl", "anna"), {"own": ("secops",), "own_required": 1, "approvers": ("secops", "finance")}, ""),
        (
            ("carl", "dana"),
            {"own": ("secops",), "own_required": 1, "approvers": ("secops", "finance")},
            "0 of 1 approvals of secops are there",
        ),
        (
            ("carl", "dana"),
            {"own": ("secops",), "own_required": 0, "approvers": ("secops", "finance")},
            "0 of 1 approvals of secops are there",
        ),
    ],
)
async def test_the_quorum_of_a_grave_risk_is_counted_by_the_executor(
    weighing: Any, home: Path, names: tuple[str, ...], fields: dict[str, Any], reason: str
) -> None:
    executor = weighing("arguments.host == 'web-01' ? 0.9 : 0.0")
    grant = office.grant(home, asked_now(**fields), *names)
    work = stage().run(executor.execute, call(grant=grant))

    if reason:
        again = "is to be asked again" if "risk" in reason else "was refused"
        assert f"isolate_host {again}: {reason}" == (await failing(work)).message
    else:
        assert {"isolated": "web-01"} == (await work).output


async def test_the_facts_that_people_signed_are_weighed_and_no_others(weighing: Any, home: Path) -> None:
    executor = weighing("confidence != null && confidence > 0.5 ? 0.0 : 0.9")
    unsure = Reading(score=0, level="low", people=0, facts=Facts(confidence=0.2))
    sure = unsure.model_copy(update={"facts": Facts(confidence=0.9)})
    grant = office.grant(home, asked_now(risk=unsure), "anna")
    dressed = grant.model_copy(update={"subject": asked_now(risk=sure)})

    assert "1 of 2 approvals" in (await failing(stage().run(executor.execute, call(grant=grant, risk=sure)))).message
    assert "has changed since" in (await failing(stage().run(executor.execute, call(grant=dressed)))).message


async def test_what_undoes_is_never_weighed(weighing: Any, home: Path) -> None:
    await stage().run(weighing("1.0").execute, undo(grant=office.grant(home, office.subject(), "anna")))


async def test_where_the_file_cannot_be_read_nothing_that_acts_runs_and_once_mended_it_does(
    weighing: Any, tmp_path: Path, service: Service
) -> None:
    executor = weighing("0.0")
    await stage().run(executor.execute, call("file_ticket"))
    for broken in ("factors: [", "factors: {}", RISK % "argument.x"):
        (tmp_path / "risk.yaml").write_text(broken)
        error = await failing(stage().run(executor.execute, call("file_ticket")))
        assert error.message.startswith("file_ticket was refused: nobody can say now how risky it is: ")
    await stage().run(executor.execute, call("look"))

    weighing("0.1")
    await stage().run(executor.execute, call("file_ticket"))

    assert ["file_ticket", "look", "file_ticket"] == service.tools_called()
