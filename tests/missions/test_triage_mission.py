"""The incident mission from alert to verdict, and what the world has seen of it afterwards."""

import pytest
from triage_desk import OpenDesk, load_alert
from triage_mission import carry_out

from contracts.decision import Opening
from demo.fault import Fault, order_fault
from demo.seed import build_world


def nobody(opening: Opening) -> None:
    return None


def approve(opening: Opening) -> tuple[str, str]:
    return "somebody", "approve"


def reject(opening: Opening) -> tuple[str, str]:
    return "somebody", "reject"


def seen(desk) -> list[tuple[str, bool]]:
    return [(effect["tool"], effect["changed"]) for effect in desk.ledger()]


def asked(run) -> list[tuple[str, tuple[str, ...]]]:
    return [(opening.subject.step, opening.subject.approvers) for opening in run.ports.openings]


async def test_approved_the_host_is_isolated_and_the_incident_filed(open_desk: OpenDesk):
    async with open_desk() as desk:
        run, verdict = await carry_out(desk, load_alert("beaconing_workstation"), approve)

    assert "auto_remediate" == verdict
    assert [("isolate_host", True), ("open_ticket", True)] == seen(desk)
    assert [("remediate/isolate", ("secops_oncall",))] == asked(run)
    report = run.scope.variables.values["report"]
    assert (["fin-ws-07"], 1) == (report["isolated"], len(report["tickets"]))


async def test_people_see_the_arguments_and_the_whole_trail(open_desk: OpenDesk):
    async with open_desk() as desk:
        run, _ = await carry_out(desk, load_alert("beaconing_workstation"), approve)

    (opening,) = run.ports.openings
    (isolated, _) = desk.ledger()
    assert isolated["arguments"] == opening.subject.arguments
    assert "release_host" == opening.subject.compensation
    assert {"alert", "findings", "correlation", "order"} == set(opening.context)
    assert opening.subject.message.startswith("Asked: isolate fin-ws-07")


async def test_rejected_the_case_goes_to_people_and_nothing_is_isolated(open_desk: OpenDesk):
    async with open_desk() as desk:
        _, verdict = await carry_out(desk, load_alert("beaconing_workstation"), reject)

    assert ("escalate", [("open_ticket", True)]) == (verdict, seen(desk))


async def test_unanswered_it_climbs_to_the_lead_and_then_is_refused(open_desk: OpenDesk):
    async with open_desk() as desk:
        run, verdict = await carry_out(desk, load_alert("encrypting_workstation"), nobody)

    assert [("remediate/isolate", ("secops_oncall",)), ("remediate/isolate", ("secops_lead",))] == asked(run)
    assert ["0:30:00", "0:30:00"] == [str(one.deadline - one.opened_at) for one in run.ports.openings]
    assert ("escalate", [("open_ticket", True)]) == (verdict, seen(desk))


@pytest.mark.parametrize("name", ["internal_port_sweep", "large_upload"])
async def test_dismissing_asks_nobody_and_changes_nothing(open_desk: OpenDesk, name: str):
    async with open_desk() as desk:
        run, verdict = await carry_out(desk, load_alert(name), nobody)

    assert ("dismiss", [], []) == (verdict, asked(run), seen(desk))


async def test_what_is_not_for_automation_is_filed_for_people(open_desk: OpenDesk):
    async with open_desk() as desk:
        run, verdict = await carry_out(desk, load_alert("directory_credentials"), nobody)

    (ticket,) = desk.ledger()
    assert ("escalate", [], "open_ticket") == (verdict, asked(run), ticket["tool"])
    assert "probability of harm" in ticket["arguments"]["body"]


@pytest.mark.parametrize(
    ("people", "verdict", "effects"), [(approve, "dismiss", []), (reject, "escalate", [("open_ticket", True)])]
)
async def test_below_the_floor_people_say_how_to_go_on(open_desk: OpenDesk, people, verdict: str, effects):
    async with open_desk() as desk:
        run, came_to = await carry_out(desk, load_alert("unlikely_travel"), people)

    assert [("correlate/review", ("secops_lead",))] == asked(run)
    assert (verdict, effects) == (came_to, seen(desk))
    assert {"alert", "findings", "correlation"} == set(run.ports.openings[0].context)


async def test_below_the_floor_silence_hands_the_case_to_people(open_desk: OpenDesk):
    async with open_desk() as desk:
        run, verdict = await carry_out(desk, load_alert("unlikely_travel"), nobody)

    assert [("secops_lead",), ("incident_commander",)] == [approvers for _, approvers in asked(run)]
    assert ("escalate", [("open_ticket", True)]) == (verdict, seen(desk))


@pytest.mark.parametrize(
    ("people", "verdict", "gates"),
    [
        (approve, "auto_remediate", ["correlate/review", "remediate/isolate"]),
        (reject, "escalate", ["correlate/review"]),
    ],
)
async def test_an_unsure_isolation_needs_both_the_review_and_the_approval(
    open_desk: OpenDesk, people, verdict: str, gates: list[str]
):
    knows_little = {**build_world(), "events": [], "indicators": [], "documents": []}
    async with open_desk(knows_little) as desk:
        run, came_to = await carry_out(desk, load_alert("beaconing_workstation"), people)

    assert (verdict, gates) == (came_to, [step for step, _ in asked(run)])


@pytest.mark.parametrize("mode", ["fail", "act_then_fail"])
async def test_a_ticket_that_cannot_be_filed_for_good_releases_the_host(open_desk: OpenDesk, mode: str):
    async with open_desk() as desk:
        order_fault(desk.store, Fault(tool="open_ticket", mode=mode))
        run, _ = await carry_out(desk, load_alert("beaconing_workstation"), approve)
        status = (await desk.client.call_tool("host_status", {"host": "fin-ws-07"})).structured_content

    undone = [("isolate_host", True), ("release_host", True)]
    if mode == "act_then_fail":
        undone[1:1] = [("open_ticket", True), ("close_ticket", True)]
    assert ("failed", undone) == (run.state, seen(desk))
    assert "connected" == status["status"]


async def test_a_ticket_that_fails_at_first_is_filed_once(open_desk: OpenDesk):
    async with open_desk() as desk:
        order_fault(desk.store, Fault(tool="open_ticket", mode="act_then_fail", times=2))
        _, verdict = await carry_out(desk, load_alert("beaconing_workstation"), approve)

    assert ("auto_remediate", [("isolate_host", True), ("open_ticket", True)]) == (verdict, seen(desk))
