"""The ladder: tries, then another agent, then people, who see what was tried; each rung is recorded with its reason."""

from tests.interpreter.fakes import FakePorts, failing, plan_of, rehearse
from tests.interpreter.test_steps import agent, saying


async def test_a_fallback_that_fails_too_goes_where_else_says():
    ports = FakePorts(agents={"ann": failing("unavailable"), "ben": failing("refused"), "cid": {"n": 3}})
    further = {"agent": "ben", "else": {"agent": "cid"}}
    steps = [agent("one", output="x", on_failure={"external": further}), agent("two", agent="dot", context=["x"])]
    run = await rehearse(plan_of(steps), ports)

    assert ["one", "one/on_failure", "one/on_failure/on_failure", "two"] == ports.calls
    assert {"n": 3} == run.scope.variables.values["x"]
    assert "recovered" == run.statuses()["one"] == run.statuses()["one/on_failure"]


async def test_people_come_last():
    ports = FakePorts(agents={"ann": failing("unavailable"), "ben": failing("refused")}, people=saying("approve"))
    ways = {"external": {"agent": "ben", "else": "escalate"}}
    run = await rehearse(plan_of([agent("one", on_failure=ways), agent("two", agent="dot")]), ports)

    assert ("completed", ["one", "one/on_failure", "two"]) == (run.state, ports.calls)
    assert ["chief"] == [one for opening in ports.openings for one in opening.subject.approvers]


async def test_a_class_is_provided_for_and_others_spread():
    run = await rehearse(
        plan_of([agent("one", on_failure={"timeout": "continue"})]), FakePorts(agents={"ann": failing("unavailable")})
    )

    assert ("failed", {"one": "failed"}) == (run.state, run.statuses())
