"""Endless talk is found and people are asked; what may look like it is left alone."""

import pytest

from contracts.plan import CURRENT
from tests.interpreter.fakes import FakePorts, carry, failing, plan_of, rehearse, scope_of
from tests.interpreter.test_steps import agent, isolate, saying
from workflows.interpreter.ending import Suspended
from workflows.interpreter.walk import run_steps


def loop(*steps, until="false", most=6, name="loop", on_max="escalate", **more):
    inner = {"do": list(steps), "until": until, "max_iterations": most, "on_max": on_max}
    return {"kind": "loop", "step": name, "loop": inner, **more}


async def run_of(*steps, **more):
    ports = FakePorts(**{"people": saying("approve", "cleo"), **more})
    return await rehearse(plan_of(list(steps)), ports, limits=CURRENT), ports


class Halting(FakePorts):
    """Hands over at the first wait."""

    async def wait(self, ready, until, summary):
        self.stop_after = 0
        return await super().wait(ready, until, summary)


def counting():
    """Return an agent that answers otherwise each time."""
    said = iter(range(1000))
    return lambda _: {"n": next(said)}


async def test_the_same_agent_asked_the_same_in_three_rounds_is_found_and_people_are_asked():
    run, ports = await run_of(loop(agent("a"), output="x"), agent("after", agent="ben"))
    [asked] = ports.openings

    assert ["loop[1]/a", "loop[2]/a", "after"] == ports.calls
    assert ("escalation", ("chief",), "loop[3]/escalate") == (
        asked.subject.kind,
        asked.subject.approvers,
        asked.subject.step,
    )
    assert "stuck: step loop[3]/a (ann), get on: ann is asked the same in 3 rounds of loop" in asked.subject.message
    assert ("completed", "stuck") == (run.state, run.journal.get("loop[3]/a").failure.code)
    assert [("people", "stuck", "succeeded")] == [(r.rung, r.code, r.outcome) for r in run.journal.get("loop").rungs]
    assert {"a": {}} == run.scope.variables.values["x"]


async def test_people_who_do_not_go_on_end_the_mission():
    run, _ = await run_of(isolate(), loop(agent("a")), people=saying("reject", "cleo"))

    assert ("refused", "done") == (run.state, run.journal.get("isolate").effect.undo_status)


async def test_two_agents_that_hand_one_question_to_and_fro_are_found_in_the_second_round():
    run, ports = await run_of(loop(agent("a", output="x"), agent("b", agent="ben", context=["x"])))

    assert ["loop[1]/a", "loop[1]/b", "loop[2]/a"] == ports.calls
    assert "ann and ben hand the same to and fro in loop" in run.journal.get("loop[2]/b").failure.cause


async def test_two_agents_that_take_turns_by_rounds_are_found_too():
    ask = {"if": "iteration % 2 == 1", "then": [agent("a")], "else": [agent("b", agent="ben")]}
    _, ports = await run_of(loop({"kind": "condition", "step": "whose", "condition": ask}))

    assert ["loop[1]/whose/a", "loop[2]/whose/b", "loop[3]/whose/a"] == ports.calls


LEFT_ALONE = {
    "another task each round": loop(agent("a", task="${{ string(iteration) }}")),
    "an answer that goes into the next question": loop(agent("a", output="x", context=["x"]), most=5),
    "an agent who is told what another one found": loop(
        agent("a", output="x"), agent("b", agent="ben", context=["x"]), most=6
    ),
    "a tool that acts": loop(agent("a"), {"kind": "action", "step": "look", "action": "look"}),
    "time that passes": loop(agent("a"), {"kind": "wait", "step": "w", "wait": {"for": "5m"}}),
    "people who speak": loop(
        agent("a"), {"kind": "gate", "step": "g", "gate": {"approvers": ["lead"], "on_reject": "continue"}}
    ),
    "equal items of a map": {"kind": "map", "step": "m", "map": {"over": "[1, 1, 1, 1, 1, 1]", "do": [agent("a")]}},
    "equal items of a map, one after the other": {
        "kind": "map",
        "step": "m",
        "map": {"over": "[1, 1, 1]", "do": [agent("a"), agent("b", agent="ben")], "max_concurrency": 1},
    },
    "a loop for each item": {
        "kind": "map",
        "step": "m",
        "map": {"over": "[1, 1, 1, 1]", "do": [loop(agent("a"), most=2)], "max_concurrency": 1},
    },
    "equal items of a map in two rounds": loop(
        {
            "kind": "map",
            "step": "m",
            "map": {"over": "[1, 1]", "do": [agent("a"), agent("b", agent="ben")], "max_concurrency": 1},
        },
        most=1,
    ),
    "branches beside each other, in two rounds": loop(
        {"kind": "parallel", "step": "p", "parallel": [agent("a"), agent("b", agent="ben")]}, most=2
    ),
    "a loop of two rounds": loop(agent("a"), most=2),
    "the same step called from two places": {
        "kind": "group",
        "step": "g",
        "steps": [agent("a"), agent("b", agent="ben"), agent("c"), agent("d", agent="ben")],
    },
}


@pytest.mark.parametrize("step", LEFT_ALONE.values(), ids=LEFT_ALONE)
async def test_what_is_no_circle_is_left_alone(step):
    default = [agent("first", agent="eva", output="x")]
    run, _ = await run_of(*default, step, agents={"ann": counting()}, tools={"look": {}})

    assert "completed" == run.state
    assert [] == [record.path for record in run.journal.records() if record.failure is not None]


async def test_attempts_of_a_whole_step_are_no_circle():
    group = {"kind": "group", "step": "g", "steps": [agent("a"), agent("b", agent="ben"), agent("c", agent="dot")]}
    again = {**group, "retry": {"attempts": 3, "first": "1s"}}
    run, ports = await run_of(loop(again, most=1), agents={"dot": [failing(), failing(), 1]})

    assert "completed" == run.state
    assert 9 == len(ports.calls)


async def test_what_a_person_said_in_between_begins_the_count_anew():
    """Who lets a stuck agent be asks once in so many rounds, not in each."""
    _, ports = await run_of(loop(agent("a", on_failure={"stuck": "escalate"}), most=6, on_max="continue"))

    assert ["loop[3]/a/on_failure/escalate", "loop[6]/a/on_failure/escalate"] == [
        opening.subject.step for opening in ports.openings
    ]


@pytest.mark.parametrize(
    ("inner", "outer"),
    [({"workflow": "continue"}, {}), ({"stuck": {"agent": "ben"}}, {}), ({}, {"any": "continue"})],
)
async def test_where_the_definition_provides_for_it_nobody_is_asked(inner, outer):
    step = loop(agent("a", on_failure=inner), on_failure=outer, most=4, on_max="continue")
    run, ports = await run_of(step)

    assert ("completed", []) == (run.state, ports.openings)


async def test_a_loop_goes_where_its_bound_would_lead():
    run, ports = await run_of(loop(agent("a"), on_max=[agent("other", agent="ben")]), agent("after", agent="cid"))

    assert ["loop[1]/a", "loop[2]/a", "loop/on_max/other", "after"] == ports.calls
    assert ("completed", []) == (run.state, ports.openings)
    assert [("steps", "other", "stuck")] == [(r.rung, r.who, r.code) for r in run.journal.get("loop").rungs]


async def test_an_outer_loop_is_watched_as_well():
    inner = loop(agent("a"), until="true", name="inner")
    _, ports = await run_of(loop(inner))

    assert ["loop[1]/inner[1]/a", "loop[2]/inner[1]/a"] == ports.calls


async def test_missions_from_before_talk_on():
    ports = FakePorts()
    run = await rehearse(plan_of([loop(agent("a"), on_max="continue")]), ports)

    assert ("completed", 6) == (run.state, len(ports.calls))


@pytest.mark.parametrize("after", [1, 2])
async def test_over_hand_overs_the_same_is_found(after):
    plan = plan_of([loop(agent("a"), output="x"), agent("after", agent="ben")])
    scope = scope_of(plan, FakePorts(stop_after=after), {}, limits=CURRENT)
    with pytest.raises(Suspended):
        await run_steps(plan.definition.steps, "", scope)
    ports = FakePorts(people=saying("approve", "cleo"))
    run = await rehearse(plan, ports, carried=carry(scope), limits=CURRENT)

    assert (3, 1, "completed") == (after + len(ports.calls), len(ports.openings), run.state)


async def test_a_hand_over_while_people_are_asked_asks_once():
    plan = plan_of([loop(agent("a"), output="x"), agent("after", agent="ben")])
    scope = scope_of(plan, Halting(), {}, limits=CURRENT)
    with pytest.raises(Suspended):
        await run_steps(plan.definition.steps, "", scope)
    ports = FakePorts(people=saying("approve", "cleo"))
    run = await rehearse(plan, ports, carried=carry(scope), limits=CURRENT)

    assert (["after"], 1, "completed") == (ports.calls, len(ports.openings), run.state)
    assert {"a": {}} == run.scope.variables.values["x"]


def stance(position):
    return {"position": position, "reasons": [f"{position} is best"], "confidence": 0.9}


def party(**more):
    talk = {"topic": "Shall we?", "members": ["ann", "ben"], "rounds": 9, "tokens": 90_000, **more}
    return {"kind": "party", "step": "talk", "party": talk, "output": "said"}


STUBBORN = {"ann": stance("yes"), "ben": stance("no")}


async def test_a_party_that_only_repeats_itself_is_found_and_people_are_asked():
    run, ports = await run_of(party(), agent("after", agent="cid"), agents=STUBBORN)

    assert [f"talk[{number}]/{who}" for number in (1, 2, 3) for who in ("ann", "ben")] == ports.calls[:-1]
    assert ["talk/on_stall/escalate"] == [opening.subject.step for opening in ports.openings]
    assert ("completed", "stall") == (run.state, run.scope.variables.values["said"]["by"])


@pytest.mark.parametrize(
    ("more", "agents"),
    [
        ({"stall": 8}, STUBBORN),
        ({}, {**STUBBORN, "ben": lambda call: {**stance("no"), "reasons": [str(call.context["party"]["round"])]}}),
    ],
    ids=["it says itself when it has stalled", "somebody has new reasons"],
)
async def test_a_party_that_gets_on_or_bounds_itself_is_left_alone(more, agents):
    run, ports = await run_of(party(**more), agents=agents)

    assert ("completed", []) == (run.state, ports.openings)


async def test_parties_from_before_repeat_themselves_as_long_as_they_like():
    run = await rehearse(plan_of([party()]), FakePorts(agents=STUBBORN))

    assert ("rounds", 9) == tuple(run.scope.variables.values["said"][key] for key in ("by", "rounds"))
