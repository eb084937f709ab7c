"""`create_prd` on Temporal: real agents, signed decisions, each of its ways out."""

import json
from typing import Any

import pytest
from live_mission import LiveMissions, Running, load_input

from tests.workflows.test_mission import replays

REQUEST = load_input("create_prd", "requests/field_console.json")
LATER = "Postpone the calibration reminders."


async def begun(live: LiveMissions, **changed: Any) -> Running:
    """Start it and let the research lead pass the findings."""
    started = await live.start("create_prd", {**REQUEST, **changed}, requested_by="priya")
    await started.answer("look", "leif")
    return started


async def asked_for(started: Running, comment: str) -> None:
    """Request changes: a rejection that says what must change, and the word that it shall be revised."""
    await started.answer("accept", "amara", "reject", comment)
    await started.answer("revise", "jonas")


def places(draft: dict[str, Any]) -> dict[str, str]:
    return {row["id"]: row["place"] for row in draft["scope"]}


async def test_a_draft_is_approved_as_it_stands(live: LiveMissions):
    started = await begun(live)
    await started.answer("accept", "jonas")
    result = await started.result()
    page = await started.output("format")

    assert ("completed", "approved") == (result.state, result.verdict)
    assert "Approved by jonas." == page["decided"]
    assert "Trade register 2026" in page["markdown"]
    assert [] == await live.effects(started)
    await replays(started.handle)


async def test_what_stakeholders_ask_for_is_worked_in(live: LiveMissions):
    started = await begun(live)
    before = (await started.gate("accept")).context["draft"]
    await asked_for(started, f"{LATER} We have only 8 weeks. Who pays for the boat?")
    after = (await started.gate("accept")).context["draft"]
    await started.answer("accept", "amara")
    result = await started.result()

    assert "approved" == result.verdict
    assert ("now", "later") == (places(before)["N2"], places(after)["N2"])
    assert (10, 8) == (before["capacity"], after["capacity"])
    assert any("Who pays for the boat" in question for question in after["open_questions"])
    assert LATER.rstrip(".") in (await started.output("format"))["markdown"]
    await replays(started.handle)


async def test_a_draft_is_given_up_for_good(live: LiveMissions):
    started = await begun(live)
    await started.answer("accept", "amara", "reject", "Nobody will buy it")
    await started.answer("revise", "amara", "reject", "We stop here")
    result = await started.result()

    assert ("completed", "rejected") == (result.state, result.verdict)
    assert "Rejected by amara: We stop here." == (await started.output("format"))["decided"]


@pytest.mark.parametrize(("verb", "verdict"), [("approve", "approved"), ("reject", "rejected")])
async def test_after_five_rounds_the_head_of_product_decides(live: LiveMissions, verb: str, verdict: str):
    started = await begun(live)
    for number in range(1, 6):
        await asked_for(started, f"We have only {10 - number} weeks.")
    draft = (await started.gate("settle")).context["draft"]
    await started.answer("settle", "tamsin", verb)

    assert verdict == (await started.result()).verdict
    assert (5, 6) == (draft["round"], draft["capacity"])


async def test_where_nobody_answers_it_ends_escalated(hurried: LiveMissions):
    started = await hurried.start("create_prd", REQUEST, requested_by="priya")
    result = await started.result()

    assert ("completed", "escalated") == (result.state, result.verdict)
    assert "unopposed" == (await started.output("look"))["decision"]
    assert (await started.output("format"))["decided"].startswith("Not decided")


async def test_an_objection_at_the_review_is_the_first_change(live: LiveMissions):
    started = await live.start("create_prd", REQUEST, requested_by="priya")
    await started.answer("look", "leif", "reject", "Leave out the alarms.")
    draft = (await started.gate("accept")).context["draft"]

    assert "out" == places(draft)["N3"]
    assert [("leif", "N3 is out")] == [(change["by"], change["done"]) for change in draft["changes"]]
    await started.answer("accept", "amara")
    assert "approved" == (await started.result()).verdict


@pytest.mark.parametrize(
    ("fresh", "stale", "winner"), [("registry", "panel", "by_register"), ("panel", "registry", "by_panel")]
)
async def test_the_source_that_makes_sure_enough_wins_the_race(live: LiveMissions, fresh: str, stale: str, winner: str):
    swapped = {fresh: REQUEST["registry"], stale: REQUEST["panel"]}
    started = await begun(live, **swapped)
    draft = (await started.gate("accept")).context["draft"]

    assert winner == draft["market"]["winner"]
    await started.answer("accept", "amara")
    await started.result()


async def test_a_market_that_nobody_is_sure_of_is_an_open_question(live: LiveMissions):
    started = await begun(live, registry=REQUEST["panel"])
    draft = (await started.gate("accept")).context["draft"]

    assert draft["market"] is None
    assert "How large is the market" in json.dumps(draft["open_questions"])
    await started.answer("accept", "amara")
    assert "approved" == (await started.result()).verdict


async def test_who_asked_for_it_and_who_is_no_stakeholder_cannot_accept_it(live: LiveMissions):
    started = await live.start("create_prd", REQUEST, requested_by="amara")
    await started.answer("look", "leif")
    opening = await started.gate("accept")
    own, other = [await started.decide(opening, person) for person in ("amara", "leif")]
    await started.answer("accept", "jonas")

    assert (False, False) == (own.accepted, other.accepted)
    assert "approved" == (await started.result()).verdict
