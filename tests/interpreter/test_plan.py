"""An agent plans; what loads and is approved runs as a group, and nothing else does."""

import pytest

from contracts.workspace import Agent
from tests.interpreter.fakes import FakePorts, carry, failing, plan_of, rehearse, scope_of
from tests.interpreter.test_steps import agent, saying
from workflows.interpreter.ending import Suspended
from workflows.interpreter.walk import run_steps

PEOPLE = {"lea": ("lead",), "lou": ("lead",), "cleo": ("chief",), "ian": ("intern",)}
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
    return plan_of([found, step, *after], **more).model_copy(update={"people": PEOPLE}).sealed()


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
