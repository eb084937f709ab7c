"""The agents of fleet_patch: rules that hold of whatever fleet they are given."""

import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from live_mission import load_input
from triage_desk import OpenDesk

from demo.seed import build_world
from missions.fleet_patch.choose import WEIGHTS, exposure, in_order, why_left
from missions.fleet_patch.health import strain, worse
from missions.fleet_patch.version import older

GIVEN = load_input("fleet_patch", "advisories/openssl.json")
ADVISORY = GIVEN["advisory"]
CONTEXT = {**GIVEN, "not_before": ""}
VERSIONS = st.from_regex(r"[0-9]{1,3}(\.[0-9]{1,3}){0,3}(~[a-z]{1,3}[0-9]?)?(-[0-9]{1,2})?", fullmatch=True)
HOSTS = st.lists(
    st.fixed_dictionaries(
        {
            "host": st.from_regex(r"h[0-9]{1,4}", fullmatch=True),
            "version": VERSIONS,
            "role": st.sampled_from(["web", "api", "mail"]),
            "criticality": st.sampled_from(sorted(WEIGHTS)),
        }
    ),
    unique_by=lambda host: host["host"],
    max_size=12,
)
HEALTH = st.fixed_dictionaries(
    {
        "error_rate": st.floats(0, 0.5),
        "latency_ms": st.floats(1, 500),
        "services": st.lists(
            st.fixed_dictionaries({"name": st.sampled_from(["a", "b", "c"]), "up": st.booleans()}),
            unique_by=lambda service: service["name"],
        ),
    }
)


def host(**more: Any) -> dict[str, Any]:
    return {"host": "h1", "version": "3.5.1-1", "isolated": False, "criticality": "high", "role": "web", **more}


def names(answer: dict[str, Any]) -> set[str]:
    return set(answer["names"])


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("3.5.1-1", "3.5.4-1"),
        ("3.5.4-1", "3.5.10-1"),
        ("3.4.10-1", "3.5.0-2"),
        ("1.0~rc1", "1.0"),
        ("1.0", "1.0.1"),
        ("1.0-1", "1.0-2"),
        ("2.41-9", "2.41-12"),
        ("1.0", "1.0a"),
    ],
)
def test_a_version_is_older(one: str, other: str):
    assert older(one, other)
    assert not older(other, one)


@given(VERSIONS, VERSIONS, VERSIONS)
def test_versions_are_in_one_order(one: str, other: str, third: str):
    assert not older(one, one)
    assert not (older(one, other) and older(other, one))
    if older(one, other) and older(other, third):
        assert older(one, third)


@given(HOSTS)
def test_the_order_loses_no_host_and_does_not_hang_on_how_they_are_listed(hosts):
    shuffled = random.Random(7).sample(hosts, len(hosts))

    assert sorted(map(str, hosts)) == sorted(map(str, in_order(hosts)))
    assert in_order(hosts) == in_order(shuffled)


@given(HOSTS)
def test_of_one_role_the_least_critical_comes_first_and_every_role_has_its_turn(hosts):
    ordered = in_order(hosts)
    for role in {one["role"] for one in hosts}:
        weights = [WEIGHTS[one["criticality"]] for one in ordered if one["role"] == role]
        assert weights == sorted(weights)
    first = [one["role"] for one in ordered[: len({one["role"] for one in hosts})]]
    assert len(first) == len(set(first))


@given(HOSTS, st.floats(0, 10))
def test_exposure_is_a_share_and_grows_with_the_hosts(hosts, severity):
    parts = [exposure(hosts[:number], hosts, severity) for number in range(len(hosts) + 1)]

    assert parts == sorted(parts)
    assert all(0 <= part <= 1 for part in parts)


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({}, ""),
        ({"version": "3.5.4-1"}, "it has 3.5.4-1 already"),
        ({"version": "3.6.0-1"}, "it has 3.6.0-1 already"),
        ({"isolated": True}, "it is isolated for an incident"),
        ({"criticality": "critical"}, "it is critical, and a severity of 8.1 is below 9"),
    ],
)
def test_a_host_is_left_out_for_a_reason(changed, why: str):
    assert why == why_left(host(**changed), ADVISORY, [])


def test_a_grave_flaw_is_mended_on_critical_hosts_too():
    assert "" == why_left(host(criticality="critical"), {**ADVISORY, "severity": 9.8}, [])


def test_the_last_word_on_patching_a_host_counts():
    def change(day: int, status: str, kind: str = "patching") -> dict[str, Any]:
        return {"id": f"C-{day}", "kind": kind, "status": status, "starts": f"2026-11-0{day}", "summary": "later"}

    rejected = [change(1, "approved"), change(3, "rejected"), change(5, "approved", "deployment")]

    assert "C-3, its last patching, was rejected: later" == why_left(host(), ADVISORY, rejected)
    assert "" == why_left(host(), ADVISORY, [*rejected, change(4, "approved")])


@given(HEALTH)
def test_a_host_is_not_worse_than_itself(health):
    assert ([], 0) == (worse(health, health), strain(health, health))


@given(HEALTH, HEALTH)
def test_what_is_sound_strains_no_bound_and_what_is_not_breaks_one(before, after):
    down = any("is down" in clause for clause in worse(before, after))
    measured = [clause for clause in worse(before, after) if "is down" not in clause]

    assert bool(measured) == (strain(before, after) > 1) or down or abs(strain(before, after) - 1) < 1e-9


async def test_the_planner_tells_of_every_host_of_the_environment(open_desk: OpenDesk):
    async with open_desk() as desk:
        answer = await desk.run("fleet_planner", **CONTEXT)
        fleet = (await desk.client.call_tool("list_fleet", {"package": "openssl"})).structured_content["hosts"]

    known = {one["host"] for one in fleet if one["environment"] == "production"}
    assert known == names(answer) | {one["host"] for one in answer["left"]}
    assert {"db-01", "git-01", "build-01"} == {one["host"] for one in answer["left"]}
    assert [one["host"] for one in answer["hosts"]] == answer["names"]


async def test_names_decide_nothing(open_desk: OpenDesk):
    """Every host renamed: the same work, in the same order of roles and weights."""
    world = build_world()
    fresh = {asset["host"]: f"x{number}" for number, asset in enumerate(world["assets"])}
    for table in ("assets", "software", "changes"):
        world[table] = [{**row, "host": fresh[row["host"]]} for row in world[table]]
    async with open_desk() as desk:
        before = await desk.run("fleet_planner", **CONTEXT)
    async with open_desk(world) as desk:
        after = await desk.run("fleet_planner", **CONTEXT)

    assert {fresh[name] for name in names(before)} == names(after)
    assert sorted((one["role"], one["criticality"]) for one in before["hosts"]) == sorted(
        (one["role"], one["criticality"]) for one in after["hosts"]
    )
    assert before["exposure"] == after["exposure"]


async def test_a_host_that_is_isolated_or_gone_is_not_in_the_plan(open_desk: OpenDesk):
    world = build_world()
    world["software"] = [row for row in world["software"] if row["host"] != "web-02"]
    async with open_desk(world) as desk:
        meta = {"gonogo/idempotency-key": "k-1"}
        arguments = {"host": "web-01", "reason": "it beacons", "case": "c-1"}
        await desk.client.call_tool("isolate_host", arguments, meta=meta)
        answer = await desk.run("fleet_planner", **CONTEXT)

    assert {"web-01", "web-02"}.isdisjoint(names(answer))
    assert "it is isolated for an incident" in {one["why"] for one in answer["left"]}


async def test_where_nothing_has_the_package_there_is_nothing_to_do(open_desk: OpenDesk):
    async with open_desk() as desk:
        answer = await desk.run("fleet_planner", **{**CONTEXT, "advisory": {**ADVISORY, "package": "no-such"}})

    assert ([], [], 0) == (answer["names"], answer["left"], answer["exposure"])


async def patched(desk, name: str) -> dict[str, Any]:
    """Patch a host under a change of its own, and return how it felt before."""
    before = (await desk.client.call_tool("host_health", {"host": name})).structured_content
    base = {"case": "c-1", "package": ADVISORY["package"], "version": ADVISORY["fixed"]}
    window = {"opens": "2031-01-01T00:00:00Z", "closes": "2031-01-01T02:00:00Z"}
    scheduled = {**base, **window, "hosts": [name], "reason": "a test"}
    for key, (tool, arguments) in enumerate((("schedule_change", scheduled), ("patch_host", {**base, "host": name}))):
        meta = {"gonogo/idempotency-key": f"{name}-{key}"}
        assert not (await desk.client.call_tool(tool, arguments, meta=meta)).is_error
    return before


async def test_the_verifier_passes_a_host_that_took_the_patch(open_desk: OpenDesk):
    async with open_desk() as desk:
        before = await patched(desk, "web-01")
        answer = await desk.run("fleet_verifier", advisory=ADVISORY, host={"host": "web-01"}, before=before)

    assert ("web-01", 0) == (answer["host"], answer["strain"])


async def test_the_verifier_fails_a_host_that_is_worse_and_says_how(open_desk: OpenDesk):
    async with open_desk() as desk:
        before = await patched(desk, "mail-01")
        with pytest.raises(Exception, match=r"mail-01: smtp-tls is down; 35\.6% of requests fail, 0\.6% did before"):
            await desk.run("fleet_verifier", advisory=ADVISORY, host={"host": "mail-01"}, before=before)


async def test_the_verifier_fails_a_host_without_the_patch(open_desk: OpenDesk):
    async with open_desk() as desk:
        before = (await desk.client.call_tool("host_health", {"host": "web-01"})).structured_content
        with pytest.raises(Exception, match=r"it has 3\.5\.1-1, not 3\.5\.4-1"):
            await desk.run("fleet_verifier", advisory=ADVISORY, host={"host": "web-01"}, before=before)


async def test_the_reporter_believes_the_systems_and_not_the_plan(open_desk: OpenDesk):
    async with open_desk() as desk:
        plan = await desk.run("fleet_planner", **CONTEXT)
        await patched(desk, "web-01")
        patches = {"results": [], "failures": [{"key": "mail-01", "cause": "smtp-tls [is](down)"}]}
        answer = await desk.run("fleet_reporter", **CONTEXT, plan=plan, patches=patches)

    assert ["web-01"] == answer["patched"]
    assert "web-01" not in answer["exposed"]
    assert ("high", [{"host": "mail-01", "cause": "smtp-tls [is](down)"}]) == (answer["severity"], answer["failed"])
    assert "[is]" not in answer["markdown"]
