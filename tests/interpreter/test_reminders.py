"""Reminders, the ladder's own deadlines, and what silence comes to in the end. Time is the fakes'."""

from datetime import timedelta

import pytest

from contracts.plan import CURRENT
from tests.interpreter.fakes import START, FakePorts, carry, failing, plan_of, rehearse, scope_of
from tests.interpreter.test_steps import agent, gate, isolate, saying
from workflows.interpreter.ending import Suspended
from workflows.interpreter.walk import run_steps

LADDER = [
    {"approvers": ["chief"], "timeout": "30m", "remind": ["20m"]},
    {"approvers": ["cleo"], "timeout": "10m", "on_timeout": "dead_letter"},
]


def ladder(**more):
    return gate("ask", timeout="1h", remind=["20m", "40m"], on_timeout="escalate", escalation=LADDER, **more)


def minutes(moment):
    return (moment - START) / timedelta(minutes=1)


def notes(run, path="ask"):
    return [(note.about, minutes(note.at), note.to) for note in run.journal.get(path).notices]


def told(ports):
    return [(notice.about, minutes(notice.at), notice.to) for notice in ports.notices]


async def test_each_rung_has_reminders_and_a_deadline_of_its_own():
    run = await rehearse(plan_of([ladder()]), FakePorts())

    assert [
        ("reminded", 20, ("lead",)),
        ("reminded", 40, ("lead",)),
        ("reminded", 80, ("chief",)),
    ] == notes(run)
    assert 100 == minutes(run.ports.clock)


async def test_silence_on_the_last_rung_fails_the_step_as_unanswered():
    run = await rehearse(plan_of([ladder(), agent("after")]), FakePorts())

    assert ("failed", {"ask": "failed"}) == (run.state, run.statuses())
    assert (
        "unanswered: step ask, wait for people: nobody decided in time; "
        "asked were lead for 1h, then chief for 30m, then cleo for 10m"
    ) == str(run.error)


async def test_a_gate_without_a_ladder_may_end_in_the_dead_letter_too():
    run = await rehearse(plan_of([gate("ask", timeout="1h", on_timeout="dead_letter")]), FakePorts())

    assert ("failed", "unanswered") == (run.state, run.error.failure.code)


async def test_an_action_that_nobody_answered_runs_nothing_and_fails():
    approval = {"approvers": ["lead"], "timeout": "1h", "on_timeout": "dead_letter"}
    run = await rehearse(plan_of([isolate(approval=approval)]), FakePorts())

    assert ("failed", "unanswered", []) == (run.state, run.error.failure.code, run.ports.world)


async def test_a_step_may_provide_for_silence():
    asked = {**ladder(), "on_failure": {"unanswered": [agent("file_it")]}}
    run = await rehearse(plan_of([asked, agent("after")]), FakePorts())

    expected = {"ask": "recovered", "ask/on_failure/file_it": "succeeded", "after": "succeeded"}
    assert ("completed", expected) == (run.state, run.statuses())


async def test_the_last_resort_of_a_ladder_is_to_refuse_unless_it_says_otherwise():
    rungs = [{"approvers": ["chief"], "timeout": "30m"}]
    run = await rehearse(plan_of([gate("ask", timeout="1h", on_timeout="escalate", escalation=rungs)]), FakePorts())

    assert ("refused", "ask was timed out") == (run.state, run.error.reason)


async def test_whoever_answers_a_reminder_settles_the_gate():
    def late(opening):
        return ("cleo", "approve") if opening.subject.approvers == ("chief",) and not opening.reminders else None

    ports = FakePorts(people=late)
    run = await rehearse(plan_of([ladder()]), ports)

    assert ("completed", 80) == (run.state, minutes(ports.clock))
    assert "approved" == run.journal.get("ask").answer["decision"]


async def test_votes_outlive_a_reminder():
    def people(opening):
        if not opening.votes:
            return ("lea", "approve")
        return ("lou", "approve") if not opening.reminders else None

    ports = FakePorts(people=people)
    run = await rehearse(plan_of([gate("ask", timeout="1h", remind=["20m"], required=2)]), ports)

    assert (["lea", "lou"], 20) == (run.journal.get("ask").answer["by"], minutes(ports.clock))


async def test_a_gate_without_a_deadline_reminds_and_waits_on():
    def people(opening):
        return None if opening.reminders else ("lea", "approve")

    ports = FakePorts(people=people)
    run = await rehearse(plan_of([gate("ask", remind=["1d", "3d"])]), ports)

    assert (["reminded", "reminded"], 3 * 1440) == ([about for about, *_ in notes(run)], minutes(ports.clock))


async def test_a_reminder_is_not_given_again_after_a_hand_over():
    plan = plan_of([gate("ask", timeout="1h", remind=["20m", "40m"])])
    first = FakePorts()
    scope = scope_of(plan, first, {})

    def hand_over(opening):
        first.stop_after = 0 if len(opening.reminders) == 1 else None

    first.people = hand_over
    with pytest.raises(Suspended):
        await run_steps(plan.definition.steps, "", scope)
    run = await rehearse(plan, FakePorts(clock=first.clock), carried=carry(scope))

    assert [("reminded", 20, ("lead",)), ("reminded", 40, ("lead",))] == notes(run)


async def test_reminders_that_come_due_together_are_one():
    plan = plan_of([gate("ask", timeout="1h", remind=["20m", "40m"])])
    first = FakePorts()
    scope = scope_of(plan, first, {})
    first.people = lambda _: setattr(first, "stop_after", 0)
    with pytest.raises(Suspended):
        await run_steps(plan.definition.steps, "", scope)
    run = await rehearse(plan, FakePorts(clock=START + timedelta(minutes=45)), carried=carry(scope))

    assert [("reminded", 45, ("lead",))] == notes(run)


async def test_changed_arguments_keep_the_reminders_that_are_left():
    def people(opening):
        if opening.subject.arguments == {"host": "db-01"}:
            return None
        return None if len(opening.reminders) == 2 else ("lea", "modify")

    ports = FakePorts(people=people, changes={"host": "db-01"})
    approval = {"approvers": ["lead"], "timeout": "1h", "remind": ["20m", "40m"]}
    run = await rehearse(plan_of([isolate(approval=approval)]), ports)

    assert [("reminded", 20, ("lead",)), ("reminded", 40, ("lead",))] == notes(run, "isolate")


async def test_people_are_told_of_each_thing_once_where_there_are_channels():
    ports = FakePorts()
    await rehearse(plan_of([ladder()]).model_copy(update={"notify": True}), ports)

    assert [
        ("opened", 0, ("lead",)),
        ("reminded", 20, ("lead",)),
        ("reminded", 40, ("lead",)),
        ("escalated", 60, ("chief",)),
        ("reminded", 80, ("chief",)),
        ("escalated", 90, ("cleo",)),
        ("settled", 100, ("cleo", "rita")),
    ] == told(ports)
    assert len(ports.notices) == len({notice.id for notice in ports.notices})


async def test_nobody_is_told_where_there_is_no_channel():
    ports = FakePorts()
    await rehearse(plan_of([ladder()]), ports)

    assert [] == ports.notices


async def test_who_was_asked_in_a_branch_that_lost_is_told_and_asked_no_more():
    ports = FakePorts(agents={"ann": lambda _: {}})
    race = {"kind": "race", "step": "race", "race": [ladder(), agent("quick")]}
    plan = plan_of([race]).model_copy(update={"notify": True})
    run = await rehearse(plan, ports, limits=CURRENT)

    assert ("completed", ()) == (run.state, ports.book.openings())
    assert [("opened", ""), ("settled", "withdrawn")] == [(one.about, one.decision) for one in ports.notices]
    assert ("race/ask", ("lead",)) == (ports.notices[1].step, ports.notices[1].to)


async def test_a_mission_that_began_before_leaves_such_a_gate_as_it_was():
    ports = FakePorts(agents={"ann": lambda _: {}})
    race = {"kind": "race", "step": "race", "race": [ladder(), agent("quick")]}
    await rehearse(plan_of([race]).model_copy(update={"notify": True}), ports)

    assert (["opened"], 1) == ([one.about for one in ports.notices], len(ports.book.openings()))


async def test_a_notice_carries_nothing_that_is_decided_on():
    ports = FakePorts(people=saying("approve"))
    approval = {"approvers": ["lead"], "timeout": "1h", "message": "the key is s3cret", "context": ["found"]}
    steps = [agent("look", output="found"), isolate(approval=approval, **{"with": {"host": "s3cret"}})]
    ports.agents = {"ann": {"password": "s3cret"}}
    await rehearse(plan_of(steps).model_copy(update={"notify": True}), ports)

    assert ["opened", "settled"] == [notice.about for notice in ports.notices]
    assert ("approved", ("lea",)) == (ports.notices[1].decision, ports.notices[1].by)
    assert "s3cret" not in "".join(notice.model_dump_json() for notice in ports.notices)


async def test_what_cannot_be_undone_is_told_as_a_dead_letter():
    ports = FakePorts(
        agents={"ann": failing()},
        tools={"release": failing()},
        people=lambda opening: ("cleo", "reject") if opening.subject.kind == "compensation" else None,
    )
    plan = plan_of([isolate(), agent("after")]).model_copy(update={"notify": True})
    await rehearse(plan, ports)

    assert ["dead_letter", "settled"] == [notice.about for notice in ports.notices]
    assert ("chief",) == ports.notices[0].to
