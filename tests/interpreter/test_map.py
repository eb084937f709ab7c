"""The same for each item of a list: results in order, failures tolerated, what failed undone."""

import asyncio

import pytest

from tests.interpreter.fakes import FakePorts, carry, failing, plan_of, rehearse, scope_of
from tests.interpreter.test_steps import agent
from workflows.interpreter.ending import Suspended
from workflows.interpreter.walk import run_steps


def mapped(*steps, over="[1, 2, 3]", output="all", **more):
    return {"kind": "map", "step": "each", "output": output, "map": {"over": over, "do": list(steps), **more}}


def patch(**more):
    return {
        "kind": "action",
        "step": "patch",
        "action": "file",
        "with": {"host": "${{ item }}"},
        "compensate": {"tool": "unfile"},
        **more,
    }


def about(call):
    return {"n": int(call.task)}


ASK = agent("ask", task="${{ item }}", output="answer_here")


async def test_results_stand_in_the_order_of_the_list_whatever_ends_first():
    async def answer(call):
        for _ in range(10 - int(call.task) * 3):
            await asyncio.sleep(0)
        return {"n": int(call.task)}

    run = await rehearse(plan_of([mapped(ASK)]), FakePorts(agents={"ann": answer}))

    expected = {"results": [{"ask": {"n": n}} for n in (1, 2, 3)], "failures": []}
    assert expected == run.scope.variables.values["all"]
    assert {"each", "each[0]", "each[0]/ask", "each[1]", "each[1]/ask", "each[2]", "each[2]/ask"} == set(run.statuses())


async def test_items_are_named_by_their_key():
    over = "[{'host': 'web-01'}, {'host': 'web-02'}]"
    ports = FakePorts()
    await rehearse(plan_of([mapped(agent("ask"), over=over, key="h.host", **{"as": "h"})]), ports)

    assert ["each[web-01]/ask", "each[web-02]/ask"] == ports.calls


async def test_no_more_are_under_way_than_may_be():
    under_way, most = 0, 0

    async def answer(_):
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        await asyncio.sleep(0)
        under_way -= 1
        return {}

    ports = FakePorts(agents={"ann": answer})
    run = await rehearse(plan_of([mapped(agent("ask"), over="[1,2,3,4,5,6,7,8,9]", max_concurrency=3)]), ports)

    assert ("completed", 3, 9) == (run.state, most, len(ports.calls))


async def test_what_an_item_sets_is_its_own():
    read = agent("read", agent="ben", task="${{ answer_here.n }}", context=["answer_here"])
    tasks = []
    ports = FakePorts(agents={"ann": about, "ben": lambda call: tasks.append((call.path, call.task)) or {}})
    run = await rehearse(plan_of([mapped(ASK, read)]), ports)

    assert [("each[0]/read", "1"), ("each[1]/read", "2"), ("each[2]/read", "3")] == sorted(tasks)
    assert {"all"} == set(run.scope.variables.values)


@pytest.mark.parametrize(
    ("tolerate", "state", "code"),
    [
        ({}, "failed", "tool_failed"),
        ({"tolerate": 1}, "failed", "too_many_failed"),
        ({"tolerate": 2}, "completed", None),
        ({"tolerate_share": 0.5}, "completed", None),
        ({"tolerate_share": 0.4}, "failed", "too_many_failed"),
    ],
)
async def test_as_many_fail_as_are_tolerated(tolerate, state, code):
    def answer(call):
        return failing() if int(call.task) > 2 else {}

    run = await rehearse(plan_of([mapped(ASK, over="[1, 2, 3, 4]", **tolerate)]), FakePorts(agents={"ann": answer}))

    assert (state, code) == (run.state, run.error.failure.code if run.error else None)
    if state == "completed":
        found = run.scope.variables.values["all"]
        assert [{"ask": {}}, {"ask": {}}, None, None] == found["results"]
        assert [(2, "2", "tool_failed"), (3, "3", "tool_failed")] == [
            (failure["index"], failure["key"], failure["code"]) for failure in found["failures"]
        ]


async def test_a_tolerated_item_is_undone_and_the_others_stand():
    check = agent("check", task="${{ item }}")
    ports = FakePorts(agents={"ann": lambda call: failing() if call.task == "2" else {}})
    run = await rehearse(plan_of([mapped(patch(), check, tolerate=1, max_concurrency=1)]), ports)

    assert "completed" == run.state
    assert [("file", 1), ("file", 2), ("unfile", 2), ("file", 3)] == [
        (tool, args["host"]) for tool, _, args in ports.world
    ]


async def test_a_mission_that_fails_later_undoes_the_items_in_reverse():
    ports = FakePorts(agents={"ben": failing()})
    await rehearse(plan_of([mapped(patch(), max_concurrency=1), agent("last", agent="ben")]), ports)

    assert [1, 2, 3, 3, 2, 1] == [args["host"] for _, _, args in ports.world]


@pytest.mark.parametrize(
    ("over", "more", "cause"),
    [
        ("{'a': 1}", {}, "which is no list"),
        ("[1, 1]", {"key": "string(item)"}, "2 items have the key '1'"),
        ("['a b']", {"key": "item"}, "the key 'a b' of item 0"),
        ("[1]", {"key": "item"}, "the key '1' of item 0 is no text"),
    ],
)
async def test_a_list_that_cannot_be_mapped_says_why(over, more, cause):
    run = await rehearse(plan_of([mapped(agent("ask"), over=over, **more)]), FakePorts())

    assert ("failed", "bad_input") == (run.state, run.error.failure.code)
    assert cause in run.error.failure.cause


async def test_an_empty_list_has_no_results():
    run = await rehearse(plan_of([mapped(agent("ask"), over="[]")]), FakePorts())

    assert {"results": [], "failures": []} == run.scope.variables.values["all"]


@pytest.mark.parametrize("items", [5, 150])
@pytest.mark.parametrize("every", [1, 2, 7])
async def test_over_hand_overs_each_item_runs_once_and_the_results_are_the_same(items, every):
    over = str(list(range(items)))
    steps = [mapped(ASK, patch(), over=over, max_concurrency=4, tolerate=items), agent("last", agent="ben")]
    plan = plan_of(steps)
    carried, calls, runs = None, [], 0
    while True:
        runs += 1
        ports = FakePorts(agents={"ann": lambda call: failing() if call.task == "3" else about(call)}, stop_after=every)
        scope = scope_of(plan, ports, {}, carried)
        try:
            await run_steps(plan.definition.steps, "", scope)
        except Suspended:
            calls += ports.calls
            carried = carry(scope)
        else:
            calls += ports.calls
            break

    found = scope.variables.values["all"]
    assert runs > items * 2 / (every + 4)
    assert len(calls) == len(set(calls)) == 2 * items
    assert [3] == [failure["index"] for failure in found["failures"]]
    assert [None if n == 3 else {"ask": {"n": n}, "patch": {}} for n in range(items)] == found["results"]


async def test_a_large_map_keeps_only_what_may_have_to_be_undone_and_every_cost():
    steps = [mapped(agent("look"), patch(), over=str(list(range(200)))), agent("last", agent="ben")]
    run = await rehearse(plan_of(steps), FakePorts(agents={"ben": failing()}))
    kept = [path for path in run.statuses() if path.startswith("each[")]

    assert [] == [path for path in kept if not path.endswith("/patch")]
    assert 400 == len(run.ports.world)
    spent = [record.usage for record in run.journal.records()]
    assert 200 == sum(usage.agent_runs for usage in spent)
    assert 200 == sum(usage.tool_calls for usage in spent)
