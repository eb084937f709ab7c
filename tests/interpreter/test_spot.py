"""Where a step stands, for whatever definition: what lies behind it; beginning anew there comes to the same."""

import asyncio
from itertools import count

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.record import inside
from tests.interpreter.fakes import FakePorts, carry, plan_of, rehearse, scope_of
from workflows.interpreter.command import reopen
from workflows.interpreter.spot import Unknown, spot

PARTS = {"item", "iteration", "attempt"}
KINDS = ("agent", "agent", "group", "loop", "map", "condition", "retried")
BESIDE = ("parallel", "graph")


def made(draw, names, kinds, depth):
    """Return a step; what runs beside something is only in what `kinds` allows."""
    kind = draw(st.sampled_from(kinds if depth else ("agent",)))
    name = f"s{next(names)}"
    if kind == "agent":
        return {"kind": "agent", "step": name, "agent": "ann", "task": name}
    inner = [made(draw, names, kinds, depth - 1) for _ in range(draw(st.integers(1, 3)))]
    match kind:
        case "group":
            return {"kind": "group", "step": name, "steps": inner}
        case "retried":
            return {"kind": "group", "step": name, "steps": inner, "retry": {"attempts": 2}}
        case "loop":
            return {"kind": "loop", "step": name, "loop": {"do": inner, "until": "iteration == 2", "max_iterations": 3}}
        case "map":
            return {"kind": "map", "step": name, "map": {"over": "[1, 2]", "do": inner, "max_concurrency": 1}}
        case "condition":
            return {"kind": "condition", "step": name, "condition": {"if": "true", "then": inner}}
        case "parallel":
            return {"kind": "parallel", "step": name, "parallel": inner}
        case _:
            graph = [{**one, "needs": [inner[0]["step"]] if number else []} for number, one in enumerate(inner)]
            return {"kind": "group", "step": name, "steps": graph}


@st.composite
def plans(draw, kinds):
    names = count(1)
    return plan_of([made(draw, names, kinds, 3) for _ in range(draw(st.integers(1, 3)))])


def walked(plan):
    """Return a mission that has run, as the next run would have it."""
    run = asyncio.run(rehearse(plan, FakePorts()))
    assert "completed" == run.state
    return scope_of(plan, FakePorts(), {}, carry(run.scope)), run


def named(scope):
    return [record.path for record in scope.journal.records() if record.kind not in PARTS]


@settings(max_examples=60, deadline=None)
@given(plans(KINDS), st.randoms())
def test_behind_a_step_is_all_that_ran_after_it_where_nothing_runs_beside(plan, luck):
    scope, _ = walked(plan)
    path = luck.choice(named(scope))
    place = spot(path, scope)
    known = [record.path for record in scope.journal.records()]
    around = set(place.around())
    later = [one for one in known[known.index(path) :] if one not in around]
    # Items of a map are beside each other: one begins anew without those that came after it.
    beside = {one for one in later for level in place.levels if level.step.kind == "map" and _other_item(one, level)}

    assert [one for one in later if one not in beside] == place.behind(scope.journal)


def _other_item(path, level):
    items, here = f"{level.path}[", level.path + level.rest
    return bool(level.rest) and path.startswith(items) and path != here and not path.startswith(inside(here))


@settings(max_examples=60, deadline=None)
@given(plans((*KINDS, *BESIDE)), st.randoms())
def test_what_begins_anew_comes_to_the_same_and_no_more_is_done_again(plan, luck):
    scope, fresh = walked(plan)
    path = luck.choice(named(scope))
    place = spot(path, scope)
    gone = place.behind(scope.journal)
    again = sorted(one for one in gone if scope.journal.get(one).kind == "agent")
    ended = {one.path: one.status for one in fresh.journal.records()}

    assert path in gone
    assert not set(gone) & set(place.around())

    scope.journal.begin_anew(gone)
    reopen(place, scope, scope.ports.now())
    second = asyncio.run(rehearse(plan, ports := FakePorts(), carried=carry(scope)))

    assert "completed" == second.state
    assert again == sorted(ports.calls)
    assert ended == second.statuses()


@settings(max_examples=40, deadline=None)
@given(plans((*KINDS, *BESIDE)), st.randoms())
def test_a_branch_beside_is_left_alone(plan, luck):
    scope, _ = walked(plan)
    place = spot(luck.choice(named(scope)), scope)
    branches = [level for level in place.levels if level.apart]
    beside = [f"{level.parent}/{one.step}" for level in branches for one in level.steps if one is not level.step]

    assert not {one for one in place.behind(scope.journal) if one.startswith(tuple(f"{b}/" for b in beside) or "\n")}


@pytest.mark.parametrize(
    ("named", "reason"),
    [
        ("nowhere", "this mission has no step 'nowhere'; it has g, x"),
        ("g/nowhere", "g/nowhere names no step that a command can be about; name g as a whole"),
        ("../x", "this mission has no step '../x'; it has g, x"),
        ("", "this mission has no step ''; it has g, x"),
        ("g//a", "g//a names no step that a command can be about; name g as a whole"),
        ("on_failure", "this mission has no step 'on_failure'; it has g, x"),
    ],
)
def test_a_path_that_names_no_step_says_so(named, reason):
    steps = [{"kind": "agent", "step": name, "agent": "ann", "task": name} for name in ("a", "x")]
    plan = plan_of([{"kind": "group", "step": "g", "steps": steps[:1]}, steps[1]])
    with pytest.raises(Unknown) as refused:
        spot(named, scope_of(plan, FakePorts(), {}))

    assert reason == str(refused.value)
