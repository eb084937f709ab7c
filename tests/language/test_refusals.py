"""Every mistake is found, at its place, with what to write instead, and nothing else is."""

import pytest
from bad_steps import BAD_STEPS
from desk import findings, mission


@pytest.mark.parametrize("name", BAD_STEPS)
def test_a_mistake_is_found_at_its_place_and_nothing_else_is(name: str):
    steps, expected = BAD_STEPS[name]

    assert [f"m.yaml:{finding}" for finding in expected] == findings(mission(steps))
