"""`architecture_review` on Temporal: real agents, the real company, signed decisions, each of its ways out."""

from typing import Any

import pytest
from live_mission import LiveMissions, Running, load_input
from temporalio.client import WorkflowFailureError

from tests.workflows.test_mission import replays

HUB, LABELS, TWIN = (
    load_input("architecture_review", f"proposals/{name}.json")
    for name in ("measurement_hub", "label_printing", "live_twin")
)


async def begun(live: LiveMissions, given: dict[str, Any]) -> Running:
    return await live.start("architecture_review", given, requested_by="devon")


async def done(live: LiveMissions, started: Running) -> list[str]:
    return [effect["tool"] for effect in await live.effects(started)]


async def test_a_complex_design_is_refined_approved_twice_and_published(live: LiveMissions):
    started = await begun(live, HUB)
    await started.answer("ask_lead", "ingrid", comment="mind the cache")
    asked = await started.gate("ask_cto")
    await started.answer("ask_cto", "sanna")
    await started.answer("publish", "otis")
    result = await started.result()
    rounds = [one.path for one in (await started.state()).records if one.path.endswith("/draft")]
    [published, filed] = await live.effects(started)

    assert ("completed", "published") == (result.state, result.verdict)
    assert ["refine[1]/draft", "refine[2]/draft", "refine[3]/draft"] == rounds
    assert "mind the cache" in asked.subject.message
    assert ("publish_document", "open_ticket") == (published["tool"], filed["tool"])
    assert "The CTO: approved by sanna" in published["arguments"]["body"]
    assert published["result"]["document"] in filed["arguments"]["body"]
    await replays(started.handle)


async def test_a_simple_design_asks_for_its_publication_alone(live: LiveMissions):
    started = await begun(live, LABELS)
    await started.answer("publish", "otis")

    assert "published" == (await started.result()).verdict
    assert ["publish_document", "open_ticket"] == await done(live, started)


@pytest.mark.parametrize("refusing", ["ask_lead", "ask_cto"])
async def test_whoever_of_the_chain_refuses_rejects_it(live: LiveMissions, refusing: str):
    started = await begun(live, HUB)
    await started.answer("ask_lead", "ingrid", "reject" if refusing == "ask_lead" else "approve")
    if refusing == "ask_cto":
        await started.answer("ask_cto", "sanna", "reject", "we buy one")
    result = await started.result()

    assert ("completed", "rejected") == (result.state, result.verdict)
    assert [] == await done(live, started)
    assert "rejected" == (await started.output("write_record"))["status"]


@pytest.mark.parametrize(("verb", "verdict"), [("approve", "published"), ("reject", "rejected")])
async def test_what_four_rounds_do_not_mend_is_an_exception_that_people_make(
    live: LiveMissions, verb: str, verdict: str
):
    started = await begun(live, TWIN)
    asked = await started.gate("make_an_exception")
    await started.answer("make_an_exception", "ingrid", verb, "for the fair")
    if verb == "approve":
        await started.answer("publish", "otis")
    result = await started.result()

    assert verdict == result.verdict
    assert 4 == asked.context["design"]["round"]
    assert any("P-slow" in finding for finding in asked.context["assessment"]["left"])
    assert f"{verb}{'d' if verb == 'approve' else 'ed'} by ingrid: for the fair" in str(
        await started.output("write_record")
    )


async def test_a_record_that_may_not_be_published_is_withheld(live: LiveMissions):
    started = await begun(live, LABELS)
    await started.answer("publish", "otis", "reject", "not this quarter")

    assert "withheld" == (await started.result()).verdict
    assert [] == await done(live, started)


async def test_what_was_published_is_withdrawn_when_the_work_cannot_be_filed(live: LiveMissions):
    await live.break_tool("open_ticket", times=8)
    try:
        started = await begun(live, LABELS)
        await started.answer("publish", "otis")
        with pytest.raises(WorkflowFailureError):
            await started.result()
    finally:
        await live.mend()
    [published, withdrawn] = await live.effects(started)

    assert ("publish_document", "withdraw_document") == (published["tool"], withdrawn["tool"])
    assert [published["result"]["document"]] == withdrawn["result"]["withdrawn"]
    await replays(started.handle)


async def test_silence_publishes_nothing(hurried: LiveMissions):
    started = await begun(hurried, HUB)

    assert "rejected" == (await started.result()).verdict
    assert [] == await done(hurried, started)


async def test_who_proposed_it_and_who_is_not_asked_cannot_approve(live: LiveMissions):
    started = await live.start("architecture_review", HUB, requested_by="ingrid")
    opening = await started.gate("ask_lead")
    refused = [await started.decide(opening, person) for person in ("ingrid", "sanna", "otis")]
    await started.handle.terminate()

    assert [False] * 3 == [receipt.accepted for receipt in refused]


async def test_parts_that_call_each_other_in_a_circle_are_no_system(live: LiveMissions):
    proposal = LABELS["proposal"]
    last = {**proposal["components"][-1], "calls": [{"to": "renderer", "times": 1, "deferrable": False}]}
    given = {"proposal": {**proposal, "components": [*proposal["components"][:-1], last]}}
    started = await begun(live, given)
    with pytest.raises(WorkflowFailureError):
        await started.result()

    assert "renderer → probe-list → renderer call each other in a circle" in str((await started.state()).reason)
