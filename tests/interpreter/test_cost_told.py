"""What a mission has cost so far is part of what people sign, but in missions that began before it was."""

from datetime import timedelta

import pytest
from fakes import FakePorts, plan_of, rehearse

from contracts.call import Usage
from contracts.decision import Opening
from contracts.plan import Limits

STEPS = [
    {"kind": "agent", "step": "think", "agent": "ann", "task": "t"},
    {"kind": "gate", "step": "ask", "gate": {"approvers": ["lead"], "timeout": timedelta(hours=1)}},
]


@pytest.mark.parametrize(("tells", "spent"), [(True, Usage(agent_runs=1)), (False, None)])
async def test_what_it_has_cost_is_told_to_people_by_missions_that_began_with_it(tells, spent):
    seen: list[Opening] = []

    def approve(opening: Opening) -> tuple[str, str]:
        seen.append(opening)
        return "lea", "approve"

    await rehearse(plan_of(STEPS), FakePorts(people=approve), {}, limits=Limits(tells=tells))

    assert [spent] == [opening.subject.spent for opening in seen]
    assert seen[0].digest == seen[0].subject.digest()
