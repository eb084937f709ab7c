"""People may object; silence lets the mission go on."""

import pytest

from tests.interpreter.fakes import FakePorts, plan_of, rehearse
from tests.interpreter.test_steps import agent, saying


def review(**more):
    return {
        "kind": "review",
        "step": "look",
        "output": "r",
        "review": {"reviewers": ["lead"], "timeout": "1h", **more},
    }


@pytest.mark.parametrize(
    ("people", "decision", "minutes"),
    [(lambda _: None, "unopposed", 60), (saying("approve"), "approved", 0)],
    ids=["silence", "an approval"],
)
async def test_the_mission_goes_on_unless_somebody_objects(people, decision, minutes):
    ports = FakePorts(people=people)
    run = await rehearse(plan_of([review(), agent("after")]), ports)

    assert ("completed", False, decision) == (
        run.state,
        run.scope.variables.values["r"]["objected"],
        run.scope.variables.values["r"]["decision"],
    )
    assert minutes * 60 == (ports.clock - run.journal.get("look").started_at).total_seconds()
    assert ["review"] == [opening.subject.kind for opening in ports.openings]


async def test_an_objection_refuses_the_mission():
    run = await rehearse(plan_of([review(), agent("after")]), FakePorts(people=saying("reject")))

    assert ("refused", {"look": "cancelled"}) == (run.state, run.statuses())
    assert "look met an objection: lea says reject" == run.error.reason


async def test_an_objection_may_lead_elsewhere():
    steps = [review(on_object=[agent("mend")]), agent("after")]
    run = await rehearse(plan_of(steps), FakePorts(people=saying("reject")))

    assert {"look": "succeeded", "look/mend": "succeeded", "after": "succeeded"} == run.statuses()
    assert (True, "objected") == (
        run.scope.variables.values["r"]["objected"],
        run.scope.variables.values["r"]["decision"],
    )
