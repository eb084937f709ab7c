"""Risk asks for people on top of what contracts and definitions ask for, and never for fewer."""

from datetime import timedelta

import pytest

from contracts.decision import Ruling
from contracts.plan import Limits
from contracts.risk import RiskFile
from tests.interpreter.fakes import START, FakePorts, carry, failing, plan_of, rehearse, scope_of
from tests.interpreter.test_together import GATE, act, group, undone
from workflows.interpreter.ending import Suspended
from workflows.interpreter.walk import run_steps

ROLES = {"lea": ("lead",), "lou": ("lead",), "cleo": ("chief",), "olga": ("officer",), "otto": ("officer",)}


def weighing(value, **levels):
    """Return what weighs every action by one expression."""
    known = {
        "low": {"at": 0},
        "high": {"at": 40, "people": 1, "approvers": ["officer"]},
        "grave": {"at": 80, "people": 2, "approvers": ["officer"]},
    }
    return RiskFile.model_validate({"factors": {"it": {"weight": 1, "value": value}}, "levels": {**known, **levels}})


def planned(steps, value, **levels):
    return plan_of(steps).model_copy(update={"risk": weighing(value, **levels)}).sealed()


def saying(*words, **more):
    """People who all approve at each opening, in turn, until it is settled."""

    def speak(opening):
        for number, person in enumerate(words):
            ruling = Ruling(
                accepted=True,
                person=person,
                roles=ROLES[person],
                verb="approve",
                step=opening.subject.step,
                nonce=opening.nonce,
                jti=f"{opening.nonce}-{person}-{number}",
                token=f"by {person}",
            )
            ports.book.count(ruling)

    ports = FakePorts(people=speak, **more)
    return ports


FREE = act("a", "file")
ASKED = act("a", approval={"approvers": ["lead"], "timeout": "1h"})


@pytest.mark.parametrize(
    ("limits", "alike"),
    [(Limits(hourly=True), [True, False]), (Limits(), [False, False])],
    ids=["hourly", "as it began"],
)
async def test_what_people_sign_is_the_same_at_every_moment_of_an_hour(limits, alike):
    signed = []
    for later in (timedelta(minutes=1), timedelta(minutes=1, seconds=2), timedelta(hours=1)):
        run = await rehearse(planned([FREE], "0.5"), saying("olga", clock=START + later), limits=limits)
        signed.append(run.ports.openings[0].subject.digest())

    assert alike == [one == signed[0] for one in signed[1:]]


async def test_a_low_risk_asks_nobody_and_is_on_record_and_with_the_call():
    calls = []
    run = await rehearse(planned([FREE], "0.1"), FakePorts(tools={"file": calls.append}))

    assert ("completed", []) == (run.state, run.ports.openings)
    assert (10, "low", 0) == ((read := run.journal.get("a").risk).score, read.level, read.people)
    assert read == calls[0].risk


async def test_a_high_risk_has_people_asked_about_what_its_contract_frees():
    calls = []
    run = await rehearse(planned([FREE], "0.5"), saying("olga", tools={"file": calls.append}))

    assert "completed" == run.state
    [opening] = run.ports.openings
    subject = opening.subject
    assert (("officer",), 1, "file", {"host": "a"}) == (
        subject.approvers,
        subject.required,
        subject.tool,
        subject.arguments,
    )
    assert (50, "high") == (subject.risk.score, subject.risk.level)
    assert START + timedelta(hours=1) == opening.deadline
    [call] = calls
    assert (subject, None) == (call.grant.subject, call.risk)


async def test_nobody_who_answers_or_a_no_ends_the_mission_and_nothing_ran():
    for ports in (FakePorts(), FakePorts(people=lambda _: ("olga", "reject"))):
        run = await rehearse(planned([FREE], "0.5"), ports)

        assert ("refused", []) == (run.state, ports.world)


async def test_a_level_without_approvers_asks_whom_the_workspace_escalates_to():
    run = await rehearse(planned([FREE], "0.5", high={"at": 40, "people": 1}), saying("cleo"))

    assert [("chief",)] == [one.subject.approvers for one in run.ports.openings]


async def test_risk_raises_a_gates_quorum_by_people_of_its_own_and_keeps_the_gates():
    run = await rehearse(planned([ASKED], "0.9"), saying("lea", "olga"))

    assert "completed" == run.state
    subject = run.ports.openings[0].subject
    assert (("lead", "officer"), 2, ("lead",), 1) == (
        subject.approvers,
        subject.required,
        subject.own,
        subject.own_required,
    )


@pytest.mark.parametrize(
    ("people", "state"),
    [
        (("lea", "lou"), "completed"),
        (("olga", "otto"), "refused"),
        (("lea",), "refused"),
        (("olga",), "refused"),
        (("olga", "otto", "lea"), "completed"),
    ],
)
async def test_those_whom_risk_has_asked_never_stand_in_for_those_whom_the_gate_asks(people, state):
    run = await rehearse(planned([ASKED], "0.9"), saying(*people))

    assert state == run.state


async def test_risk_never_asks_for_fewer_than_the_gate():
    gate = {"approvers": ["lead"], "required": 3, "timeout": "1h"}
    run = await rehearse(planned([act("a", approval=gate)], "0.9"), saying("lea", "lou"))

    assert ("refused", 3, ()) == (run.state, (subject := run.ports.openings[0].subject).required, subject.own)


async def test_what_cannot_be_weighed_asks_for_as_many_as_the_highest_risk():
    run = await rehearse(planned([FREE], "arguments.missing"), saying("olga", "otto"))

    assert "completed" == run.state
    assert (100, 2, ("it: there is no field 'missing'",)) == (
        (risk := run.ports.openings[0].subject.risk).score,
        risk.people,
        risk.errors,
    )


async def test_a_group_is_as_risky_as_its_riskiest_action_and_asks_once():
    value = "arguments.host == 'b' ? 0.9 : 0.0"
    run = await rehearse(planned([group(act("a"), act("b", "file"))], value), saying("lea", "olga"))

    assert ("completed", 1) == (run.state, len(run.ports.openings))
    assert (90, 2) == ((risk := run.ports.openings[0].subject.risk).score, risk.people)


async def test_reading_tools_are_not_weighed():
    run = await rehearse(planned([act("a", "look")], "1.0"), FakePorts())

    assert ("completed", None) == (run.state, run.journal.get("a").risk)


async def test_the_mission_knows_how_often_a_tool_has_acted_and_how_sure_its_agents_are():
    steps = [
        {"kind": "agent", "step": "guess", "agent": "ann", "task": "guess", "output": "guessed"},
        {"kind": "agent", "step": "know", "agent": "ben", "task": "know", "output": "known"},
        act("first", "file"),
        act("second", "file"),
    ]
    agents = {"ann": {"confidence": 0.25}, "ben": {"confidence": 1}}
    run = await rehearse(planned(steps, "0.0"), FakePorts(agents=agents))

    first, second = (run.journal.get(path).risk.facts for path in ("first", "second"))
    assert ({"file": 0}, 0.25, START) == (first.before, first.confidence, first.at)
    assert {"file": 1} == second.before
    assert ("rehearsal", "tests", "rita") == (first.mission, first.team, first.requested_by)


async def test_changed_arguments_are_weighed_anew():
    said = iter([("olga", "modify"), ("olga", "approve")])
    ports = FakePorts(people=lambda _: next(said), changes={"host": "calm"})
    run = await rehearse(planned([FREE], "arguments.host == 'calm' ? 0.1 : 0.5"), ports)

    assert ("completed", [50, 10]) == (run.state, [one.subject.risk.score for one in ports.openings])
    assert [{"host": "calm"}] == [arguments for _, _, arguments in ports.world]


async def test_a_run_that_takes_over_asks_whom_the_run_before_asked_whatever_time_it_is():
    plan = planned([FREE], "weekday == 4 ? 0.5 : 0.0")
    first = scope_of(plan, FakePorts(stop_after=0), {})
    first.ports.stop_after = None
    first.ports.people = lambda _: setattr(first.ports, "stop_after", 0)
    with pytest.raises(Suspended):
        await run_steps(plan.definition.steps, "", first)
    assert 1 == len(first.gates.openings())

    later = saying("olga", clock=START + timedelta(days=1))
    run = await rehearse(plan, later, carried=carry(first))

    assert ("completed", 50) == (run.state, run.journal.get("a").risk.score)


async def test_what_had_begun_unasked_is_not_asked_about_by_the_next_run():
    plan = planned([{**FREE, "retry": {"attempts": 1}}, undone("b", approval=GATE)], "weekday == 4 ? 0.0 : 0.9")
    first = scope_of(plan, FakePorts(stop_after=1), {})
    with pytest.raises(Suspended):
        await run_steps(plan.definition.steps, "", first)

    run = await rehearse(plan, saying("lea", "olga", clock=START + timedelta(days=1)), carried=carry(first))

    assert ("completed", ["b"]) == (run.state, [one.subject.step for one in run.ports.openings])
    assert (0, 90) == (run.journal.get("a").risk.score, run.journal.get("b").risk.score)


async def test_what_undoes_is_never_asked_about():
    steps = [act("a", "file", compensate={"tool": "unfile"}), {"kind": "agent", "step": "fail", "agent": "ann"}]
    steps[1] |= {"task": "fail"}
    plan = planned(steps, "tool == 'unfile' ? 1.0 : 0.0")
    run = await rehearse(plan, FakePorts(agents={"ann": failing()}))

    assert ("failed", ["file", "unfile"]) == (run.state, [tool for tool, _, _ in run.ports.world])
