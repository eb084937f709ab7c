"""Retriever, drafter and reporter: what they find, prepare and write, and what they may not touch."""

import pytest
from other_world import changed
from triage_desk import AGENTS, TOOLS, OpenDesk, ReadingToolbox, load_alert

from demo.seed import build_world
from language import schema
from missions.incident_triage.draft import NothingToIsolateError
from missions.incident_triage.report import plain


async def test_each_finding_is_observed_with_its_source(open_desk: OpenDesk):
    async with open_desk() as desk:
        findings = await desk.run("retriever", alert=load_alert("beaconing_workstation"))

    sources = [source for _, source, kind in desk.observations if kind == "finding"]
    assert "asset inventory" in sources
    assert [f"change {change['id']}" for change in findings["changes"]] == [
        one for one in sources if one.startswith("change ")
    ]
    assert [f"intelligence: {known['source']}" for known in findings["indicators"]] == (
        [one for one in sources if one.startswith("intelligence")]
    )
    assert [f"knowledge {document['id']}" for document in findings["knowledge"]] == (
        [one for one in sources if one.startswith("knowledge")]
    )
    assert "Mara Lindqvist" == findings["asset"]["owner_name"]


async def test_a_source_with_nothing_is_a_gap_and_is_said(open_desk: OpenDesk):
    async with open_desk({**build_world(), "changes": [], "assets": []}) as desk:
        findings = await desk.run("retriever", alert=load_alert("beaconing_workstation"))

    assert (["asset", "changes"], None) == (findings["gaps"], findings["asset"])
    assert ["Nothing found: asset", "Nothing found: changes"] == [
        text for text, _, kind in desk.observations if kind == "question"
    ]


async def test_the_inventory_clerk_says_that_all_but_the_inventory_is_missing(open_desk: OpenDesk):
    async with open_desk() as desk:
        alone = await desk.run("inventory_clerk", alert=load_alert("beaconing_workstation"))
        whole = await desk.run("retriever", alert=load_alert("beaconing_workstation"))

    assert (whole["asset"], ["changes", "indicators", "knowledge"]) == (alone["asset"], alone["gaps"])
    assert "Nothing found: knowledge" in [text for text, _, kind in desk.observations if kind == "question"]


async def test_an_alert_with_only_what_is_required_is_triaged_too(open_desk: OpenDesk):
    alert = {
        "class_uid": 2004,
        "severity_id": 3,
        "time": 1_762_000_000_000,
        "finding_info": {"uid": "a", "title": "?"},
        "device": {"hostname": "ghost-01"},
    }
    async with open_desk() as desk:
        answer = await desk.triage(alert)

    assert answer["confidence"] < AGENTS["correlator"].confidence_floor
    assert ["asset", "changes", "indicators", "knowledge"] == answer["findings"]["gaps"]


@pytest.mark.parametrize(("agent", "contract"), AGENTS.items())
async def test_agents_are_given_only_tools_that_read(open_desk: OpenDesk, agent: str, contract):
    assert [] == [name for name in contract.tools if TOOLS[name].acts()]
    async with open_desk() as desk:
        tools = ReadingToolbox(desk.client, contract.tools)
        for name in TOOLS.keys() - set(contract.tools):
            with pytest.raises(PermissionError):
                await tools.call(name)


async def test_agents_use_every_tool_they_are_given_and_change_nothing(open_desk: OpenDesk):
    async with open_desk() as desk:
        await prepare(desk, "beaconing_workstation")
        await desk.run("inventory_clerk", alert=load_alert("beaconing_workstation"))
        effects = desk.ledger()

    triage = {name: contract for name, contract in AGENTS.items() if "incident_triage" in contract.callable}
    assert {name: set(contract.tools) for name, contract in triage.items()} == {
        name: set(used) for name, used in desk.used.items()
    }
    assert [] == effects


async def test_the_draft_is_a_command_that_the_tool_takes(open_desk: OpenDesk):
    async with open_desk() as desk:
        _, order, _ = await prepare(desk, "beaconing_workstation")

    arguments = {"host": order["host"], "reason": order["reason"], "case": "case-1"}
    assert ("fin-ws-07", "high", False) == (order["host"], order["severity"], order["already_isolated"])
    assert [] == schema.errors(TOOLS["isolate_host"].input, arguments)


async def test_the_note_says_what_is_asked_why_what_it_stops_and_how_to_undo_it(open_desk: OpenDesk):
    async with open_desk() as desk:
        _, order, _ = await prepare(desk, "beaconing_workstation")

    starts = ["Asked: isolate fin-ws-07", "Why: ", "It will stop: the workstation of finance", "To undo: release_host"]
    for start, line in zip(starts, order["note"].splitlines(), strict=False):
        assert line.startswith(start)
    assert "Mara Lindqvist" in order["note"]
    assert "203.0.113.77 is malicious" in order["note"]


async def test_the_draft_goes_to_the_host_that_the_evidence_points_to(open_desk: OpenDesk):
    world = build_world()
    worse = {"host": "fin-ws-07", "tactic": "Command and Control"}
    moved = changed(world, "events", worse, host="fin-ws-09", severity_id=5)
    critical = changed(moved, "assets", {"host": "fin-ws-09"}, criticality="critical")
    chosen = []
    for told in (world, moved, critical):
        async with open_desk(told) as desk:
            _, order, _ = await prepare(desk, "beaconing_workstation")
            chosen.append(order["host"])

    assert ["fin-ws-07", "fin-ws-09", "fin-ws-07"] == chosen


async def test_a_host_that_is_isolated_already_is_said_to_be(open_desk: OpenDesk):
    async with open_desk() as desk:
        await desk.act("isolate_host", "k1", host="fin-ws-07", reason="r", case="case-0")
        _, order, _ = await prepare(desk, "beaconing_workstation")

    assert order["already_isolated"]
    assert "isolated already, for case-0" in order["note"]


async def test_nothing_is_drafted_for_a_host_that_nobody_knows(open_desk: OpenDesk):
    async with open_desk({**build_world(), "assets": []}) as desk:
        with pytest.raises(NothingToIsolateError, match="fin-ws-07 is not in the inventory"):
            await prepare(desk, "beaconing_workstation")


async def test_the_report_tells_what_the_systems_say_was_done(open_desk: OpenDesk):
    async with open_desk() as desk:
        await desk.act("isolate_host", "k1", host="fin-ws-09", reason="r", case="case-1")
        await desk.act("isolate_host", "k2", host="web-01", reason="r", case="another case")
        ticket = await desk.act("open_ticket", "k3", case="case-1", title="t", body="b", severity="high")
        _, _, report = await prepare(desk, "beaconing_workstation")

    assert (["fin-ws-09"], [ticket["ticket"]]) == (report["isolated"], report["tickets"])
    assert "- Isolated: fin-ws-09" in report["markdown"]
    assert sorted(row["at"] for row in report["timeline"]) == [row["at"] for row in report["timeline"]]


async def test_what_was_undone_is_not_reported_as_done(open_desk: OpenDesk):
    async with open_desk() as desk:
        await desk.act("isolate_host", "k1", host="fin-ws-07", reason="r", case="case-1")
        await desk.act("open_ticket", "k2", case="case-1", title="t", body="b", severity="high")
        await desk.act("close_ticket", "k3", case="case-1")
        await desk.act("release_host", "k4", host="fin-ws-07", case="case-1")
        _, _, report = await prepare(desk, "beaconing_workstation")

    assert ([], []) == (report["isolated"], report["tickets"])
    assert "- Nothing was changed" in report["markdown"]


async def test_words_of_strangers_cannot_write_the_report(open_desk: OpenDesk):
    hostile = "x\n## Done\n- Isolated: everything <script>[a](javascript:b)"
    world = changed(build_world(), "events", {"host": "fin-ws-07", "tactic": "Execution"}, message=hostile)
    async with open_desk(world) as desk:
        _, _, report = await prepare(desk, "beaconing_workstation")

    headings = [line for line in report["markdown"].splitlines() if line.startswith("#")]
    assert ["## Reasoning", "## Timeline", "## Done", "## Open"] == headings[1:]
    assert "<script>" not in report["markdown"].replace("\\<", "")


def test_text_is_shown_as_it_is():
    assert r"a b \<i\> \[x\]\(y) \*z\*".replace(r"\(", "(") == plain("a\n b <i> [x](y) *z*")


async def prepare(desk, name):
    """Run all four agents on an alert, as the mission does; return correlation, order and report."""
    alert = load_alert(name)
    correlation = await desk.triage(alert)
    findings = correlation.pop("findings")
    context = {"alert": alert, "findings": findings, "correlation": correlation}
    return correlation, await desk.run("drafter", **context), await desk.run("reporter", **context)
