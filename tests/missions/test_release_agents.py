"""The agents of `release_rollout` in the real company: what they compute, and what cannot change it."""

import json
import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from triage_desk import MISSIONS, WORKSPACE, Desk, OpenDesk

from contracts.canary import Canary
from contracts.definition import CanaryStep
from demo.seed import World, build_world
from language import schema
from language.expression import evaluate
from language.loader import load_mission
from language.steps import every_step
from missions.release_rollout.policy import broken, risk
from missions.release_rollout.prepare import longest, ordered

RELEASES = {path.stem: json.loads(path.read_text()) for path in (MISSIONS / "release_rollout/releases").iterdir()}
FIELD, ORDER, CALIBRATION, FIRMWARE = (
    RELEASES[name] for name in ("field_sync_2_4_0", "order_desk_5_1_0", "calibration_api_3_0_0", "firmware_hub_1_9_2")
)
GOOD = {"lines": 500, "tests": [100, 0], "coverage": [0.8, 0.8], "signed": True, "prerequisites": []}
HEALTH = {"budget_spent": 0.1, "dependents": 1, "history": [{"version": "1", "outcome": "kept"}]}


def planning(**more: Any) -> dict[str, Any]:
    """What a planner is told of its bounds, as the mission tells it."""
    tools = {
        name: {
            "compensated_by": list(WORKSPACE.tools[name].compensated_by),
            "needs_approval": WORKSPACE.tools[name].needs_approval(),
        }
        for name in ("apply_migration", "open_ticket")
    }
    return {"kinds": ["action", "steps", "wait"], "tools": tools, "approvers": ["release_manager"], **more}


async def planned(desk: Desk, release: dict[str, Any], *said: str, **bounds: Any) -> dict[str, Any]:
    checked = await desk.run("release_checker", **release)
    context = {"service": release["service"], "version": release["version"], "checked": checked}
    return await desk.run("release_planner", **context, planning=planning(**bounds), errors=said)


def rules(checked: dict[str, Any]) -> dict[str, bool]:
    return {rule["rule"]: rule["blocks"] for rule in checked["rules"]}


def retold(world: World, seed: int) -> World:
    """The same world with other names of services, releases, prerequisites and freezes, in another order."""
    dice = random.Random(seed)
    text = json.dumps(world)
    names = {row["service"] for row in world["services"]} | {row["version"] for row in world["releases"]}
    names |= {item["id"] for row in world["releases"] for item in row["prerequisites"]}
    for name in sorted(names):
        text = text.replace(json.dumps(name), json.dumps(f"x{dice.getrandbits(40):010x}"))
    told = json.loads(text)
    for row in told["releases"]:
        dice.shuffle(row["prerequisites"])
    for table in ("services", "releases", "freezes"):
        dice.shuffle(told[table])
    return told


@pytest.mark.parametrize(
    ("release", "expected"),
    [
        (FIELD, ("go", {})),
        (ORDER, ("go", {})),
        (FIRMWARE, ("go", {})),
        (CALIBRATION, ("stop", {"tests": True, "coverage": True, "freeze": True, "budget": False, "history": False})),
    ],
    ids=["field-sync", "order-desk", "firmware-hub", "calibration-api"],
)
async def test_the_checker_holds_a_release_against_the_policy(open_desk: OpenDesk, release, expected):
    async with open_desk() as desk:
        checked = await desk.run("release_checker", **release)

        assert expected == (checked["verdict"], rules(checked))
        assert {"get_release", "service_health", "change_freezes"} == set(desk.used["release_checker"])


async def test_a_release_that_nobody_knows_may_not_go(open_desk: OpenDesk):
    async with open_desk() as desk:
        checked = await desk.run("release_checker", **{**FIELD, "version": "9.9.9"})

    assert ("stop", {"unknown": True}) == (checked["verdict"], rules(checked))


@pytest.mark.parametrize(("starts", "verdict"), [("2026-11-26", "go"), ("2026-11-27", "stop"), ("2026-12-20", "stop")])
async def test_a_freeze_stops_only_what_is_released_while_it_lasts(open_desk: OpenDesk, starts: str, verdict: str):
    window = {"starts": f"{starts}T09:00:00Z", "ends": f"{starts}T17:00:00Z"}
    async with open_desk() as desk:
        assert verdict == (await desk.run("release_checker", **{**ORDER, "window": window}))["verdict"]


@pytest.mark.parametrize("seed", range(4))
async def test_no_name_and_no_order_decides(open_desk: OpenDesk, seed: int):
    """Every release of a world that is told otherwise is judged, and planned, as before."""
    plain, other = build_world(), retold(build_world(), seed)
    found = []
    for world in (plain, other):
        async with open_desk(world) as desk:
            answers = []
            for row in world["releases"]:
                window = FIELD["window"]
                checked = await desk.run(
                    "release_checker", service=row["service"], version=row["version"], window=window
                )
                context = {"service": row["service"], "version": row["version"], "checked": checked}
                plan = await desk.run("release_planner", **context, planning=planning())
                works = [(step.get("action", f"{len(step.get('steps', []))}"), step["needs"]) for step in plan["steps"]]
                shape = [(work, len(needs)) for work, needs in works]
                answers.append((row["lines"], checked["verdict"], checked["risk"], rules(checked), sorted(shape)))
            found.append(sorted(answers, key=str))

    assert found[0] == found[1]


@given(st.integers(0, 10_000), st.integers(1, 5_000), st.integers(0, 20), st.integers(1, 5))
def test_more_to_go_wrong_never_lowers_the_risk(lines: int, more: int, dependents: int, migrations: int):
    release, health = {**GOOD, "lines": lines}, {**HEALTH, "dependents": dependents}
    worse = {**release, "lines": lines + more, "prerequisites": [{"kind": "migration"}] * migrations}
    back = {**health, "history": [*health["history"], {"version": "2", "outcome": "rolled_back"}]}

    assert 0 <= risk(release, health) <= risk(worse, health) <= 1
    assert risk(release, health) <= risk(release, {**health, "dependents": dependents + 1})
    assert risk(release, health) <= risk(release, back)


@pytest.mark.parametrize(
    ("change", "health", "rule"),
    [
        ({"tests": [99, 1]}, {}, ("tests", True)),
        ({"tests": [0, 0]}, {}, ("tests", True)),
        ({"signed": False}, {}, ("signature", True)),
        ({"coverage": [0.8, 0.79]}, {}, ("coverage", False)),
        ({"coverage": [0.8, 0.77]}, {}, ("coverage", True)),
        ({}, {"budget_spent": 0.6}, ("budget", False)),
        ({}, {"budget_spent": 0.8}, ("budget", True)),
    ],
)
def test_each_rule_stops_at_its_own_figure(change, health, rule):
    assert [rule] == [found[:2] for found in broken({**GOOD, **change}, {**HEALTH, **health}, [])]
    assert [] == list(broken(GOOD, HEALTH, []))


PARTS = st.lists(st.integers(0, 7), max_size=8).map(
    lambda needs: [
        {"id": f"p{n}", "kind": "migration", "title": "t", "minutes": 0, "needs": [f"p{need}"] if need < n else []}
        for n, need in enumerate(needs)
    ]
)


@given(PARTS, st.randoms(use_true_random=False))
def test_each_part_stands_after_what_it_needs_in_whatever_order_they_came(parts, dice):
    shuffled = list(parts)
    dice.shuffle(shuffled)
    order = [part["id"] for part in ordered(shuffled)]

    assert order == [part["id"] for part in ordered(parts)]
    assert all(order.index(need) < order.index(part["id"]) for part in parts for need in part["needs"])
    chain = longest(ordered(parts))
    assert len(chain) == len(set(chain)) <= len(parts)


async def test_the_planner_plans_each_thing_once_with_what_undoes_it(open_desk: OpenDesk):
    async with open_desk() as desk:
        plan = await planned(desk, FIELD)

    steps = {step["step"]: step for step in plan["steps"]}
    both = steps["migrate"]
    assert ["prepare_column", "prepare_backfill"] == [step["step"] for step in both["steps"]]
    assert ["revert_migration"] * 2 == [step["compensate"] for step in both["steps"]]
    assert (["release_manager"], [False] * 2) == (
        both["approval"]["approvers"],
        ["approval" in step for step in both["steps"]],
    )
    assert ["migrate"] == steps["prepare_settle"]["needs"]
    assert ("close_ticket", False) == (steps["prepare_notice"]["compensate"], "approval" in steps["prepare_notice"])
    assert {"for": "30m"} == steps["prepare_settle"]["wait"]
    assert "column → backfill → settle" in plan["rationale"]


async def test_the_planner_listens_to_those_who_rejected_its_plan(open_desk: OpenDesk):
    async with open_desk() as desk:
        slower = await planned(desk, FIELD, "marit rejected the plan: Let it settle for 2 hours.")
        chained = await planned(desk, FIELD, "marit rejected the plan: Please one after another")
        less = await planned(desk, FIELD, "marit rejected the plan: leave out the notice, we told them")
        never = await planned(desk, FIELD, "marit rejected the plan: skip column")

    assert "120m" == next(step["wait"]["for"] for step in slower["steps"] if "wait" in step)
    needs = [step["needs"] for step in chained["steps"]]
    assert [[], *([step["step"]] for step in chained["steps"][:-1])] == needs
    assert {"migrate", "prepare_settle"} == {step["step"] for step in less["steps"]}
    assert "Left out: notice" in less["rationale"]
    assert 3 == len(never["steps"])


async def test_the_planner_uses_nothing_that_it_may_not(open_desk: OpenDesk):
    async with open_desk() as desk:
        plan = await planned(
            desk, FIELD, kinds=["action"], tools={"apply_migration": planning()["tools"]["apply_migration"]}
        )

    assert {"apply_migration"} == {step["action"] for step in plan["steps"]}
    assert "Left out: notice, settle" in plan["rationale"]


async def test_without_groups_each_migration_is_asked_for_by_itself(open_desk: OpenDesk):
    async with open_desk() as desk:
        plan = await planned(desk, FIELD, kinds=["action", "wait"])

    steps = {step["step"]: step for step in plan["steps"]}
    assert ["prepare_column"] == steps["prepare_backfill"]["needs"]
    assert ["prepare_backfill"] == steps["prepare_settle"]["needs"]
    assert ["release_manager"] == steps["prepare_column"]["approval"]["approvers"]


async def test_a_migration_behind_something_else_is_no_part_of_the_list(open_desk: OpenDesk):
    world = build_world()
    row = next(one for one in world["releases"] if one["version"] == FIELD["version"])
    late = {"id": "late", "kind": "migration", "title": "Drop it", "needs": ["settle"], "minutes": 0}
    row["prerequisites"] = (*row["prerequisites"], late)
    async with open_desk(world) as desk:
        plan = await planned(desk, FIELD)

    steps = {step["step"]: step for step in plan["steps"]}
    assert ["prepare_column", "prepare_backfill"] == [step["step"] for step in steps["migrate"]["steps"]]
    assert (["prepare_settle"], True) == (steps["prepare_late"]["needs"], "approval" in steps["prepare_late"])


async def test_a_title_is_no_expression(open_desk: OpenDesk):
    world = build_world()
    for row in world["releases"]:
        for item in row["prerequisites"]:
            item["title"] = "${{ mission.requested_by }}"
    async with open_desk(world) as desk:
        plan = await planned(desk, FIELD)

    assert "${{ mission.requested_by" not in json.dumps(plan)


def roll_out() -> Canary:
    definition = load_mission(MISSIONS / "release_rollout" / "mission.yaml", WORKSPACE)
    [canary] = [step.canary for step in every_step(definition) if isinstance(step, CanaryStep)]
    return canary


@pytest.mark.parametrize(
    ("release", "good"),
    [(FIELD, [1, 10, 50, 100]), (ORDER, [1]), (FIRMWARE, [1, 10])],
    ids=["field-sync", "order-desk", "firmware-hub"],
)
async def test_what_is_measured_at_each_stage_says_where_a_release_must_stop(open_desk: OpenDesk, release, good):
    """The mission's own thresholds over the company's own measurements."""
    canary, which = roll_out(), {name: release[name] for name in ("service", "version")}
    healthy = []
    async with open_desk() as desk:
        plan = (await planned(desk, release))["steps"]
        for step in (inner for outer in plan for inner in outer.get("steps", [outer])):
            if step.get("action") == "apply_migration":
                arguments = {**step["with"], "service": release["service"], "case": "case-1"}
                await desk.act("apply_migration", f"k{arguments['migration']}", **arguments)
        for percent in canary.stages:
            await desk.act("deploy_release", f"k{percent}", **which, percent=percent, case="case-1")
            result = (await desk.client.call_tool("release_metrics", which)).structured_content
            if not evaluate(canary.healthy, {"result": result, "stage": percent}):
                break
            healthy.append(percent)

    assert good == healthy
    assert (2, 1) == (canary.last.approval.quorum(), canary.do.approval.quorum())


@pytest.mark.parametrize("path", sorted((MISSIONS / "release_rollout/releases").iterdir()), ids=lambda path: path.stem)
def test_each_input_is_what_the_mission_takes_and_stands_in_the_readme(path):
    definition = load_mission(MISSIONS / "release_rollout" / "mission.yaml", WORKSPACE)

    assert [] == schema.errors(definition.inputs, json.loads(path.read_text()))
    assert f"`{path.stem}`" in (MISSIONS / "release_rollout" / "README.md").read_text()
