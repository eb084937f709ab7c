"""What a mission has cost so far is part of what people sign, but in missions that began before it was."""

from dataclasses import replace

import pytest
from fakes import FakePorts, plan_of, scope_of

from contracts.call import Usage
from workflows.interpreter.ask import escalation_question, opened


@pytest.mark.parametrize(("tells", "spent"), [(True, Usage()), (False, None)])
async def test_what_it_has_cost_is_told_to_people_by_missions_that_began_with_it(tells, spent):
    scope = scope_of(plan_of([]), FakePorts(), {})
    scope = replace(scope, mission=replace(scope.mission, tells=tells))

    opening = opened(escalation_question("How to go on?", scope), "ask", 0, scope)

    assert (spent, opening.subject.digest()) == (opening.subject.spent, opening.digest)
