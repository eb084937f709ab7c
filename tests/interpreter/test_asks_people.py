"""An agent that asks for people, one outside its expertise, and one whose watcher objects: people see what there is."""

from datetime import UTC, datetime

import pytest

from contracts.call import AgentResult, Observation
from contracts.mind import CodeAgent
from tests.interpreter.fakes import FakePorts, plan_of, rehearse
from tests.interpreter.test_steps import agent, saying

NOW = datetime(2026, 11, 1, tzinfo=UTC)
SEEN = (Observation(number=1, at=NOW, text="it beacons", source="siem"),)
ASKS = AgentResult(output={"n": 1}, escalated="two hosts have this name", observations=SEEN)
EXPERT = {"ann": CodeAgent(callable="tests:none", expertise=("malware", "phishing"))}
STEPS = [agent("one", output="x"), agent("two", agent="dot", context=["x"])]
WATCHED = [agent("one", output="x", watch="ben"), agent("two", agent="dot", context=["x"])]


@pytest.mark.parametrize("verb", ["approve", "reject"])
async def test_an_agent_may_ask_for_people_who_see_what_it_has_so_far(verb):
    ports = FakePorts(agents={"ann": ASKS}, people=saying(verb))
    run = await rehearse(plan_of(STEPS), ports)

    [opening] = ports.openings
    assert ("two hosts have this name" in opening.subject.message, ("chief",)) == (True, opening.subject.approvers)
    assert ({"n": 1}, ["finding: it beacons"]) == (
        opening.context["what it has so far"],
        opening.context["what it noticed"],
    )
    went_on = ("completed", ["one", "two"], "recovered", {"n": 1}, SEEN)
    stopped = ("refused", ["one"], "cancelled", None, SEEN)
    record = run.journal.get("one")
    found = (run.state, ports.calls, record.status, run.scope.variables.values.get("x"), record.observations)
    assert (went_on if verb == "approve" else stopped) == found


@pytest.mark.parametrize("answer", [{"subject": "finance"}, {"n": 1}, "malware"])
async def test_an_answer_outside_the_expertise_is_put_before_people(answer):
    ports = FakePorts(agents={"ann": answer}, people=saying("approve"))
    run = await rehearse(plan_of(STEPS, EXPERT), ports)

    assert (1, "it is an expert of malware, phishing" in ports.openings[0].subject.message) == (
        len(ports.openings),
        True,
    )
    assert ("completed", answer) == (run.state, run.scope.variables.values["x"])


async def test_an_answer_within_the_expertise_asks_nobody():
    ports = FakePorts(agents={"ann": {"subject": "phishing"}})

    assert ("completed", []) == ((await rehearse(plan_of(STEPS, EXPERT), ports)).state, ports.openings)


@pytest.mark.parametrize(
    ("ways", "asked"), [({"any": "continue"}, 1), ({"escalated": {"agent": "cid"}}, 0), ({"agent": "abort"}, 0)]
)
async def test_only_a_way_for_just_that_or_for_agents_leaves_people_out(ways, asked):
    ports = FakePorts(agents={"ann": ASKS, "cid": {"n": 3}}, people=saying("approve"))
    await rehearse(plan_of([agent("one", output="x", on_failure=ways)]), ports)

    assert asked == len(ports.openings)


async def test_a_watcher_sees_each_answer_with_what_was_noticed_before_the_next_step():
    shown = {}
    watcher = lambda call: shown.update(call.context) or {"objection": ""}  # noqa: E731
    ports = FakePorts(agents={"ann": AgentResult(output={"n": 1}, observations=SEEN), "ben": watcher})
    run = await rehearse(plan_of(WATCHED), ports)

    assert ("completed", ["one", "one/watch", "two"], []) == (run.state, ports.calls, ports.openings)
    assert ("ann", {"n": 1}, ["it beacons"]) == (
        shown["agent"],
        shown["answer"],
        [one["text"] for one in shown["observations"]],
    )


@pytest.mark.parametrize("verb", ["approve", "reject"])
async def test_an_objection_asks_people_before_the_next_step_builds_on_it(verb):
    ports = FakePorts(agents={"ann": {"n": 1}, "ben": {"objection": "it made that up"}}, people=saying(verb))
    run = await rehearse(plan_of(WATCHED), ports)

    [opening] = ports.openings
    assert "objected: step one (ben), watch the step: it made that up" in opening.subject.message
    calls = ["one", "one/watch", *(["two"] if verb == "approve" else [])]
    assert (("completed" if verb == "approve" else "refused"), calls) == (run.state, ports.calls)


async def test_nobody_goes_on_from_an_answer_that_its_watcher_could_not_see():
    ports = FakePorts(agents={"ann": {"n": 1}, "ben": AgentResult(errors=("n: missing",))})
    run = await rehearse(plan_of(WATCHED), ports)

    assert ("failed", "two" in ports.calls) == (run.state, False)
