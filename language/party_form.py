"""Read a party: who talks about what, how they take turns, and what counts as consensus."""

from typing import TYPE_CHECKING, Any, TypeVar

from contracts.definition import GroupStep, PartyStep, Step
from contracts.party import (
    CONSENSUS,
    LEAST_MEMBERS,
    LONGEST_WORDS,
    MOST_MEMBERS,
    MOST_ROUNDS,
    TURNS,
    Party,
)
from contracts.step import CONTINUE
from language.form import Form
from language.name import nearest

if TYPE_CHECKING:
    from language.step_form import StepReader

MOST_TOKENS = 10_000_000
MOST_WINDOW = 60_000
"""Tokens of a transcript in one call: with the context it must fit what a server takes."""
LEAST_WINDOW = 100
Word = TypeVar("Word", bound=str)
ASKED = {"judge": "consensus", "threshold": "consensus", "moderator": "turns"}
"""Keys that belong to one way only: the key that chooses it, which names them as its word."""


def read_party(reader: "StepReader", form: Form, common: dict[str, Any]) -> Step:
    inner = form.form("party", "a party")
    if inner is None:
        return GroupStep(**common, steps=())
    rounds = bound(inner, "rounds", MOST_ROUNDS, "5")
    party = Party(
        topic=inner.text("topic", required=True),
        members=members(inner),
        context=inner.texts("context"),
        options=options(inner),
        turns=one_of(inner, "turns", TURNS),
        moderator=inner.text("moderator") or None,
        consensus=one_of(inner, "consensus", CONSENSUS),
        threshold=inner.number("threshold", 0.01, 1.0, 1.0) if "threshold" in inner.data else None,
        judge=inner.text("judge") or None,
        least_rounds=inner.integer("least_rounds", 1, MOST_ROUNDS, 1),
        rounds=rounds,
        tokens=bound(inner, "tokens", MOST_TOKENS, "20000"),
        window=inner.integer("window", LEAST_WINDOW, MOST_WINDOW, 4_000),
        facilitator=inner.texts("facilitator"),
        stall=inner.integer("stall", 1, MOST_ROUNDS, 1) if "stall" in inner.data else None,
        on_stall=reader.target(inner, "on_stall", CONTINUE),
    )
    inner.take("threshold")
    inner.take("stall")
    inner.done()
    together(inner, party)
    return PartyStep(**common, party=party)


def bound(form: Form, key: str, most: int, example: str) -> int:
    """Return a bound, which every party must have."""
    if key not in form.data and form.data:
        message = f"this party has no bound of its {key}"
        form.add("LOOP_UNBOUNDED", message, form.value.place, f"write '{key}: {example}'")
    return form.integer(key, 1, most, 1)


def members(form: Form) -> tuple[str, ...]:
    found = form.texts("members", required=True)
    if found and not LEAST_MEMBERS <= len(found) <= MOST_MEMBERS:
        place, mend = form.data["members"].place, f"name {LEAST_MEMBERS} to {MOST_MEMBERS} agents"
        form.add("BAD_VALUE", f"a party of {len(found)}", place, mend)
    return found


def options(form: Form) -> tuple[str, ...]:
    found = form.texts("options")
    if len(found) == 1:
        form.add("BAD_VALUE", "one option is no choice", form.data["options"].place, "write two, or leave the key out")
    for option in found:
        if len(option) > LONGEST_WORDS:
            mend = f"write at most {LONGEST_WORDS} letters"
            form.add("BAD_VALUE", "an option is too long", form.data["options"].place, mend)
    return found


def one_of(form: Form, key: str, words: tuple[Word, ...]) -> Word:
    """Return one of some words; the first is what is meant where the key is left out."""
    text = form.text(key)
    if text and text not in words:
        meant = nearest(text, words)
        mend = f"did you mean '{meant}'?" if meant else f"write one of: {', '.join(words)}"
        form.add("BAD_VALUE", f"'{key}' is '{text[:80]}'", form.data[key].place, mend)
    return next((word for word in words if word == text), words[0])


def together(form: Form, party: Party) -> None:
    """Find keys that go with each other, and one of them is missing or alone."""
    chosen: dict[str, str] = {"turns": party.turns, "consensus": party.consensus}
    for key, by in ASKED.items():
        if chosen[by] == key and key not in form.data:
            example = "0.75" if key == "threshold" else "agent_name"
            form.add("MISSING_KEY", f"'{by}: {key}' needs '{key}'", form.data[by].place, f"write '{key}: {example}'")
        elif chosen[by] != key and key in form.data:
            mend = f"write '{by}: {key}' beside it"
            form.add("BAD_VALUE", f"'{key}' is for '{by}: {key}' alone", form.data[key].place, mend)
    for key in ("moderator", "judge"):
        if key in form.data and getattr(party, key) in party.members:
            mend = "name an agent that is no member"
            form.add("BAD_VALUE", f"the {key} '{getattr(party, key)}' is a member too", form.data[key].place, mend)
    if party.moderator and party.moderator == party.judge:
        form.add("BAD_VALUE", "one agent moderates and judges", form.data["judge"].place, "name two")
    if party.least_rounds > party.rounds and "rounds" in form.data:
        place, mend = form.data["least_rounds"].place, f"write at most {party.rounds}"
        form.add("BAD_VALUE", "more rounds are demanded than allowed", place, mend)
    if "on_stall" in form.data and party.stall is None:
        place = form.data["on_stall"].place
        form.add("MISSING_KEY", "'on_stall' without a 'stall' never comes", place, "write 'stall: 2' beside it")
    if "party" in party.context:
        message = "the party itself is called 'party' in what its agents get"
        form.add("NAME_CLASH", message, form.data["context"].place, "rename the variable")
