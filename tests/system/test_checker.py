"""The checker bites: true ledgers of real missions, doctored one entry at a time, and each breach is found."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from temporalio.client import WorkflowHistory

from contracts.workspace import Person
from tests.system.ledgers import At, Ledgers, Sent, breaches, read, unreplayable
from tests.system.stories import REMEDIATED, UNDONE

LATE: At = (0, 10_000)


def told(ledgers: Ledgers, **changes: Any) -> Ledgers:
    return replace(ledgers, told=replace(ledgers.told, **changes))


def called(ledgers: Ledgers, **changes: Any) -> Ledgers:
    """Change the first call of an action, as the history has it."""
    (at, call), *rest = ledgers.told.calls
    return told(ledgers, calls=((at, call.model_copy(update=changes)), *rest))


def ruled(ledgers: Ledgers, at: At | None = None, **changes: Any) -> Ledgers:
    """Change the ruling on the approval, or its place in the history."""
    [(place, ruling)] = ledgers.told.rulings
    return told(ledgers, rulings=((at or place, ruling.model_copy(update=changes)),))


def seen(ledgers: Ledgers, **changes: Any) -> Ledgers:
    """Change the first effect that the world saw."""
    first, *rest = ledgers.effects
    return replace(ledgers, effects=({**first, **changes}, *rest))


def granted(ledgers: Ledgers, **changes: Any) -> Ledgers:
    grant = ledgers.told.calls[0][1].grant
    assert grant is not None
    return called(ledgers, grant=grant.model_copy(update=changes))


def heard(ledgers: Ledgers, *words: Any) -> Ledgers:
    [sent] = ledgers.client
    return replace(ledgers, client=tuple(replace(sent, heard=word) for word in words))


def person(ledgers: Ledgers, **changes: Any) -> Ledgers:
    people = ledgers.people.people
    changed = {**people, "ines": Person(**{**people["ines"].model_dump(), **changes})}
    return replace(ledgers, people=ledgers.people.model_copy(update={"people": changed}))


def other_host(ledgers: Ledgers) -> Ledgers:
    """Let the mission ask for, and the world do, something else than people approved."""
    arguments = {**ledgers.effects[0]["arguments"], "host": "another"}
    return seen(called(ledgers, arguments=arguments), arguments=arguments)


def forged(ledgers: Ledgers) -> Ledgers:
    grant = ledgers.told.calls[0][1].grant
    assert grant is not None
    head, body, signature = grant.tokens[0].split(".")
    return granted(ledgers, tokens=(f"{head}.{body}.{signature[::-1]}",))


def too_late(ledgers: Ledgers) -> Ledgers:
    """Let the decision be ruled on when it had expired, and the effect come still later."""
    [(_, ruling)] = ledgers.told.rulings
    assert ruling.received_at is not None
    moment = ruling.received_at + timedelta(days=1)
    return seen(ruled(ledgers, received_at=moment), at=(moment + timedelta(seconds=1)).isoformat())


DOCTORED: dict[str, tuple[str, Callable[[Ledgers], Ledgers]]] = {
    "an effect twice under one key": ("doubled", lambda it: replace(it, effects=(*it.effects, it.effects[0]))),
    "an effect again under another key": (
        "doubled",
        lambda it: replace(it, effects=(*it.effects, {**it.effects[0], "key": "attempt-2"})),
    ),
    "an effect that no mission asked for": ("unasked", lambda it: seen(it, key="out of the blue")),
    "an effect with another payload than was asked for": ("unasked", lambda it: seen(it, arguments={"host": "x"})),
    "an effect without a call": ("unasked", lambda it: replace(it, attempts=())),
    "a key that is not the step's": ("unasked", lambda it: seen(called(it, key="k"), key="k")),
    "no approval": ("unapproved", lambda it: called(it, grant=None)),
    "no approver": ("unapproved", lambda it: granted(it, tokens=())),
    "an approval of something else": ("unapproved", other_host),
    "an approval of another opening": ("unapproved", lambda it: granted(it, nonce="another")),
    "an approval of another step": ("unapproved", lambda it: called(it, path="remediate/other")),
    "a forged approval": ("unapproved", forged),
    "an approval by a revoked key": ("unapproved", lambda it: person(it, keys=())),
    "an approval by somebody of another role": ("unapproved", lambda it: person(it, roles=("soc_analyst",))),
    "an approval by who asked for it": ("unapproved", lambda it: told(it, requested_by="Ines")),
    "an approval that the mission refused": ("unapproved", lambda it: ruled(it, accepted=False)),
    "an approval after the act": ("unapproved", lambda it: ruled(it, at=LATE)),
    "an act before the approval": ("unapproved", lambda it: seen(it, at="2020-01-01T00:00:00Z")),
    "an approval that had expired": ("unapproved", too_late),
    "a decision that is not in the history": ("lost", lambda it: told(it, arrivals=())),
    "a decision that was sent once and arrived twice": ("lost", lambda it: told(it, arrivals=it.told.arrivals * 2)),
    "a decision on which nobody ruled": ("lost", lambda it: told(it, rulings=())),
    "a decision ruled on twice": ("lost", lambda it: told(it, rulings=it.told.rulings * 2)),
    "a decision that took effect twice": (
        "doubled",
        lambda it: heard(told(it, rulings=it.told.rulings * 2, arrivals=it.told.arrivals * 2), "accepted", "accepted"),
    ),
    "a receipt that says refused, and it counted": ("lost", lambda it: heard(it, "refused")),
    "a receipt that says accepted, and it did not": ("lost", lambda it: heard(ruled(it, accepted=False), "accepted")),
    "a mission that never ends": ("it has not ended", lambda it: told(it, state="")),
}  # fmt: skip
LEFT: dict[str, Callable[[Ledgers], Ledgers]] = {
    "nothing undone": lambda it: replace(it, effects=it.effects[:2]),
    "one of two undone": lambda it: replace(it, effects=it.effects[:3]),
    "undone in the order of doing": lambda it: replace(it, effects=(*it.effects[:2], it.effects[3], it.effects[2])),
    "done after it was undone": lambda it: replace(it, effects=(*it.effects[1:], it.effects[0])),
    "failed, and undone by nobody": lambda it: told(replace(it, effects=it.effects[:1]), state="canceled"),
}


@pytest.fixture
async def remediated(theatre) -> Ledgers:
    return (await theatre.play(REMEDIATED)).account.ledgers


@pytest.fixture
async def undone(theatre) -> Ledgers:
    return (await theatre.play(UNDONE)).account.ledgers


@pytest.mark.parametrize("name", DOCTORED)
def test_a_doctored_ledger_is_found(remediated, name):
    word, doctor = DOCTORED[name]

    assert [] == breaches(remediated)
    assert word in {breach.partition(":")[0] for breach in breaches(doctor(remediated))}


@pytest.mark.parametrize("name", LEFT)
def test_what_is_left_standing_is_found(undone, name):
    assert [] == breaches(undone)
    assert {"not undone"} == {breach.partition(":")[0] for breach in breaches(LEFT[name](undone))}


def test_a_decision_of_unknown_fate_may_be_there_or_not(remediated):
    unsure = heard(remediated, "unknown")
    never = replace(remediated, client=(*remediated.client, Sent("never-arrived", "a.b.c", "unknown")))

    assert [] == breaches(unsure)
    assert [] == breaches(never)


async def test_a_history_that_does_not_replay_is_found(theatre):
    account = (await theatre.play(REMEDIATED)).account
    [history] = account.histories
    changed = WorkflowHistory.from_json(history.workflow_id, history.to_json())
    for event in changed.events:
        if event.HasField("activity_task_scheduled_event_attributes"):
            event.activity_task_scheduled_event_attributes.activity_id += "-otherwise"

    assert [] == await unreplayable([history])
    assert ["does not replay"] == [breach.partition(":")[0] for breach in await unreplayable([changed])]
    assert account.ledgers.told == read([history], account.case.place.namespace)
