"""What the agents of `architecture_review` compute, and what must hold of it whatever they are given."""

import random
from typing import Any

import pytest
from architecture_drafts import ASKED, HUB, NAMES, PROPOSALS, chain, other, proposals, reviews, rounds, seeds, total
from hypothesis import given, settings
from hypothesis import strategies as st
from triage_desk import OpenDesk

from missions.architecture_review import cost, performance, security
from missions.architecture_review.architect import AT_ONCE, first
from missions.architecture_review.finding import grave
from missions.architecture_review.judge import complexity_of
from missions.architecture_review.record import plain
from missions.architecture_review.system import (
    NotAnswerableError,
    read_system,
)


@settings(max_examples=20, deadline=None)
@given(proposals, seeds)
def test_the_order_of_the_components_changes_nothing(proposal: dict[str, Any], seed: int):
    mixed = {**proposal, "components": random.Random(seed).sample(proposal["components"], len(proposal["components"]))}
    before, after = rounds(proposal, 3), rounds(mixed, 3)

    assert [one["instances"] for one in before] == [one["instances"] for one in after]
    assert reviews(proposal, before[-1]) == reviews(mixed, after[-1])


@pytest.mark.parametrize("name", NAMES)
def test_each_round_scores_no_worse_than_the_one_before(name: str):
    scores = [total(PROPOSALS[name], design) for design in rounds(PROPOSALS[name], 4)]

    assert sorted(scores) == scores
    assert (name == "live_twin") == (scores[-1] < 90)


@pytest.mark.parametrize(
    ("name", "fields", "gone"),
    [
        ("gateway", {"authenticates": True}, "S-door-gateway"),
        ("gateway", {"exposed": False}, "S-door-gateway"),
        ("people-db", {"encrypted": True}, "S-clear-people-db"),
        ("people-db", {"holds": "nothing"}, "S-clear-people-db"),
        ("store", {"encrypted": True}, "S-clear-store"),
    ],
)
def test_what_is_mended_in_the_proposal_is_found_no_more(name: str, fields: dict[str, Any], gone: str):
    before = security.reviewed(HUB, first(HUB))
    after = security.reviewed(mended := other(HUB, name, **fields), first(mended))

    assert gone in {finding["id"] for finding in before["findings"]}
    assert gone not in {finding["id"] for finding in after["findings"]}
    assert before["score"] < after["score"]


def test_a_door_is_as_grave_as_what_lies_behind_it():
    def door(holds: str) -> int:
        told = other(other(HUB, "people-db", holds=holds), "store", holds="nothing")
        told = other(told, "register-db", holds="nothing")
        found = security.reviewed(told, first(told))["findings"]
        return next(one["severity"] for one in found if one["id"] == "S-door-gateway")

    assert [3, 4, 5] == [door(holds) for holds in ("nothing", "measurements", "personal")]


def test_a_looser_target_is_never_missed_by_more():
    for target, looser in (("response_ms", 1000), ("availability", 0.5), ("monthly_eur", 90_000)):
        relaxed = {**HUB, "targets": {**HUB["targets"], target: looser}}
        design = first(HUB)
        assert total(HUB, design) <= total(relaxed, design)


def test_a_part_that_has_no_room_for_a_burst_is_found():
    proposal = chain(10, 10, peak_rps=80)
    [first_busy, second_busy] = performance.reviewed(proposal, first(proposal))["findings"]
    calm = chain(10, 10, peak_rps=70)

    assert (2, {"kind": "grow", "component": "p0", "to": ""}) == (first_busy["severity"], first_busy["mend"])
    assert "p1" == second_busy["component"]
    assert [] == performance.reviewed(calm, first(calm))["findings"]


def test_only_what_still_has_room_is_taken_away_for_money():
    proposal = chain(10, 10, peak_rps=280, monthly_eur=1)
    roomy = {**first(proposal), "instances": {"p0": 6, "p1": 3}}
    [dear] = cost.reviewed(proposal, roomy)["findings"]
    [tight] = cost.reviewed(proposal, first(proposal))["findings"]

    assert {"kind": "shrink", "component": "p0", "to": ""} == dear["mend"]
    assert tight["mend"] is None


@settings(max_examples=20, deadline=None)
@given(proposals, st.integers(2, 5))
def test_a_round_takes_the_gravest_few_measures_and_none_twice(proposal: dict[str, Any], number: int):
    drafts = rounds(proposal, number)
    last = drafts[-1]["measures"]
    new = [one for one in last if one["round"] == number]
    lasting = [(one["kind"], one["component"], one["to"]) for one in last if one["kind"] not in {"grow", "shrink"}]
    found = [finding for review in reviews(proposal, drafts[-2]) for finding in review["findings"]]
    asked = {finding["id"]: finding["severity"] for finding in found if finding["mend"] is not None}

    assert len(new) <= AT_ONCE
    assert len(set(lasting)) == len(lasting)
    assert {one["because"] for one in new} <= asked.keys()
    untaken = asked.keys() - {one["because"] for one in last}
    assert max((asked[name] for name in untaken), default=0) <= min((asked[one["because"]] for one in new), default=5)
    assert last[: len(drafts[-2]["measures"])] == drafts[-2]["measures"]


@pytest.mark.parametrize(("over", "severity"), [(1.01, 1), (1.25, 2), (1.5, 3), (2.0, 5), (40.0, 5)])
def test_a_target_is_missed_the_more_gravely_the_further(over: float, severity: int):
    assert severity == grave(over)


def test_more_parts_calls_doors_and_data_are_more_complex():
    def told(proposal: dict[str, Any]) -> float:
        return complexity_of(read_system(proposal, []), 0)[0]

    assert told(PROPOSALS["label_printing"]) < told(PROPOSALS["live_twin"]) < told(HUB)
    assert (
        told(HUB)
        < told(other(HUB, "portal", exposed=True))
        < told(other(HUB, "portal", exposed=True, holds="personal"))
    )


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        (other(HUB, "messenger", calls=[{"to": "gateway", "times": 1, "deferrable": False}]), "in a circle"),
        (
            other(HUB, "messenger", calls=[{"to": "nobody", "times": 1, "deferrable": False}]),
            "no component is named nobody",
        ),
        (other(HUB, "messenger", name="alarms"), "have the same name"),
        ({**HUB, "entry": "elsewhere"}, "no component is named elsewhere"),
    ],
)
def test_what_is_no_system_is_said_in_a_sentence(changed: dict[str, Any], said: str):
    with pytest.raises(NotAnswerableError, match=said):
        first(changed)


async def test_the_record_says_who_decided_and_what_is_wrong_still(open_desk: OpenDesk):
    proposal = {**PROPOSALS["live_twin"], "title": "Twin | <b>\n# of all"}
    async with open_desk() as desk:
        known: dict[str, Any] = {
            "proposal": proposal,
            "design": None,
            "security": None,
            "performance": None,
            "cost": None,
        }
        for _ in range(2):
            known["design"] = await desk.run("architect", **known)
            for name in ("security", "performance", "cost"):
                given = {"proposal": proposal, "design": known["design"]}
                known[name] = await desk.run(f"{name}_reviewer", **given)
        assessment = await desk.run("assessor", **known)
        word = {"approved": True, "decision": "approved", "by": ["ingrid"], "comment": "for the fair"}
        words = {"exception": word, "lead_word": ASKED, "cto_word": {**ASKED, "decision": "timed_out"}}
        record = await desk.run("recorder", **known, assessment=assessment, **words)

    assert "rejected" == record["status"]
    assert "approved by ingrid: for the fair" in record["decided"][0]
    assert "The CTO: timed out by nobody" == record["decided"][1]
    assert [] == [finding for finding in assessment["left"] if plain(finding) not in record["markdown"]]
    assert record["markdown"].count("\n# ") == 0
    assert "<b>" not in record["markdown"]


async def test_a_record_of_the_largest_system_and_the_longest_comment_is_one_that_may_be_published(open_desk: OpenDesk):
    names = [f"{'_' * 58}{number}" for number in range(60)]
    proposal = chain(*[1.0] * 60, peak_rps=90, monthly_eur=1)
    for name, one in zip(names, proposal["components"], strict=True):
        one |= {"name": name, "exposed": True, "holds": "personal"}
        one["calls"] = [{**call, "to": names[int(call["to"][1:])]} for call in one["calls"]]
    proposal |= {"entry": names[0], "goal": "*" * 1000}
    known: dict[str, Any] = {"proposal": proposal, "design": first(proposal)}
    word = {"approved": True, "decision": "approved", "by": ["ingrid"], "comment": "#" * 50_000}
    async with open_desk() as desk:
        for name in ("security", "performance", "cost"):
            known[name] = await desk.run(f"{name}_reviewer", **known)
        assessment = await desk.run("assessor", **known)
        words = {"exception": word, "lead_word": word, "cto_word": word}
        record = await desk.run("recorder", **known, assessment=assessment, **words)

    assert len(assessment["left"]) > 200
    assert len(record["markdown"]) <= 20_000
    assert "This page was cut" in record["markdown"]
    assert "- and 20 more\n" in record["markdown"]
