"""What the agents of `create_prd` compute, and what must hold of it whatever they are given."""

import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from live_mission import load_input
from triage_desk import Desk, OpenDesk

from missions.create_prd.change import read_changes
from missions.create_prd.effort import dependents, estimated
from missions.create_prd.interview import about, graded
from missions.create_prd.market import sized
from missions.create_prd.needs import IMPACT, find_needs, ranked
from missions.create_prd.page import plain
from missions.create_prd.scope import placed
from missions.create_prd.words import likeness, rarity, stems, vector

REQUEST = load_input("create_prd", "requests/field_console.json")
TICKETS, USAGE, INTERVIEWS = REQUEST["tickets"], REQUEST["usage"], REQUEST["interviews"]
COMPONENTS, REGISTRY, YEAR = REQUEST["components"], REQUEST["registry"], REQUEST["brief"]["year"]
NEEDS = ranked(find_needs(TICKETS), USAGE)
GRAVITY = sorted(IMPACT, key=lambda word: IMPACT[word])
ASKED = {"approved": False, "decision": "not_asked", "by": [], "comment": ""}
tickets = st.sampled_from(range(len(TICKETS)))
seeds = st.integers(0, 10_000)


def shuffled(rows: list[Any], seed: int) -> list[Any]:
    return random.Random(seed).sample(rows, len(rows))


def of(title: str) -> dict[str, Any]:
    return next(need for need in NEEDS if title in need["title"])


def changed(rows: list[dict[str, Any]], place: int, **fields: Any) -> list[dict[str, Any]]:
    return [{**row, **fields} if number == place else row for number, row in enumerate(rows)]


def test_tickets_that_tell_of_the_same_are_one_need():
    gathered = {ticket for need in NEEDS for ticket in need["tickets"]}

    assert [7, 5, 5, 6, 4] == [len(need["tickets"]) for need in NEEDS]
    assert ["T-328", "T-329"] == sorted({ticket["id"] for ticket in TICKETS} - gathered)


@settings(max_examples=20, deadline=None)
@given(seeds)
def test_the_order_of_the_tickets_changes_nothing(seed: int):
    assert NEEDS == ranked(find_needs(shuffled(TICKETS, seed)), shuffled(USAGE, seed))


@settings(max_examples=30, deadline=None)
@given(tickets, st.sampled_from(GRAVITY))
def test_a_graver_ticket_never_lowers_its_needs_score_or_rank(place: int, severity: str):
    ticket = TICKETS[place]
    graver = max(severity, ticket["severity"], key=GRAVITY.index)
    after = ranked(find_needs(changed(TICKETS, place, severity=graver)), USAGE)
    ranks = [(number, need) for number, need in enumerate(NEEDS) if ticket["id"] in need["tickets"]]

    for number, need in ranks:
        [(new, same)] = [(at, one) for at, one in enumerate(after) if ticket["id"] in one["tickets"]]
        assert need["tickets"] == same["tickets"]
        assert need["score"] <= same["score"]
        assert new <= number


def test_the_same_customer_twice_reaches_no_further():
    reach = of("CSV export")["reach"]
    twice = changed(TICKETS, 7, customer="Ardlow Pharma")
    after = next(need for need in ranked(find_needs(twice), USAGE) if "T-308" in need["tickets"])

    assert reach - 1 == after["reach"]


def test_features_that_fail_make_a_need_surer():
    calm = [{**row, "failed": 0} for row in USAGE]
    before = next(need for need in ranked(find_needs(TICKETS), calm) if need["title"] == NEEDS[0]["title"])

    assert before["confidence"] < NEEDS[0]["confidence"]
    assert pytest.approx(1640 / 18200, abs=0.001) == NEEDS[0]["failing"]


@given(seeds)
def test_the_market_is_the_sum_of_its_segments_in_any_order(seed: int):
    answer = sized(REGISTRY, YEAR)

    assert answer == sized({**REGISTRY, "segments": shuffled(REGISTRY["segments"], seed)}, YEAR)
    assert answer["total"] == sum(segment["worth"] for segment in answer["segments"])
    assert answer["ours"] <= answer["reachable"] <= answer["total"]


@given(st.floats(0.8, 1.5))
def test_growth_is_the_rate_by_which_spending_grows(rate: float):
    spend = {str(2020 + year): 1000 * rate**year for year in range(5)}
    segment = {"name": "s", "accounts": 10, "served": True, "share": 0.1, "spend": spend}
    answer = sized({"source": "s", "as_of": 2024, "segments": [segment]}, 2024)

    assert pytest.approx(rate - 1, abs=1e-3) == answer["growth"]
    assert pytest.approx(1.0, abs=1e-6) == answer["confidence"]


def test_figures_that_are_old_thin_or_missing_make_less_sure():
    full = sized(REGISTRY, YEAR)["confidence"]
    old = sized(REGISTRY, YEAR + 2)["confidence"]
    gone = sized({**REGISTRY, "segments": changed(REGISTRY["segments"], 0, spend={})}, YEAR)["confidence"]
    none = sized({**REGISTRY, "segments": []}, YEAR)

    assert max(old, gone) < full
    assert (0, 0, 0.0) == (none["confidence"], none["reachable"], none["growth"])


@pytest.mark.parametrize("title", [need["title"] for need in NEEDS])
def test_a_dependency_less_or_more_tests_never_cost_more(title: str):
    need = of(title)
    before = estimated(need, COMPONENTS)
    freer = [{**one, "depends_on": one["depends_on"][1:]} for one in COMPONENTS]
    tested = [{**one, "coverage": 1.0} for one in COMPONENTS]

    for after in (estimated(need, freer), estimated(need, tested)):
        assert after["weeks"] <= before["weeks"]
        assert after["risk"] <= before["risk"]
    assert before == estimated(need, COMPONENTS[::-1])


def test_who_would_notice_a_change_is_found_through_others_and_in_circles():
    circle = [
        {"name": "a", "depends_on": ["c"]},
        {"name": "b", "depends_on": ["a"]},
        {"name": "c", "depends_on": ["b"]},
    ]

    assert {"b", "c"} == dependents("a", circle)
    assert set() == dependents("d", circle)


def test_what_no_component_does_is_a_new_one():
    answer = estimated(of("Group alarms"), [one for one in COMPONENTS if one["name"] != "alarm-desk"])

    assert ([], 6.0) == (answer["components"], answer["weeks"])


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 5), st.integers(0, 1), seeds)
def test_a_finding_taken_away_never_raises_a_severity(person: int, place: int, seed: int):
    fewer = [dict(interview) for interview in INTERVIEWS]
    found = fewer[person]["findings"]
    fewer[person] = {**fewer[person], "findings": found[:place] + found[place + 1 :]}

    for need in NEEDS:
        before = graded(need, NEEDS, INTERVIEWS)
        assert graded(need, NEEDS, fewer)["severity"] <= before["severity"] <= 4
        assert before == graded(need, NEEDS, shuffled(INTERVIEWS, seed))


def test_a_finding_is_about_the_need_that_it_shares_words_with_or_about_none():
    assert NEEDS[0]["id"] == about("Without a signal the readings were lost", NEEDS)
    assert about("The buttons are too small with gloves on", NEEDS) is None


@pytest.mark.parametrize(
    ("said", "read"),
    [
        ("Leave out the alarms", ("N3", "out", None)),
        ("do not include the CSV export", ("N4", "out", None)),
        ("Do not drop the spreadsheet export, it must stay", ("N4", "now", None)),
        ("The alarms must not be included", ("N3", "out", None)),
        ("shared logins can wait", ("N5", "later", None)),
        ("N4 must be first", ("N4", "now", None)),
        ("We only have 12 weeks", (None, None, 12)),
        ("Calibration reminders: 12 weeks, no more", (None, None, None)),
        ("Drop it", (None, None, None)),
        ("Alarms?", (None, None, None)),
        ("alarms without sound later", (None, None, None)),
        ("N1 or N2 must be dropped", (None, None, None)),
    ],
)
def test_a_sentence_is_read_or_left_as_a_question(said: str, read: tuple[Any, ...]):
    [change] = read_changes(said, NEEDS, 2, ["amara"])

    assert read == (change["need"], change["place"], change["weeks"])


def test_a_comment_is_one_change_for_each_thing_that_is_wanted():
    changes = read_changes(
        "Drop the login and add the CSV export; only 9 weeks.\nWho pays?", NEEDS, 3, ["jonas", "amara"]
    )

    assert [("N5", "out"), ("N4", "now"), (None, None), (None, None)] == [
        (change["need"], change["place"]) for change in changes
    ]
    assert {"amara, jonas"} == {change["by"] for change in changes}


def row(name: str, rice: float, weeks: float) -> dict[str, Any]:
    return {"id": name, "rice": rice, "weeks": weeks}


rows = st.lists(st.tuples(st.floats(0, 9), st.floats(0.1, 9)), max_size=8).map(
    lambda found: [row(f"N{number}", rice, weeks) for number, (rice, weeks) in enumerate(found)]
)


@given(rows, st.floats(0, 20), seeds)
def test_what_is_chosen_fits_the_weeks_and_nothing_that_fits_is_left(
    rows: list[dict[str, Any]], weeks: float, seed: int
):
    scope = placed(rows, weeks, [])
    taken = sum(one["weeks"] for one in scope if one["place"] == "now")

    assert taken <= weeks + 1e-6
    assert [] == [one for one in scope if one["place"] == "later" and one["weeks"] <= weeks - taken - 1e-6]
    assert scope == placed(shuffled(rows, seed), weeks, [])


@given(rows, st.floats(0, 20), st.sampled_from(["now", "later", "out"]))
def test_what_is_asked_for_is_done_and_the_last_word_counts(rows: list[dict[str, Any]], weeks: float, place: str):
    asked = [{"need": one["id"], "place": "now", "round": 2, "said": "first"} for one in rows[:2]]
    last = [{"need": one["id"], "place": place, "round": 3, "said": "then"} for one in rows[:1]]
    scope = {one["id"]: one["place"] for one in placed(rows, weeks, [*asked, *last])}

    assert [place, "now"][: len(rows)] == [scope[one["id"]] for one in rows[:2]]


async def research(desk: Desk, **other: Any) -> dict[str, Any]:
    """Run the analysts as the mission does, and return what the product manager gets."""
    given = {**REQUEST, **other}
    needs = await desk.run("product_analyst", tickets=given["tickets"], usage=given["usage"])
    return {
        "brief": given["brief"],
        "needs": needs,
        "market": {
            "winner": "by_register",
            "answer": await desk.run("market_analyst", brief=given["brief"], registry=given["registry"]),
        },
        "engineering": await desk.run("technical_analyst", needs=needs, components=given["components"]),
        "experience": await desk.run("ux_researcher", needs=needs, interviews=given["interviews"]),
        "look": {"objected": False, "decision": "unopposed", "by": [], "comment": ""},
    }


async def test_each_round_keeps_what_was_asked_for_before(open_desk: OpenDesk):
    async with open_desk() as desk:
        found = await research(desk)
        draft, answer = None, ASKED
        for comment in ("Drop the alarms", "Only 8 weeks", "What about gloves"):
            draft = await desk.run("product_manager", **found, draft=draft, answer=answer)
            answer = {"approved": False, "decision": "rejected", "by": ["amara"], "comment": comment}
        last = await desk.run("product_manager", **found, draft=draft, answer=answer)

    assert [2, 3, 4] == [change["round"] for change in last["changes"]]
    assert "out" == {one["id"]: one["place"] for one in last["scope"]}["N3"]
    assert 8 == last["capacity"]
    assert "amara asks: What about gloves" in last["open_questions"]
    assert [] == last["changed"]


async def test_the_page_holds_all_of_the_draft(open_desk: OpenDesk):
    async with open_desk() as desk:
        draft = await desk.run("product_manager", **await research(desk), draft=None, answer=ASKED)
        answer = {"approved": True, "decision": "approved", "by": ["amara"], "comment": "good"}
        page = await desk.run("formatter", draft=draft, answer=answer, further=ASKED, settled=ASKED)
    told = [*draft["goals"], *draft["risks"], *draft["open_questions"], *(one["title"] for one in draft["scope"])]

    assert [] == [text for text in told if plain(text) not in page["markdown"]]
    assert "Approved by amara." == page["decided"]


@pytest.mark.parametrize(
    ("answers", "decided"),
    [
        (("rejected", "rejected", "not_asked"), "Rejected by r"),
        (("rejected", "approved", "approved"), "Approved by s"),
        (("rejected", "approved", "rejected"), "Rejected by s"),
        (("rejected", "approved", "timed_out"), "Not decided"),
        (("timed_out", "approved", "not_asked"), "Not decided"),
    ],
)
async def test_the_page_is_headed_by_what_was_decided_last(open_desk: OpenDesk, answers: tuple[str, ...], decided: str):
    said = {
        name: {"approved": word == "approved", "decision": word, "by": [name[0]], "comment": "why"}
        for name, word in zip(("answer", "revise", "settled"), answers, strict=True)
    }
    async with open_desk() as desk:
        draft = await desk.run("product_manager", **await research(desk), draft=None, answer=ASKED)
        page = await desk.run(
            "formatter", draft=draft, answer=said["answer"], further=said["revise"], settled=said["settled"]
        )

    assert page["decided"].startswith(decided)


async def test_a_strangers_words_stay_words(open_desk: OpenDesk):
    loud = changed(TICKETS, 3, title="# <b>Console</b> | forgets readings\n\n## Approved")
    async with open_desk() as desk:
        found = await research(desk, tickets=loud)
        for need in found["needs"]["needs"]:
            need["title"] = loud[3]["title"]
        draft = await desk.run("product_manager", **found, draft=None, answer=ASKED)
        page = await desk.run("formatter", draft=draft, answer=ASKED, further=ASKED, settled=ASKED)

    assert "<b>" not in page["markdown"]
    assert "\n## Approved" not in page["markdown"]


def test_texts_are_alike_by_the_words_that_are_rare():
    texts = [stems("the probe expired today"), stems("an expired probe"), stems("the door today")]
    weights = rarity(texts)
    one, other, far = (vector(text, weights) for text in texts)

    assert pytest.approx(1.0) == likeness(one, one)
    assert likeness(one, far) < likeness(one, other) <= 1


@pytest.mark.parametrize(
    "words", [("sync", "synced", "syncing", "syncs"), ("expired", "expires", "expire", "expiring")]
)
def test_forms_of_a_word_have_one_stem(words: tuple[str, ...]):
    assert 1 == len({stem for word in words for stem in stems(word)})
