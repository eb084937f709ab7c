"""What the product manager of `create_prd` makes of comments and weeks, and the formatter of a draft."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prd_request import ASKED, NEEDS, REQUEST, TICKETS, changed, seeds, shuffled
from triage_desk import Desk, OpenDesk

from missions.create_prd.change import read_changes
from missions.create_prd.page import plain
from missions.create_prd.scope import placed
from missions.create_prd.words import likeness, rarity, stems, vector


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
        ("The alarms and the export must be dropped", (None, None, None)),
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


def test_a_comment_as_long_as_a_book_is_cut_and_says_so():
    changes = read_changes("word " * 200 + ". " + "Who pays? " * 100, NEEDS, 2, ["amara"])

    assert 501 == len(changes[0]["said"])
    assert (41, "61 sentences more") == (len(changes), changes[-1]["said"])


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
        for comment in ("Drop the alarms. Only 9 weeks", "Only 8 weeks", "What about gloves"):
            draft = await desk.run("product_manager", **found, draft=draft, answer=answer)
            answer = {"approved": False, "decision": "rejected", "by": ["amara"], "comment": comment}
        last = await desk.run("product_manager", **found, draft=draft, answer=answer)

    assert [2, 2, 3, 4] == [change["round"] for change in last["changes"]]
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
