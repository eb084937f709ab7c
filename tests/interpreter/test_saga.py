"""What is abandoned is undone, in reverse, under keys of its own; what cannot be undone waits for people."""

import asyncio

import pytest

from contracts.step import Retry
from tests.interpreter.fakes import FakePorts, failing, plan_of, rehearse, scope_of
from workflows.interpreter.undo import undo_all
from workflows.interpreter.walk import run_steps


def act(name, tool="isolate", undo="release", **arguments):
    compensate = {"compensate": {"tool": undo}} if undo else {}
    return {"kind": "action", "step": name, "action": tool, "with": {"host": name, **arguments}, **compensate}


BREAK = {"kind": "agent", "step": "break", "agent": "ben", "task": "break"}


async def test_compensations_run_in_reverse_order_of_completion():
    ports = FakePorts(agents={"ben": failing()})

    await rehearse(plan_of([act("a"), act("b"), BREAK]), ports)

    expected = [("isolate", "a"), ("isolate", "b"), ("release", "b"), ("release", "a")]
    assert expected == [(tool, arguments["host"]) for tool, _, arguments in ports.world]
    assert 4 == len({key for _, key, _ in ports.world})


@pytest.mark.parametrize(("applied", "undone"), [("unknown", ["release"]), ("yes", ["release"]), ("no", [])])
async def test_an_effect_that_may_have_happened_is_undone(applied, undone):
    ports = FakePorts(tools={"isolate": failing(applied=applied)})

    run = await rehearse(plan_of([act("a")]), ports)

    assert undone == [tool for tool, _, _ in ports.world[1:]]
    assert (applied, "failed") == (run.journal.get("a").effect.applied, run.state)


async def test_a_compensation_may_use_what_the_action_returned():
    step = act("a", tool="file", undo="unfile")
    step["compensate"] = {"tool": "unfile", "with": {"ticket": "${{ result.id }}"}}
    ports = FakePorts(agents={"ben": failing()}, tools={"file": {"id": "T-7"}})

    await rehearse(plan_of([step, BREAK]), ports)

    assert ("unfile", {"ticket": "T-7"}) == (ports.world[-1][0], ports.world[-1][2])


async def test_a_compensation_that_fails_waits_for_people_and_is_tried_again_when_they_say_so():
    ports = FakePorts(
        agents={"ben": failing()}, tools={"release": [failing(), {"ok": True}]}, people=lambda _: ("chief", "approve")
    )

    run = await rehearse(plan_of([act("a"), BREAK]), ports)

    assert ["a/undo[1]"] == [opening.subject.step for opening in ports.openings]
    assert "By hand: Pull the cable back in" in ports.openings[0].subject.message
    assert (("chief",), "compensation") == (ports.openings[0].subject.approvers, ports.openings[0].subject.kind)
    assert "done" == run.journal.get("a").effect.undo_status


async def test_a_compensation_that_people_give_up_is_never_called_done():
    ports = FakePorts(agents={"ben": failing()}, tools={"release": failing()}, people=lambda _: ("chief", "reject"))

    run = await rehearse(plan_of([act("a"), BREAK]), ports)

    effect = run.journal.get("a").effect
    assert ("given_up", True) == (effect.undo_status, "chief says reject" in effect.undo_error)


async def test_a_cancelled_mission_lets_a_running_effect_report_and_undoes_it():
    started, report = asyncio.Event(), asyncio.Event()

    async def slow(call):
        started.set()
        task = asyncio.current_task()
        while not report.is_set():  # like an activity that reports although it was asked to stop
            try:
                await report.wait()
            except asyncio.CancelledError:
                report.set()
        assert task.cancelling()
        return {"ok": True}

    ports = FakePorts(tools={"isolate": slow})
    plan = plan_of([act("a"), act("b")])
    scope = scope_of(plan, ports, {})
    walking = asyncio.ensure_future(run_steps(plan.definition.steps, "", scope))
    await started.wait()
    walking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await walking
    await asyncio.create_task(undo_all(scope))

    assert [("isolate", "a"), ("release", "a")] == [(tool, arguments["host"]) for tool, _, arguments in ports.world]


async def test_undoing_twice_undoes_once():
    ports = FakePorts(agents={"ben": failing()})

    run = await rehearse(plan_of([act("a"), BREAK]), ports)
    await undo_all(run.scope)

    assert 1 == [tool for tool, _, _ in ports.world].count("release")


@pytest.mark.parametrize(
    ("own", "contract", "attempts"),
    [(None, None, 3), (None, Retry(attempts=7), 7), ({"attempts": 5}, Retry(attempts=7), 5)],
)
async def test_a_compensation_is_tried_by_its_own_policy_else_by_its_contract(own, contract, attempts):
    class Watched(FakePorts):
        async def run_tool(self, call, effort):
            efforts[call.tool] = effort.retry.attempts
            return await super().run_tool(call, effort)

    efforts: dict[str, int] = {}
    step = {**act("a"), "compensate": {"tool": "release", "retry": own}}
    plan = plan_of([step, BREAK])
    tools = {**plan.tools, "release": plan.tools["release"].model_copy(update={"retry": contract})}
    run = await rehearse(plan.model_copy(update={"tools": tools}), Watched(agents={"ben": failing()}))

    assert {"isolate": 3, "release": attempts} == efforts
    assert "done" == run.journal.get("a").effect.undo_status
