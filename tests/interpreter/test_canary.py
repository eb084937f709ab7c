"""A canary goes on from what is surely healthy; from anything else it goes back, in reverse, and says so."""

from datetime import timedelta

import pytest

from contracts.mind import CodeAgent
from tests.interpreter.fakes import START, Endless, FakePorts, carry, failing, plan_of, rehearse, scope_of
from tests.interpreter.test_steps import agent
from workflows.interpreter.ending import StepFailed, Suspended
from workflows.interpreter.walk import run_steps

TWO = {"approvers": ["lead"], "required": 2}


def act(tool, **more):
    return {"kind": "action", "step": tool, "action": tool, **more}


def rolled(*stages, **more):
    whole = {key: more.pop(key) for key in ("on_failure", "retry", "timeout") if key in more}
    canary = {
        "stages": list(stages) or [1, 10, 50],
        "do": act("file", **{"with": {"percent": "${{ stage }}"}, "compensate": {"tool": "unfile"}}),
        "bake": "10m",
        "probe": act("look", **{"with": {"percent": "${{ stage }}"}}),
        "healthy": "result.errors < 5",
        "incident": act("once", **{"with": {"why": "${{ stage }}: ${{ result }}"}}),
    }
    return {"kind": "canary", "step": "roll", "output": "rolled", "canary": {**canary, **more}, **whole}


def errors(**at):
    """A probe that finds errors at some stages, and none at the others."""
    return {"look": lambda call: {"errors": at.get(f"at_{call.arguments['percent']}", 0)}}


def effects(ports):
    return [(tool, arguments.get("percent", arguments.get("why"))) for tool, _, arguments in ports.world]


async def test_every_stage_bakes_and_is_looked_at_before_the_next():
    ports = FakePorts(tools={"file": lambda call: {"id": call.arguments["percent"]}, **errors()})
    run = await rehearse(plan_of([rolled()]), ports)

    expected = [(1, "file"), (1, "look"), (10, "file"), (10, "look"), (50, "file"), (50, "look")]
    assert expected == [(percent, tool) for tool, percent in effects(ports)]
    stages = [{"stage": n, "result": {"id": n}, "metrics": {"errors": 0}} for n in (1, 10, 50)]
    assert {"completed": True, "refused": None, "stages": stages} == run.scope.variables.values["rolled"]
    assert {"rolled"} == set(run.scope.variables.values)
    at = {record.path: record.started_at - START for record in run.journal.records()}
    assert [timedelta(minutes=m) for m in (0, 10, 10, 20)] == [
        at[path] for path in ("roll[1]/file", "roll[1]/look", "roll[10]/file", "roll[10]/look")
    ]


async def test_a_breach_undoes_the_stages_in_reverse_then_opens_the_incident_and_says_so():
    ports = FakePorts(tools={**errors(at_50=7), "once": {"id": "INC-1"}})
    run = await rehearse(plan_of([rolled(1, 10, 50, 100)]), ports)

    assert [("unfile", 50), ("unfile", 10), ("unfile", 1), ("once", '50: {"errors":7}')] == effects(ports)[-4:]
    assert 100 not in [percent for _, percent in effects(ports)]
    failure = run.error.failure
    assert ("failed", "canary_breached", "roll") == (run.state, failure.code, failure.step)
    assert 'stage 50: `result.errors < 5` is not true of {"errors":7}' == failure.cause
    assert "stage 50 was undone, stage 10 was undone, stage 1 was undone" == failure.tried
    assert 'once answered {"id":"INC-1"}' == failure.remains
    assert {"roll": "failed", "roll[1]": "succeeded", "roll[50]": "failed"}.items() <= run.statuses().items()


@pytest.mark.parametrize(
    ("tools", "more", "cause"),
    [
        ({"look": {}}, {}, "stage 1: expression_error"),
        ({"look": {"errors": "none"}}, {}, "stage 1: expression_error"),
        ({"look": {"errors": 0}}, {"healthy": "result.errors"}, "stage 1: expression_error"),
        ({"look": failing("unavailable", "no")}, {}, "stage 1: unavailable: step roll[1]/look (look)"),
        ({"file": failing()}, {}, "stage 1: tool_failed: step roll[1]/file (file)"),
    ],
    ids=["a field that is missing", "no number", "no question", "a probe that fails", "an action that fails"],
)
async def test_whatever_is_not_surely_healthy_is_a_breach(tools, more, cause):
    ports = FakePorts(tools={**errors(), **tools})
    run = await rehearse(plan_of([rolled(**more)]), ports)

    assert ("failed", "canary_breached") == (run.state, run.error.failure.code)
    assert run.error.failure.cause.startswith(cause)
    assert [("unfile", 1), "once"] == [effects(ports)[-2], effects(ports)[-1][0]]


async def test_an_action_that_surely_did_nothing_has_nothing_to_undo():
    ports = FakePorts(tools={**errors(), "file": [{}, failing("refused", "no")]})
    run = await rehearse(plan_of([rolled()]), ports)

    assert "stage 10 had nothing to undo, stage 1 was undone" == run.error.failure.tried
    assert [1] == [percent for tool, percent in effects(ports) if tool == "unfile"]


async def test_an_incident_that_people_refuse_is_said_to_be_none():
    incident = act("once", approval={"approvers": ["lead"], "on_reject": "continue"})
    ports = FakePorts(tools=errors(at_1=9), people=lambda _: ("lea", "reject"))
    run = await rehearse(plan_of([rolled(incident=incident)]), ports)

    assert "no incident was opened (people did not approve it)" == run.error.failure.remains


async def test_an_incident_that_cannot_be_opened_hides_no_breach():
    ports = FakePorts(tools={**errors(at_1=9), "once": failing("unavailable", "no")})
    run = await rehearse(plan_of([rolled()]), ports)

    assert ("canary_breached", "no incident was opened (it would not)") == (
        run.error.failure.code,
        run.error.failure.remains,
    )
    assert ("unfile", 1) in effects(ports)


async def test_a_stage_that_cannot_be_undone_asks_people():
    asked = []
    ports = FakePorts(tools={**errors(at_10=9), "unfile": failing()})
    ports.people = lambda opening: asked.append(opening.subject.step) or ("cleo", "reject")
    run = await rehearse(plan_of([rolled()]), ports)

    assert ["roll[10]/file/undo[1]", "roll[1]/file/undo[1]"] == asked
    assert "stage 10 was left as it is, stage 1 was left as it is" == run.error.failure.tried


async def test_the_sandbox_comes_first_and_must_be_healthy_too():
    sandbox = act("isolate", **{"with": {"percent": "${{ stage }}"}, "compensate": {"tool": "release"}})
    ports = FakePorts(tools=errors(at_0=9))
    run = await rehearse(plan_of([rolled(sandbox=sandbox)]), ports)

    assert [("isolate", 0), ("look", 0), ("release", 0), ("once", '0: {"errors":9}')] == effects(ports)
    assert "the sandbox: `result.errors < 5` is not true of" in run.error.failure.cause
    assert "roll[sandbox]/isolate" in run.statuses()


async def test_the_last_stage_needs_an_approval_of_its_own():
    last = act("file", **{"with": {"percent": "${{ stage }}"}, "compensate": {"tool": "unfile"}, "approval": TWO})
    people = iter([("lea", "approve"), ("lou", "approve")])
    ports = FakePorts(tools=errors())
    ports.people = lambda _: next(people)
    plan = plan_of([rolled(last=last)])
    with pytest.raises(Endless):
        await rehearse(plan, ports)

    assert ["roll[50]/file"] == [opening.subject.step for opening in ports.openings]
    assert [1, 10] == [percent for tool, percent in effects(ports) if tool == "file"]


@pytest.mark.parametrize(("way", "state"), [("continue", "completed"), ("abort", "refused")])
async def test_a_stage_that_is_refused_ends_the_canary_there(way, state):
    gate = {"approvers": ["lead"], "on_reject": way}
    do = act("file", **{"with": {"percent": "${{ stage }}"}, "compensate": {"tool": "unfile"}, "approval": gate})
    ports = FakePorts(tools=errors())
    ports.people = lambda opening: ("lea", "reject" if opening.subject.arguments["percent"] == 10 else "approve")
    run = await rehearse(plan_of([rolled(do=do)]), ports)

    assert state == run.state
    undone = [percent for tool, percent in effects(ports) if tool == "unfile"]
    assert ([] if way == "continue" else [1]) == undone
    assert [1] == [percent for tool, percent in effects(ports) if tool == "file"]
    if way == "continue":
        found = run.scope.variables.values["rolled"]
        assert (False, 10, [1]) == (found["completed"], found["refused"], [one["stage"] for one in found["stages"]])


async def test_an_agent_may_be_the_probe_and_escalates_when_it_is_unsure():
    unsure = {"ann": CodeAgent(callable="tests:none", confidence_floor=0.5)}
    watch = agent("watch", task="Look at ${{ stage }}", context=["stage"])
    tasks = []
    ports = FakePorts(
        agents={"ann": lambda call: tasks.append((call.task, call.context)) or {"errors": 1, "confidence": 0.2}}
    )
    ports.people = lambda _: ("cleo", "approve")
    run = await rehearse(plan_of([rolled(1, 10, probe=watch)], agents=unsure), ports)

    assert "completed" == run.state
    assert [("Look at 1", {"stage": 1}), ("Look at 10", {"stage": 10})] == tasks
    assert 2 == len(ports.openings)


async def test_a_breach_that_the_definition_provides_for_lets_the_mission_go_on():
    ports = FakePorts(tools=errors(at_10=9))
    run = await rehearse(plan_of([rolled(on_failure={"canary_breached": [agent("tell")]}), agent("after")]), ports)

    assert ("completed", "recovered") == (run.state, run.statuses()["roll"])
    assert ["unfile", "unfile", "once"] == [tool for tool, _ in effects(ports)][-3:]
    assert ["roll/on_failure/tell", "after"] == ports.calls[-2:]


async def test_a_canary_that_is_tried_again_is_another_canary():
    ports = FakePorts(tools={"look": [{"errors": 9}, {"errors": 0}]})
    run = await rehearse(plan_of([rolled(1, 2, retry={"attempts": 2, "first": "1h"})]), ports)

    assert "completed" == run.state
    assert ["file", "look", "unfile", "once", "file", "look", "file", "look"] == [tool for tool, _ in effects(ports)]


async def test_what_fails_later_undoes_every_stage():
    ports = FakePorts(tools=errors(), agents={"ann": failing()})
    await rehearse(plan_of([rolled(), agent("later")]), ports)

    assert [50, 10, 1] == [percent for tool, percent in effects(ports) if tool == "unfile"]


async def through(plan, ports_of, most=60):
    """Walk in runs of a few effects until the mission ends; return what every run did and how it ended."""
    carried, world, clock = None, [], START
    for number in range(most):
        ports = ports_of(number)
        ports.clock = clock
        scope = scope_of(plan, ports, {}, carried)
        ending = None
        try:
            await run_steps(plan.definition.steps, "", scope)
            ending = "completed"
        except Suspended:
            carried, clock = carry(scope), ports.clock
        except StepFailed as failed:
            ending = failed.failure
        world += ports.world
        if ending is not None:
            return world, ending, scope, number + 1
    raise AssertionError("no progress")


def at_ten(call):
    return failing() if call.arguments["percent"] == 10 else {"errors": 0}


@pytest.mark.parametrize(
    "tools",
    [errors(), errors(at_1=9), errors(at_50=9), {**errors(), "file": at_ten}, {"look": at_ten}],
    ids=["healthy", "the first is not", "the last is not", "an action fails", "a probe fails"],
)
@pytest.mark.parametrize("every", [1, 2, 3])
async def test_over_hand_overs_at_any_effect_nothing_is_done_twice(every, tools):
    plan = plan_of([rolled()])

    def ports(_):
        return FakePorts(tools={**tools, "once": {"id": "INC-1"}}, stop_after=every)

    whole, whole_ending, whole_scope, _ = await through(plan, lambda _: FakePorts(tools=ports(0).tools))
    world, ending, scope, runs = await through(plan, ports)

    assert runs > 1
    assert whole == world
    assert len({key for _, key, _ in world}) == len(world)
    assert whole_ending == ending
    statuses = [{record.path: record.status for record in one.journal.records()} for one in (whole_scope, scope)]
    assert statuses[0] == statuses[1]


async def test_a_hand_over_while_a_stage_bakes_moves_no_moment():
    plan = plan_of([rolled(1)])
    first = FakePorts(tools=errors())
    scope = scope_of(plan, first, {})

    async def stop(ready, until, summary):
        first.stop_after = 0
        return ready()

    first.wait = stop
    with pytest.raises(Suspended):
        await run_steps(plan.definition.steps, "", scope)
    again = FakePorts(tools=errors(), clock=START + timedelta(minutes=4))
    scope = scope_of(plan, again, {}, carry(scope))
    await run_steps(plan.definition.steps, "", scope)

    assert [("file", 1)] == effects(first)
    assert [("look", 1)] == effects(again)
    assert START + timedelta(minutes=10) == again.clock


async def test_a_gate_of_a_stage_is_carried_as_it_stands_and_asked_once():
    gate = {"approvers": ["lead"]}
    do = act("file", **{"with": {"percent": "${{ stage }}"}, "compensate": {"tool": "unfile"}, "approval": gate})
    plan = plan_of([rolled(1, 10, do=do)])
    first = FakePorts(tools=errors())
    scope = scope_of(plan, first, {})

    async def stop(ready, until, summary):
        first.stop_after = 0
        return ready()

    first.wait = stop
    with pytest.raises(Suspended):
        await run_steps(plan.definition.steps, "", scope)
    carried = carry(scope)
    again = FakePorts(tools=errors(), people=lambda _: ("lea", "approve"))
    scope = scope_of(plan, again, {}, carried)
    await run_steps(plan.definition.steps, "", scope)

    assert carried.openings[0] == again.openings[0]
    assert ["roll[1]/file", "roll[10]/file"] == [opening.subject.step for opening in again.openings]
