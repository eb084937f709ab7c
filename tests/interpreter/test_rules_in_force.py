"""What is approved counts under the rules it was asked under: where these change, people are asked again."""

from datetime import timedelta

import pytest

from contracts.decision import Ruling
from contracts.plan import Limits
from tests.interpreter.fakes import START, FakePorts, carry, plan_of, rehearse, scope_of
from tests.interpreter.test_together import GATE, act, group, undone
from workflows.interpreter.ending import EffectFailed, Suspended
from workflows.interpreter.stakes import MOST_VOID
from workflows.interpreter.walk import run_steps

GOVERNED = Limits(governed=True)
RECALLING = Limits(governed=True, recalls=True)
ASKED = act("a", approval=GATE)
ROLES = {"lea": ("lead",), "lou": ("lead",)}


def ruling(opening, person, **fields):
    known = {"accepted": True, "verb": "approve", "governance": opening.subject.governance, **fields}
    place = {"step": opening.subject.step, "nonce": opening.nonce, "jti": f"{person}-{opening.nonce}"}
    return Ruling(person=person, roles=ROLES[person], token=f"{person} at {opening.nonce}", **place, **known)


def overtaken(opening, person, version):
    return ruling(opening, person, accepted=False, overtaken=True, governance=version, reason="the rules have changed")


def saying(*rounds, **more):
    """People of whom each round says what is ruled at one opening."""
    left = list(rounds)

    def speak(opening):
        for say in left.pop(0) if left else ():
            ports.book.count(say(opening))

    ports = FakePorts(people=speak, **more)
    return ports


def yes(person="lea"):
    return lambda opening: ruling(opening, person)


def late(version, person="lea"):
    return lambda opening: overtaken(opening, person, version)


def outdated(version, people=0, applied="no"):
    cause = "policy or people have changed since it was approved"
    return EffectFailed("outdated", cause, applied=applied, governance=version, people=people)


def versions(run):
    return [one.subject.governance for one in run.ports.openings]


async def test_what_is_asked_names_the_rules_in_force_and_is_asked_for_once_for_each_question():
    run = await rehearse(plan_of([ASKED]), saying([yes()]), limits=GOVERNED)

    assert ("completed", ["v1"], [("rules", "a")]) == (run.state, versions(run), run.ports.kin)
    assert "v1" == run.journal.get("a").grant.subject.governance


async def test_who_has_just_heard_which_rules_are_in_force_does_not_ask_again():
    slow = {"kind": "wait", "step": "nap", "wait": {"for": "31s"}}
    steps = [act("a", approval=GATE), act("b", approval=GATE), slow, act("c", approval=GATE), act("d", approval=GATE)]
    run = await rehearse(plan_of(steps), saying([yes()], [yes()], [yes()], [late("v2")], [yes()]), limits=RECALLING)

    assert ("completed", ["v1", "v1", "v1", "v1", "v2"]) == (run.state, versions(run))
    assert [("rules", "a"), ("rules", "c")] == run.ports.kin


async def test_a_mission_from_before_asks_without_them_until_it_learns_of_them():
    ports = saying([yes()], [yes()], tools={"isolate": [outdated("v2"), {}]})
    run = await rehearse(plan_of([ASKED]), ports)

    assert ("completed", ["", "v2"], []) == (run.state, versions(run), run.ports.kin)


async def test_a_decision_under_old_rules_makes_the_opening_void_and_votes_do_not_move_over():
    two = act("a", approval={**GATE, "required": 2})
    ports = saying([yes(), late("v2", "lou")], [yes("lou"), yes()])
    run = await rehearse(plan_of([two]), ports, limits=GOVERNED)

    first, second = run.ports.openings
    assert ("completed", ["v1", "v2"]) == (run.state, versions(run))
    assert (first.nonce, first.digest) != (second.nonce, second.digest)
    assert (first.deadline, ()) == (second.deadline, second.votes)
    tokens = run.journal.get("a").grant.tokens
    assert (f"lou at {second.nonce}", f"lea at {second.nonce}") == tokens
    assert ["the rules have changed"] == [one.reason for one in run.scope.gates.refusals]


async def test_one_of_two_votes_alone_never_opens_the_gate_anew_nor_counts_there():
    two = act("a", approval={**GATE, "required": 2})
    run = await rehearse(plan_of([two]), saying([yes(), late("v2", "lou")], [yes("lou")]), limits=GOVERNED)

    assert ("refused", []) == (run.state, run.ports.world)


async def test_what_was_changed_stays_changed_where_it_is_asked_again():
    changed = lambda opening: ruling(opening, "lea", verb="modify", changes={"host": "b"})  # noqa: E731
    run = await rehearse(plan_of([ASKED]), saying([changed], [late("v2")], [yes()]), limits=GOVERNED)

    assert ("completed", ["v1", "v1", "v2"]) == (run.state, versions(run))
    assert [{"host": "b"}] == [arguments for _, _, arguments in run.ports.world]


async def test_rules_that_change_twice_and_back_are_asked_about_each_time():
    ports = saying([late("v2")], [late("v3")], [late("v2")], [yes()])
    run = await rehearse(plan_of([ASKED]), ports, limits=GOVERNED)

    assert ("completed", ["v1", "v2", "v3", "v2"]) == (run.state, versions(run))


async def test_two_who_decide_under_old_rules_at_once_open_it_anew_once():
    run = await rehearse(plan_of([ASKED]), saying([late("v2"), late("v2", "lou")], [yes()]), limits=GOVERNED)

    assert ("completed", ["v1", "v2"]) == (run.state, versions(run))


async def test_a_late_word_about_an_opening_of_before_makes_nothing_void():
    first = []

    def old(opening):
        first.append(opening)
        return overtaken(opening, "lea", "v2")

    ports = saying([old], [lambda _: overtaken(first[0], "lou", "v3"), yes()])
    run = await rehearse(plan_of([ASKED]), ports, limits=GOVERNED)

    assert ("completed", ["v1", "v2"]) == (run.state, versions(run))


async def test_an_approval_that_the_executor_does_not_take_is_asked_for_again_and_one_effect_comes_of_it():
    ports = saying([yes()], [yes("lou")], tools={"isolate": [outdated("v2"), {}]})
    run = await rehearse(plan_of([ASKED]), ports, limits=GOVERNED)

    assert ("completed", ["v1", "v2"]) == (run.state, versions(run))
    assert 1 == len({key for _, key, _ in run.ports.world})
    record = run.journal.get("a")
    assert (["lou"], 1, "yes") == (record.answer["by"], record.voided, record.effect.applied)
    assert ["outdated: policy or people have changed since it was approved"] != run.scope.gates.refusals


async def test_the_executor_may_ask_for_more_people_than_the_mission_did():
    ports = saying([yes()], [yes(), yes("lou")], tools={"isolate": [outdated("v2", people=2), {}]})
    run = await rehearse(plan_of([ASKED]), ports, limits=GOVERNED)

    assert ("completed", [1, 2]) == (run.state, [one.subject.required for one in run.ports.openings])


async def test_what_nobody_was_asked_about_is_asked_about_where_the_executor_wants_it():
    ports = FakePorts(people=lambda _: ("cleo", "approve"), tools={"file": [outdated("v2", people=1), {}]})
    run = await rehearse(plan_of([act("a", "file")]), ports, limits=GOVERNED)

    assert ("completed", [("chief",)]) == (run.state, [one.subject.approvers for one in run.ports.openings])
    assert ["cleo"] == run.journal.get("a").answer["by"]


async def test_silence_the_second_time_refuses_and_leaves_nothing_to_undo():
    ports = saying([yes()], tools={"isolate": outdated("v2")})
    run = await rehearse(plan_of([undone("a", approval=GATE)]), ports, limits=GOVERNED)

    assert ("refused", ["isolate"]) == (run.state, [tool for tool, _, _ in run.ports.world])


async def test_where_it_may_have_been_done_already_nobody_is_asked_again_and_it_is_undone():
    ports = saying([yes()], tools={"isolate": outdated("v2", applied="unknown")})
    run = await rehearse(plan_of([undone("a", approval=GATE)]), ports, limits=GOVERNED)

    assert ("failed", "refused") == (run.state, run.error.failure.code)
    assert ["isolate", "release"] == [tool for tool, _, _ in run.ports.world]


async def test_workers_that_never_agree_on_the_rules_end_in_a_failure():
    swinging = [outdated(f"v{number % 2}") for number in range(MOST_VOID + 5)]
    ports = saying(*[[yes()]] * (MOST_VOID + 5), tools={"isolate": swinging})
    run = await rehearse(plan_of([ASKED]), ports, limits=GOVERNED)

    assert ("failed", "refused", MOST_VOID + 1) == (run.state, run.error.failure.code, len(run.ports.openings))


async def test_of_a_group_what_is_left_is_asked_again_and_what_was_done_stays():
    second = iter([outdated("v2"), {}])
    ports = saying([yes()], [yes("lou")], tools={"isolate": lambda call: next(second) if call.path == "both/b" else {}})
    run = await rehearse(plan_of([group(act("a"), act("b"), act("c", "file"))]), ports, limits=GOVERNED)

    assert ("completed", ["v1", "v2"]) == (run.state, versions(run))
    first, again = ([one.step for one in opening.subject.actions] for opening in run.ports.openings)
    assert (["both/a", "both/b", "both/c"], ["both/b", "both/c"]) == (first, again)
    assert ["both/a", "both/b", "both/b", "both/c"] == run.ports.calls


async def test_a_run_that_takes_over_goes_on_asking_under_the_rules_that_the_run_before_learnt():
    plan = plan_of([ASKED])
    ports = saying([yes()], tools={"isolate": outdated("v2")})
    first = scope_of(plan, ports, {}, limits=GOVERNED)
    ports.stop_after = 1
    with pytest.raises(Suspended):
        await run_steps(plan.definition.steps, "", first)
    assert (1, None, []) == ((record := first.journal.get("a")).voided, record.grant, list(first.gates.openings()))

    run = await rehearse(plan, saying([yes("lou")], rules="v2"), carried=carry(first), limits=GOVERNED)

    assert ("completed", ["v2"], ["lou"]) == (run.state, versions(run), run.journal.get("a").answer["by"])


async def test_an_escalation_is_bound_and_a_review_and_a_task_are_not():
    steps = [
        {"kind": "review", "step": "look", "review": {"reviewers": ["lead"], "timeout": "1h"}},
        {"kind": "condition", "step": "if", "condition": {"if": "true", "then": "escalate", "else": "continue"}},
    ]
    people = lambda one: ("cleo", "approve") if one.subject.kind == "escalation" else None  # noqa: E731
    run = await rehearse(plan_of(steps), FakePorts(people=people), limits=GOVERNED)

    asked = {one.subject.kind: one.subject.governance for one in run.ports.openings}
    assert {"review": "", "escalation": "v1"} == asked


async def test_a_ladder_climbs_under_the_rules_that_were_learnt_and_the_clock_goes_on():
    gate = {**GATE, "on_timeout": "escalate"}
    ports = saying([late("v2")], [], [yes()])
    run = await rehearse(plan_of([act("a", approval=gate)]), ports, limits=GOVERNED)

    assert ["v1", "v2", "v2"] == versions(run)
    assert START + timedelta(hours=2) == run.ports.openings[-1].deadline
