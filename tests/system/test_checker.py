"""The checker bites: true ledgers of real missions, doctored one entry at a time, and each breach is found."""

import json
import subprocess
import sys
from base64 import b64encode
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from temporalio.client import WorkflowHistory

from contracts.decision import Ruling
from contracts.policy import Answer
from contracts.view import MissionView
from contracts.workspace import Person
from proof.check import ROOT, commit, with_histories
from proof.folder import keep, opened
from proof.laws import breaches
from proof.ledgers import At, Ledgers, Measured, Sent, read
from proof.replayed import unreplayable
from tests.payloads import DATA_CONVERTER
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
    place, ruling = approval(ledgers)
    others = tuple(one for one in ledgers.told.rulings if one[1] != ruling)
    return told(ledgers, rulings=(*others, (at or place, ruling.model_copy(update=changes))))


def approval(ledgers: Ledgers) -> tuple[At, Ruling]:
    """Return the ruling on the approval: who asked for the mission was ruled on as well."""
    [found] = [one for one in ledgers.told.rulings if one[1].verb == "approve"]
    return found


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
    _, ruling = approval(ledgers)
    assert ruling.received_at is not None
    moment = ruling.received_at + timedelta(days=1)
    return seen(ruled(ledgers, received_at=moment), at=(moment + timedelta(seconds=1)).isoformat())


def answered(ledgers: Ledgers, *answers: Answer) -> Ledgers:
    """Change what policy said of the first action."""
    (key, _), *rest = ledgers.told.answers
    return told(ledgers, answers=((key, answers), *rest))


def unrecorded(ledgers: Ledgers, what: str) -> Ledgers:
    """Leave out of the record what it has of one kind."""
    return replace(ledgers, audit=tuple(entry for entry in ledgers.audit or () if entry["what"] != what))


def shown(ledgers: Ledgers, state: Any) -> MissionView:
    """Return what an operator sees of a mission that keeps its steps to itself."""
    return MissionView(id=ledgers.told.id, name="any", version="1", state=state)


SECRET = "canary-7f3a-of-the-log"
DOCTORED: dict[str, tuple[str, Callable[[Ledgers], Ledgers]]] = {
    "an effect twice under one key": ("doubled", lambda it: replace(it, effects=(*it.effects, it.effects[0]))),
    "an effect again under another key": (
        "unasked",
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
    "an approval under rules that have changed since": ("unapproved", lambda it: ruled(it, governance="sha256:other")),
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
    "a decision that counted for somebody else": ("let in", lambda it: ruled(it, person="omar")),
    "an act of which policy was not asked": ("let in", answered),
    "an act that policy denied": ("let in", lambda it: answered(it, Answer(outcome="deny"))),
    "an act for which policy asks somebody else": (
        "let in",
        lambda it: answered(it, Answer(outcome="needs approval", approval={"ciso": 1})),
    ),
    "a record that leaves an effect out": ("disagreeing", lambda it: unrecorded(it, "action ordered")),
    "a record that leaves a decision out": ("disagreeing", lambda it: unrecorded(it, "decision accepted")),
    "a record that ends otherwise": ("disagreeing", lambda it: unrecorded(it, "mission completed")),
    "a record that was changed": ("disagreeing", lambda it: replace(it, record=it.record.replace(b"ines", b"omar"))),
    "a record that was cut off": (
        "disagreeing",
        lambda it: replace(it, record=b"".join(it.record.splitlines(keepends=True)[:-1])),
    ),
    "a record that another signed": ("disagreeing", lambda it: replace(it, recorders=it.people.people["ines"].keys)),
    "an operator who is shown another end": ("disagreeing", lambda it: replace(it, shown=shown(it, "failed"))),
    "an operator who is not shown what stands": (
        "disagreeing",
        lambda it: replace(it, shown=shown(it, "completed")),
    ),
    "a secret in the world's book": ("leaked", lambda it: replace(it, secrets=(it.effects[0]["arguments"]["host"],))),
    "a secret in a log, in base64": (
        "leaked",
        lambda it: replace(it, secrets=(SECRET,), texts={"a log": b64encode(b"at 9: " + SECRET.encode() + b"!")}),
    ),
    "a secret in a page, quoted": (
        "leaked",
        lambda it: replace(it, secrets=('<&"canary',), texts={"a page": b"%3C%26%22canary"}),
    ),
    "a run of too many events": ("unbounded", lambda it: told(it, runs=(Measured(10_240, 1, 1, ""),))),
    "a run that is too large": ("unbounded", lambda it: told(it, runs=(Measured(1, 10_000_000, 1, ""),))),
    "a payload that is too large": ("unbounded", lambda it: told(it, runs=(Measured(1, 1, 512_000, ""),))),
    "an answer that is too large": ("unbounded", lambda it: replace(it, answers=(("state", 256_000),))),
    "a mission that hangs on a workflow task": (
        "unended",
        lambda it: told(it, state="", runs=(Measured(1, 1, 1, "workflow_task_failed"),)),
    ),
    "a mission that never ends": ("unended", lambda it: told(it, state="")),
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

    assert [] == await unreplayable([history], DATA_CONVERTER, account.case.place.namespace)
    assert ["does not replay"] == [
        breach.partition(":")[0]
        for breach in await unreplayable([changed], DATA_CONVERTER, account.case.place.namespace)
    ]
    assert account.ledgers.told == read([history], account.case.place.namespace)


def test_a_large_payload_is_measured_wherever_it_stands(remediated):
    """That of an undisturbed run is small."""
    [run] = remediated.told.runs

    assert 0 < run.events < 200
    assert run.bytes < 500_000
    assert "workflow_execution_completed" == run.last


async def test_a_planted_secret_is_found_in_the_history(theatre):
    account = (await theatre.play(REMEDIATED)).account
    planted = replace(account.ledgers, secrets=(account.ledgers.told.plan.digest,))

    assert "leaked" in {one.partition(":")[0] for one in breaches(with_histories(planted, account.histories))}
    assert [] == breaches(with_histories(replace(planted, secrets=(SECRET,)), account.histories))


async def test_the_program_finds_in_a_folder_what_broke_and_says_at_which_seed_and_commit(theatre, tmp_path):
    account = (await theatre.play(REMEDIATED)).account
    own = keep(account.ledgers, account.histories, tmp_path)

    assert account.ledgers == opened(own)[0]
    assert (0, f"seed 7, commit {commit()}, missions 1\n{own.name}: every law holds\n") == checked(tmp_path)
    world = json.loads((own / "world.json").read_text())
    (own / "world.json").write_text(json.dumps({**world, "effects": world["effects"] * 2}))
    code, said = checked(tmp_path)
    assert (1, "doubled") == (code, said.splitlines()[1].split(": ")[1])
    (own / "world.json").unlink()
    assert 2 == checked(tmp_path)[0]
    assert 2 == checked(tmp_path / "elsewhere")[0]


def checked(folder: Path) -> tuple[int, str]:
    """Run the program, as a program."""
    command = [sys.executable, "-m", "proof", str(folder), "--seed", "7"]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    return ran.returncode, ran.stdout
