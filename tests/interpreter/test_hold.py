"""A step that names locks runs while it holds them, and gives them back on every way out."""

import asyncio
from dataclasses import replace

import pytest

from contracts.lock import Claim, Holder
from tests.interpreter.fakes import START, Endless, FakePorts, carry, failing, plan_of, rehearse, scope_of
from workflows.governance.lock import Locktable
from workflows.interpreter.ending import StepFailed, Suspended
from workflows.interpreter.hold import let_go_of_all
from workflows.interpreter.scope import Mission
from workflows.interpreter.undo import undo_all
from workflows.interpreter.walk import run_steps


def agent(name, who="ann", **more):
    return {"kind": "agent", "step": name, "agent": who, "task": name, **more}


def act(name, n=1, tool="file", undo="unfile", **more):
    return {
        "kind": "action",
        "step": name,
        "action": tool,
        "with": {"n": n},
        "compensate": {"tool": undo},
        **more,
    }


def group(name, *steps, **more):
    return {"kind": "group", "step": name, "steps": list(steps), **more}


def elsewhere(*names, table=None):
    """A table in which another mission holds something."""
    table = table or Locktable()
    table.ask(Claim(holder=OTHER, names=names), START)
    return table


MOST_TURNS = 2_000
OTHER = Holder(mission="m-2", first_run_id="run-2", path="there")


class Watched(FakePorts):
    """Notes which locks are held when an agent or a tool is called. It may have to hand over while it waits."""

    def __init__(self, **more):
        super().__init__(**more)
        self.seen = {}
        self.stop_at_wait = False

    async def wait(self, ready, until, summary):
        if self.stop_at_wait:
            self.stop_after = 0
        return await super().wait(ready, until, summary)

    async def run_agent(self, call, effort):
        self.seen[call.path] = [one.lock for one in self.locks.locks() if one.mission]
        return await super().run_agent(call, effort)

    async def run_tool(self, call, effort):
        self.seen[call.path] = [one.lock for one in self.locks.locks() if one.mission]
        return await super().run_tool(call, effort)


async def test_a_lock_is_held_while_its_step_runs_and_no_longer():
    ports = Watched()
    steps = [agent("a", output="host"), agent("b", locks=["host:${{ host.name }}", "team"]), agent("c")]
    ports.agents = {"ann": {"name": "web-01"}}
    run = await rehearse(plan_of(steps), ports)

    assert {"a": [], "b": ["host:web-01", "team"], "c": []} == ports.seen
    assert "released" == run.journal.get("b").locks.state


async def test_a_template_may_give_a_list_of_names():
    ports = Watched(agents={"ann": [["db", "web"]]})
    await rehearse(plan_of([agent("a", output="hosts"), agent("b", locks=["${{ hosts }}"])]), ports)

    assert ["db", "web"] == ports.seen["b"]


@pytest.mark.parametrize("name", ["${{ 5 }}", "${{ '' }}", "${{ 'x'.matches('y') }}"])
async def test_what_is_no_name_fails_the_step(name):
    run = await rehearse(plan_of([agent("a", locks=[name])]), FakePorts())

    assert ("failed", "bad_input") == (run.state, run.error.failure.code)


async def test_a_step_waits_until_another_mission_is_done():
    ports = Watched(locks=elsewhere("k"))
    plan = plan_of([agent("a", locks=["k"])])
    task = asyncio.ensure_future(_held_up(plan, ports))
    scope = await _waiting(task, "a")
    shown = scope.journal.get("a").locks.behind
    ports.locks.release(OTHER, START)
    await task

    assert ["k is held by m-2 (there)"] == [str(blocker) for blocker in shown]
    assert ["k"] == ports.seen["a"]


async def test_a_lock_of_a_step_around_is_held_already():
    ports = Watched()
    await rehearse(plan_of([group("g", agent("a", locks=["k", "l"]), agent("b"), locks=["k"])]), ports)

    assert {"g/a": ["k", "l"], "g/b": ["k"]} == ports.seen
    assert [] == ports.locks.locks()


async def test_two_branches_of_one_mission_keep_each_other_out():
    inside = []

    async def alone(_):
        inside.append(1)
        await asyncio.sleep(0)
        assert 1 == len(inside)
        inside.pop()

    ports = FakePorts(agents={"ann": alone})
    branches = [agent(name, locks=["k"]) for name in "xyz"]
    run = await rehearse(plan_of([{"kind": "parallel", "step": "p", "parallel": branches}]), ports)

    assert ("completed", 3) == (run.state, len(ports.calls))


async def test_a_step_that_fails_gives_its_locks_back():
    ports = FakePorts(agents={"dot": failing()})
    run = await rehearse(plan_of([agent("a", "dot", locks=["k"])]), ports)

    assert ("failed", []) == (run.state, ports.locks.locks())


async def test_what_failed_keeps_its_locks_until_it_is_undone_whoever_waits_for_them():
    table = Locktable()
    ports = Watched(agents={"dot": lambda _: (elsewhere("k", table=table), failing())[1]}, locks=table)
    await rehearse(plan_of([group("g", act("a"), agent("b", "dot"), locks=["k"])]), ports)

    assert ["k"] == ports.seen["g/a/undo"]
    assert [OTHER] == [entry.claim.holder for entry in table.carried().entries]
    assert "held" == table.standing(OTHER).state


async def test_a_cancellation_that_comes_while_locks_are_given_back_loses_no_result():
    class Interrupted(FakePorts):
        async def release_locks(self, holder):
            task.cancel()
            await super().release_locks(holder)

    ports = Interrupted()
    plan = plan_of([agent("a", locks=["k"], output="x"), agent("b")])
    scope = scope_of(plan, ports, {})
    task = asyncio.ensure_future(run_steps(plan.definition.steps, "", scope))
    with pytest.raises(asyncio.CancelledError):
        await task

    assert ("succeeded", ["a"], []) == (scope.journal.get("a").status, ports.calls, ports.locks.locks())


async def test_what_was_done_under_a_lock_is_undone_under_it():
    ports = Watched(agents={"dot": failing()})
    await rehearse(plan_of([act("a", locks=["k"]), act("n", 2), agent("b", "dot")]), ports)

    assert {"n/undo": [], "a/undo": ["k"], "b": []} == {path: ports.seen[path] for path in ("n/undo", "a/undo", "b")}
    assert [] == ports.locks.locks()


async def test_what_a_failed_step_kept_is_given_back_before_the_next_undoing_needs_it():
    ports = Watched(agents={"dot": failing()})
    steps = [act("a", locks=["k"]), group("g", act("x"), agent("b", "dot"), locks=["k"])]
    run = await rehearse(plan_of(steps), ports)

    assert ("failed", ["k"], ["k"]) == (run.state, ports.seen["g/x/undo"], ports.seen["a/undo"])
    assert [] == ports.locks.locks()


async def test_an_undoing_waits_for_whoever_has_the_lock_now():
    table = Locktable()
    ports = Watched(agents={"dot": lambda _: (elsewhere("k", table=table), failing())[1]}, locks=table)
    plan = plan_of([act("a", locks=["k"]), agent("b", "dot")])
    scope = scope_of(plan, ports, {})
    with pytest.raises(StepFailed):
        await run_steps(plan.definition.steps, "", scope)
    ports.people = lambda _: None
    with pytest.raises(Endless):
        await undo_all(scope)
    table.release(OTHER, START)
    await undo_all(scope)

    assert ["k"] == ports.seen["a/undo"]
    assert [] == table.locks()


async def test_an_undoing_that_was_carried_over_keeps_its_place():
    table = Locktable()
    ports = Watched(agents={"dot": lambda _: (elsewhere("k", table=table), failing())[1]}, locks=table)
    plan = plan_of([act("a", locks=["k"]), agent("b", "dot")])
    scope = scope_of(plan, ports, {})
    with pytest.raises(StepFailed):
        await run_steps(plan.definition.steps, "", scope)
    ports.stop_at_wait = True
    with pytest.raises(Suspended):
        await undo_all(scope)
    queued = [[waiter.path for waiter in one.waiting] for one in table.locks()]
    table.release(OTHER, START)
    later = Watched(locks=table)
    await undo_all(scope_of(plan, later, {}, carry(scope)))

    assert ([["a/undo"]], {"a/undo": ["k"]}, []) == (queued, later.seen, table.locks())


async def test_a_step_that_is_recovered_is_mended_under_its_locks():
    ports = Watched(agents={"dot": failing()})
    step = agent("a", "dot", locks=["k"], on_failure={"any": [agent("mend")]})
    run = await rehearse(plan_of([step, agent("c", locks=["k"])]), ports)

    assert {"a": ["k"], "a/on_failure/mend": ["k"], "c": ["k"]} == ports.seen
    assert ("completed", []) == (run.state, ports.locks.locks())


async def test_where_a_failure_is_made_good_what_failed_inside_keeps_no_lock():
    inner = group("g", act("x"), agent("a", "dot"), locks=["k"])
    outer = group("o", inner, on_failure={"any": [agent("mend", locks=["k"])]})
    ports = Watched(agents={"dot": failing()})
    run = await rehearse(plan_of([outer]), ports)

    assert ("completed", ["k"]) == (run.state, ports.seen["o/on_failure/mend"])


async def test_each_attempt_takes_the_locks_anew():
    seen = []
    ports = FakePorts(agents={"dot": [failing(), {"n": 1}]})

    def note(_):
        seen.append([one.path for one in ports.locks.locks()])
        return {}

    ports.tools = {"file": note}
    step = group("g", act("x"), agent("a", "dot"), locks=["k"], retry={"attempts": 2, "first": "5m"})
    run = await rehearse(plan_of([step]), ports)

    assert ("completed", [["g"], ["g"]], []) == (run.state, seen, ports.locks.locks())
    assert 2 == run.journal.get("g").locks.turn


async def test_a_timeout_bounds_the_wait_for_locks():
    ports = FakePorts(locks=elsewhere("k"))
    run = await rehearse(plan_of([agent("a", locks=["k"], timeout="10m")]), ports)

    assert ("failed", "timed_out") == (run.state, run.error.failure.code)
    assert "they were not free in time: k is held by m-2 (there)" == run.error.failure.cause
    assert [("k", ())] == [(one.lock, one.waiting) for one in ports.locks.locks()]


async def test_a_step_that_is_cancelled_while_it_waits_leaves_the_queue():
    ports = FakePorts(locks=elsewhere("k"))
    plan = plan_of([agent("a", locks=["k"])])
    task = asyncio.ensure_future(_held_up(plan, ports))
    scope = await _waiting(task, "a")
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    assert [()] == [one.waiting for one in ports.locks.locks()]
    assert ("cancelled", "released") == (scope.journal.get("a").status, scope.journal.get("a").locks.state)


async def test_of_two_missions_that_wait_for_each_other_one_yields_and_may_try_again():
    table = Locktable()
    first = _mission("m-1", "k", "l", table)
    second = _mission("m-2", "l", "k", table, retry={"attempts": 3, "first": "1s"})
    done = await asyncio.gather(first, second)

    assert [["k"], ["l"]] == [sorted(set(one.journal.get("g").locks.names)) for one in done]
    attempts = {record.path: record.status for record in done[1].journal.records() if record.kind == "attempt"}
    assert {"g#1": "failed", "g#2": "succeeded"} == attempts
    assert "deadlock" == done[1].journal.get("g#1").failure.code
    assert [] == table.locks()


async def test_without_a_second_attempt_whoever_yields_fails():
    table = Locktable()
    done = await asyncio.gather(
        _mission("m-1", "k", "l", table), _mission("m-2", "l", "k", table), return_exceptions=True
    )

    assert ["deadlock"] == [one.failure.code for one in done if isinstance(one, StepFailed)]


async def test_a_wait_that_was_carried_over_keeps_its_place():
    ports = FakePorts(locks=elsewhere("k"), stop_after=1)
    plan = plan_of([agent("first"), agent("a", locks=["k"])])
    scope = scope_of(plan, ports, {})
    with pytest.raises(Suspended):
        await run_steps(plan.definition.steps, "", scope)
    queued = [[waiter.mission for waiter in one.waiting] for one in ports.locks.locks()]
    ports.locks.release(OTHER, START)
    run = await rehearse(plan, FakePorts(locks=ports.locks), carried=carry(scope))

    assert ([[]], "completed") == (queued, run.state)
    assert [] == ports.locks.locks()


async def test_a_lock_that_was_carried_over_is_held_still():
    ports = FakePorts(stop_after=1)
    plan = plan_of([group("g", agent("a"), agent("b"), locks=["k"])])
    scope = scope_of(plan, ports, {})
    with pytest.raises(Suspended):
        await run_steps(plan.definition.steps, "", scope)
    held = [(one.lock, one.path) for one in ports.locks.locks()]
    later = Watched(locks=ports.locks)
    run = await rehearse(plan, later, carried=carry(scope))

    assert ([("k", "g")], {"g/b": ["k"]}, "completed") == (held, later.seen, run.state)
    assert [] == ports.locks.locks()


async def test_what_is_left_is_given_back_at_the_end():
    ports = FakePorts(stop_after=1)
    plan = plan_of([group("g", agent("a"), agent("b"), locks=["k"])])
    scope = scope_of(plan, ports, {})
    with pytest.raises(Suspended):
        await run_steps(plan.definition.steps, "", scope)
    await let_go_of_all(scope)

    assert [] == ports.locks.locks()


async def test_a_skipped_step_asks_for_nothing():
    run = await rehearse(plan_of([agent("a", when="false", locks=["k"])]), FakePorts(locks=elsewhere("k")))

    assert ("completed", None) == (run.state, run.journal.get("a").locks)


async def _mission(name, outer, inner, table, **more):
    """Hold one lock, let others begin, and want another one."""

    async def slow(_):
        for _ in range(10):
            await asyncio.sleep(0)

    ports = Patient(agents={"ann": slow}, locks=table)
    plan = plan_of([group("g", agent("a"), agent("b", locks=[inner]), locks=[outer], **more)])
    scope = replace(scope_of(plan, ports, {}), mission=Mission(name, "run", "rita"))
    await run_steps(plan.definition.steps, "", scope)
    return scope


class Patient(FakePorts):
    """Waits for locks for as long as it takes."""

    async def wait(self, ready, until, summary):
        if until is None:
            for _ in range(MOST_TURNS):
                await asyncio.sleep(0)
                if ready():
                    return True
            raise AssertionError(f"nothing comes of it: {summary}")
        return await super().wait(ready, until, summary)


async def _held_up(plan, ports):
    scope = scope_of(plan, ports, {})
    SCOPES[asyncio.current_task()] = scope
    ports.wait = Patient.wait.__get__(ports)
    await run_steps(plan.definition.steps, "", scope)


SCOPES = {}


async def _waiting(task, path):
    """Return the scope of a mission once a step of it is known to wait."""
    for _ in range(MOST_TURNS):
        await asyncio.sleep(0)
        record = SCOPES[task].journal.get(path) if task in SCOPES else None
        if record is not None and record.locks is not None and record.locks.behind:
            return SCOPES.pop(task)
    raise AssertionError(f"{path} never waits")
