"""An agent plans; what loads and is approved runs as a group, and nothing else does."""

import asyncio

import pytest

from contracts.mind import CodeAgent
from tests.interpreter.fakes import FakePorts, carry, failing, plan_of, rehearse, scope_of
from tests.interpreter.test_steps import agent, saying
from workflows.interpreter.ending import Suspended
from workflows.interpreter.walk import run_steps

FILE = {"step": "store", "action": "file", "with": {"n": 1}, "compensate": "unfile"}
ASK = {"step": "ask", "agent": "ben", "task": "Look at ${{ found.n }}", "output": "seen"}
ISOLATE = {
    "step": "cut_off",
    "action": "isolate",
    "with": {"host": "${{ seen.host }}"},
    "approval": {"approvers": ["lead"], "timeout": "1h"},
    "compensate": "release",
}
GOOD = [ASK, FILE, ISOLATE]
GATE = {"approvers": ["lead"], "timeout": "1h", "on_timeout": "refuse"}
ALLOW = {"kinds": ["agent", "action"], "agents": ["ben"], "tools": ["file", "isolate"], "approvers": ["lead"]}


def planned(**more):
    approval = {"approval": more.pop("approval")} if "approval" in more else {}
    plan = {"agent": "ann", "task": "Plan for ${{ found.n }}", "allow": ALLOW, **more}
    return {"kind": "plan", "step": "rollout", "output": "done", "plan": plan, **approval}


def mission(step, *after, **more):
    found = agent("find", agent="dot", output="found")
    return plan_of([found, step, *after], **more)


def world(*plans, **more):
    calls = []

    def plan(call):
        calls.append(call)
        return {"steps": plans[min(len(calls), len(plans)) - 1]}

    agents = {"ann": plan, "dot": {"n": 7}, "ben": {"host": "h1"}}
    return FakePorts(agents=agents, **{"people": saying("approve"), **more}), calls


async def test_a_plan_runs_as_a_group_of_its_step():
    ports, _ = world(GOOD)
    run = await rehearse(mission(planned(), agent("after", context=["done"])), ports)

    expected = {
        "find": "succeeded",
        "rollout": "succeeded",
        "rollout/plan[1]": "succeeded",
        "rollout/ask": "succeeded",
        "rollout/store": "succeeded",
        "rollout/cut_off": "succeeded",
        "after": "succeeded",
    }
    assert expected == run.statuses(), run.error
    assert [("file", {"n": 1}), ("isolate", {"host": "h1"})] == [(tool, given) for tool, _, given in ports.world]
    done = run.scope.variables.values["done"]
    assert ("m-1/rollout/plan[1]", {"ask", "store", "cut_off"}) == (done["id"], set(done["steps"]))
    assert "seen" not in run.scope.variables.values


async def test_the_planner_is_told_its_bounds_and_nothing_that_its_context_does_not_name():
    ports, calls = world(GOOD)
    await rehearse(mission(planned(context=["found"])), ports)

    [call] = calls
    assert ("rollout/plan[1]", "Plan for 7", ()) == (call.path, call.task, call.errors)
    assert {"found", "planning"} == set(call.context)
    bounds = call.context["planning"]
    assert (["agent", "action"], ["lead"], 30, ["found"]) == tuple(
        bounds[key] for key in ("kinds", "approvers", "max_steps", "variables")
    )
    assert {"file": False, "isolate": True} == {name: tool["needs_approval"] for name, tool in bounds["tools"].items()}


async def test_a_refused_plan_goes_back_with_the_findings_and_they_stay_on_record():
    ports, calls = world([{"step": "x", "action": "once", "with": {}}], GOOD)
    run = await rehearse(mission(planned()), ports)

    assert ("completed", "failed") == (run.state, run.journal.get("rollout/plan[1]").status)
    [finding] = calls[1].errors
    assert "steps[0].action: PLAN_NOT_ALLOWED a plan here has no tool 'once' (allowed: file, isolate)" == finding
    assert [{"step": "x", "action": "once", "with": {}}] == calls[1].context["planning"]["refused"]
    record = run.journal.get("rollout/plan[1]")
    assert ("plan_refused", finding) == (record.failure.code, record.failure.cause)
    assert [finding] == record.output["plan"]["findings"]


async def test_after_the_last_attempt_the_step_fails_and_says_why():
    ports, calls = world([{"step": "x", "wait": {"for": "1h"}}])
    run = await rehearse(mission(planned(attempts=2)), ports)

    assert ("failed", "plan_refused", 2) == (run.state, run.error.failure.code, len(calls))
    assert "no step of the kind 'wait'" in run.error.failure.cause
    assert [] == ports.world


async def test_a_definition_may_provide_for_a_plan_that_is_refused():
    ports, _ = world([])
    step = {**planned(), "on_failure": {"plan_refused": [agent("by_hand", agent="cid")]}}
    run = await rehearse(mission(step), ports)

    assert ("completed", "recovered", "succeeded") == (
        run.state,
        run.statuses()["rollout"],
        run.statuses()["rollout/on_failure/by_hand"],
    )


async def test_people_see_a_plan_with_its_digest_and_what_it_changes_before_anything_runs():
    ports, _ = world([FILE], people=lambda opening: ("lea", "reject"))
    run = await rehearse(mission(planned(approval=GATE)), ports)

    [opening] = ports.openings
    shown = opening.context["plan"]
    assert ("rollout/plan[1]", [FILE]) == (opening.subject.step, shown["steps"])
    assert [("added", "store")] == [(change["happened"], change["step"]) for change in shown["changes"]]
    assert shown["digest"] == run.journal.get("rollout/plan[1]").output["plan"]["digest"]
    assert ("refused", [], "skipped") == (run.state, ports.world, run.statuses()["rollout/plan[1]"])


async def test_a_rejected_plan_is_planned_again_and_shown_against_the_one_before():
    says = iter(["reject", "approve"])
    ports, calls = world([FILE], [{**FILE, "with": {"n": 2}}], people=lambda _: ("lea", next(says)))
    run = await rehearse(mission(planned(approval=GATE, revise=True)), ports)

    assert ("completed", ("lea rejected the plan: lea says reject",)) == (run.state, calls[1].errors)
    [change] = ports.openings[1].context["plan"]["changes"]
    assert ("changed", "store", "with", {"n": 1}, {"n": 2}) == (
        *(change[key] for key in ("happened", "step", "key", "before", "after")),
    )
    assert [{"n": 2}] == [given for _, _, given in ports.world]
    assert {"rollout/plan[1]": "failed", "rollout/plan[2]": "succeeded"} == {
        path: status for path, status in run.statuses().items() if "plan[" in path
    }


async def test_a_plan_that_people_want_changed_goes_back_with_their_words():
    says = iter(["request_changes", "approve"])
    ports, calls = world([FILE], [FILE], people=lambda _: ("lea", next(says)))

    run = await rehearse(mission(planned(approval=GATE, revise=True)), ports)

    assert ("completed", ("lea asked for changes: lea says request_changes",)) == (run.state, calls[1].errors)


async def test_the_last_rejection_leads_where_the_definition_says():
    gate = {**GATE, "on_reject": [agent("by_hand", agent="cid", output="hand")]}
    ports, calls = world([FILE], people=saying("reject"))
    run = await rehearse(mission(planned(approval=gate, revise=True, attempts=2)), ports)

    assert ("completed", "skipped", 2) == (run.state, run.statuses()["rollout"], len(calls))
    assert "succeeded" == run.statuses()["rollout/by_hand"]


async def test_silence_approves_no_plan():
    ports, _ = world([FILE], people=lambda _: None)
    run = await rehearse(mission(planned(approval=GATE, revise=True)), ports)

    assert ("refused", [], 1) == (run.state, ports.world, len(ports.openings))


async def test_what_a_plan_did_is_undone_when_the_mission_fails():
    ports, _ = world([FILE])
    ports.agents["cid"] = failing()
    run = await rehearse(mission(planned(), agent("after", agent="cid")), ports)

    assert ("failed", ["file", "unfile"]) == (run.state, [tool for tool, _, _ in ports.world])


async def test_steps_of_a_plan_call_each_other_and_nothing_of_the_mission():
    allow = {**ALLOW, "kinds": ["agent", "condition"]}
    check = {"step": "check", "condition": {"if": "found.n > 5", "then": "more", "else": "abort"}}
    ports, _ = world([check, {"step": "more", "agent": "ben", "task": "More"}])
    run = await rehearse(mission(planned(allow=allow), agent("after", agent="cid")), ports)
    outside = {"step": "check", "condition": {"if": "found.n > 5", "then": "after"}}
    other, calls = world([outside], [])
    await rehearse(mission(planned(allow=allow), agent("after", agent="cid")), other)

    assert ("completed", "succeeded") == (run.state, run.statuses()["rollout/check/more"])
    assert "a plan calls only its own" in calls[1].errors[0]


async def test_a_default_of_a_planned_step_holds_until_the_step_sets_it():
    steps = [
        {
            "step": "ask",
            "agent": "ben",
            "task": "T",
            "output": "seen",
            "default": {"host": "h0"},
            "when": "found.n > 9",
        },
        {**ISOLATE, "step": "off"},
    ]
    ports, _ = world(steps)
    run = await rehearse(mission(planned()), ports)

    assert ("completed", [{"host": "h0"}]) == (run.state, [given for _, _, given in ports.world]), run.error


async def test_a_plan_inside_a_map_is_made_for_each_item():
    ports, calls = world([{**FILE, "with": {"n": "${{ item }}"}}])
    each = {"kind": "map", "step": "each", "map": {"over": "[1, 2]", "do": [planned(task="T")], "max_concurrency": 1}}
    run = await rehearse(mission(each), ports)

    assert ("completed", [{"n": 1}, {"n": 2}]) == (run.state, [given for _, _, given in ports.world]), run.error
    assert ["each[0]/rollout/plan[1]", "each[1]/rollout/plan[1]"] == [call.path for call in calls]


async def test_a_planner_below_its_floor_is_refused():
    ports, calls = world([FILE])
    agents = {"ann": CodeAgent(callable="tests:none", confidence_floor=0.5)}
    run = await rehearse(mission(planned(attempts=2), agents=agents), ports)

    assert ("failed", 2) == (run.state, len(calls))
    assert "the planner's confidence is null, and its contract asks for 0.5" in run.error.failure.cause


@pytest.mark.parametrize("every", [1, 2, 3, 4, 5])
async def test_what_a_rejection_leads_to_is_known_after_a_hand_over(every):
    gate = {**GATE, "on_reject": [agent("by_hand", agent="cid", output="hand")]}
    plan = mission(planned(approval=gate), agent("between", agent="cid"), agent("after", agent="cid", context=["hand"]))
    carried = None
    for _ in range(30):
        ports, _ = world([FILE], people=saying("reject"))
        ports.agents["cid"] = {"by": "hand"}
        ports.stop_after = every
        scope = scope_of(plan, ports, {}, carried)
        try:
            await run_steps(plan.definition.steps, "", scope)
            break
        except Suspended:
            carried = carry(scope)

    assert ("succeeded", "skipped") == (scope.journal.get("after").status, scope.journal.get("rollout").status)


@pytest.mark.parametrize("every", [1, 2, 3, 4, 5])
async def test_over_hand_overs_nothing_is_planned_loaded_asked_or_done_twice(every):
    def verdict(opening):
        first = opening.subject.step == "rollout/plan[2]"
        return "lea", "reject" if first else "approve"

    plan = mission(planned(approval=GATE, revise=True), agent("after", agent="cid", context=["done"]))
    bad = [{"step": "x", "action": "once", "with": {}}]
    plans = [bad, [FILE], GOOD]
    whole, calls = world(*plans, people=verdict)
    expected = await rehearse(plan, whole)
    carried, done, effects = None, [], []
    for _ in range(30):
        ports, _ = world(*plans, people=verdict)
        ports.agents["ann"] = lambda call: {"steps": plans[int(call.path[-2]) - 1]}
        ports.stop_after = every
        scope = scope_of(plan, ports, {}, carried)
        try:
            await run_steps(plan.definition.steps, "", scope)
            done += ports.calls
            effects += ports.world
            break
        except Suspended:
            carried = carry(scope)
            done += ports.calls
            effects += ports.world

    assert 3 == len(calls)
    assert whole.calls == done
    assert whole.world == effects
    assert expected.statuses() == {record.path: record.status for record in scope.journal.records()}


async def test_a_step_that_is_tried_again_is_planned_again():
    ports, calls = world([ASK])
    ports.agents["ben"] = [failing(), {"host": "h1"}]
    step = {**planned(), "retry": {"attempts": 2, "first": "1s"}}
    run = await rehearse(mission(step), ports)

    assert "completed" == run.state
    assert ["rollout#1/plan[1]", "rollout#2/plan[1]"] == [call.path for call in calls]


async def test_a_planner_that_fails_fails_the_step_and_its_plan_with_it():
    ports, _ = world(GOOD)
    ports.agents["ann"] = failing()
    run = await rehearse(mission(planned()), ports)

    expected = {"find": "succeeded", "rollout": "failed", "rollout/plan[1]": "failed"}
    assert ("failed", "tool_failed", expected) == (run.state, run.error.failure.code, run.statuses())


@pytest.mark.parametrize("revise", [True, False])
async def test_a_branch_that_fails_takes_a_plan_that_waits_for_people_with_it(revise):
    async def late(_):
        for _ in range(20):
            await asyncio.sleep(0)
        raise failing()

    branches = [planned(approval=GATE, revise=revise), agent("breaks", agent="cid")]
    both = {"kind": "parallel", "step": "both", "parallel": branches}
    ports, _ = world([FILE], people=lambda _: None)
    ports.agents["cid"] = late
    run = await rehearse(mission(both), ports)

    assert ("failed", "cancelled", "cancelled") == (
        run.state,
        run.statuses()["both/rollout"],
        run.statuses()["both/rollout/plan[1]"],
    )


async def test_a_plan_that_times_out_is_stopped_and_undone():
    allow = {**ALLOW, "kinds": ["action", "wait"]}
    ports, _ = world([FILE, {"step": "long", "wait": {"for": "9d"}}])
    run = await rehearse(mission({**planned(allow=allow), "timeout": "1h"}), ports)

    assert ("failed", "timed_out", ["file", "unfile"]) == (
        run.state,
        run.error.failure.code,
        [tool for tool, _, _ in ports.world],
    )
