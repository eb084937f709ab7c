"""A variable with a default has it from the mission's start, and keeps it where its step does nothing."""

from typing import Any

from fakes import FakePorts, plan_of, rehearse, scope_of

READ = {"kind": "agent", "step": "read", "agent": "ben", "task": "${{ found }}", "context": ["found"]}


def think(**more: Any) -> dict[str, Any]:
    return {"kind": "agent", "step": "think", "agent": "ann", "task": "T", "output": "found", **more}


async def told(steps: list[dict[str, Any]], ports: FakePorts, **more: Any) -> list[Any]:
    """Return what the agent `ben` is told each time."""
    seen: list[Any] = []
    ports.agents["ben"] = lambda call: seen.append(call.context["found"]) or {}
    await rehearse(plan_of(steps, **more), ports)
    return seen


async def test_a_step_that_is_skipped_leaves_its_default():
    steps = [think(when="false", default={"value": None}), READ]

    assert await told(steps, FakePorts()) == [None]


async def test_a_step_that_succeeds_sets_its_variable():
    steps = [think(default={"value": "nothing"}), READ]

    assert await told(steps, FakePorts(agents={"ann": {"text": "something"}})) == [{"text": "something"}]


async def test_a_step_that_never_ran_leaves_its_default_for_those_before_it():
    steps = [READ, think(default={"value": [1]})]

    assert await told(steps, FakePorts()) == [[1]]


async def test_an_input_that_is_left_out_has_the_default_of_its_schema():
    inputs = {"type": "object", "properties": {"found": {"type": "string", "default": "all"}, "other": {}}}

    assert await told([READ], FakePorts(), inputs=inputs) == ["all"]


def test_an_input_that_is_given_is_what_it_is():
    plan = plan_of([READ], inputs={"type": "object", "properties": {"found": {"default": 1}}})

    assert scope_of(plan, FakePorts(), {"found": 2}).variables.values == {"found": 2}
