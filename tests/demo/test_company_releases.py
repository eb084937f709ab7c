"""Releases of the company: shares in stages, what they need first, and what is measured of them."""

import pytest
from company_program import ask, use
from mcp.client.client import Client

from demo.seed import build_world
from demo.server import CompanyServer

FIELD = {"service": "field-sync", "version": "2.4.0"}
ORDER = {"service": "order-desk", "version": "5.1.0"}
INDEX = {"service": "order-desk", "migration": "index", "case": "case-1"}


async def deployed(client: Client, percent: int, case: str = "case-1") -> dict:
    return await ask(client, "deploy_release", key=f"d{percent}{case}", **ORDER, percent=percent, case=case)


async def taken_back(client: Client, percent: int, case: str = "case-1") -> dict:
    return await ask(client, "rollback_release", key=f"r{percent}{case}", **ORDER, percent=percent, case=case)


async def test_a_build_tells_what_it_needs_and_not_how_it_will_behave(company: CompanyServer):
    async with Client(company) as client:
        found = await ask(client, "get_release", **FIELD)
        nobody = await ask(client, "get_release", service="field-sync", version="0.0.1")

    assert {"notice", "settle", "backfill", "column"} == {item["id"] for item in found["release"]["prerequisites"]}
    assert "behaviour" not in found["release"]
    assert {"found": False, "release": None} == nobody


async def test_freezes_are_those_of_the_service_that_touch_the_window(company: CompanyServer):
    async def freezes(service: str, day: str) -> list[str]:
        window = {"since": f"{day}T08:00:00Z", "until": f"{day}T09:00:00Z"}
        return [one["id"] for one in (await ask(client, "change_freezes", service=service, **window))["freezes"]]

    async with Client(company) as client:
        assert ["FRZ-11"] == await freezes("order-desk", "2026-11-28")
        assert [] == await freezes("field-sync", "2026-11-28")
        assert ["FRZ-12"] == await freezes("field-sync", "2026-12-24")
        assert [] == await freezes("order-desk", "2026-11-24")


async def test_a_release_without_its_migrations_takes_no_traffic(company: CompanyServer):
    async with Client(company) as client:
        early = await use(client, "deploy_release", "k1", **ORDER, percent=1, case="case-1")
        await ask(client, "apply_migration", key="k2", **INDEX)
        late = await deployed(client, 1)

    assert (True, "no") == (early.is_error, early.structured_content["applied"])
    assert "order-desk needs the migration index first" == early.structured_content["reason"]
    assert {**ORDER, "share": 1, "before": 0, "changed": True} == late


async def test_a_migration_waits_for_the_one_that_it_needs(company: CompanyServer):
    backfill = {"service": "field-sync", "migration": "backfill", "case": "case-1"}
    async with Client(company) as client:
        early = await use(client, "apply_migration", "k1", **backfill)
        await ask(client, "apply_migration", key="k2", **{**backfill, "migration": "column"})
        late = await ask(client, "apply_migration", key="k3", **backfill)
        back = await ask(client, "revert_migration", key="k4", **backfill)
        never = await ask(client, "revert_migration", key="k5", **{**backfill, "case": "case-2"})

    assert "field-sync needs the migration column first" == early.structured_content["reason"]
    assert [("applied", True), ("reverted", True), ("reverted", False)] == [
        (one["status"], one["changed"]) for one in (late, back, never)
    ]


async def test_stages_rise_and_are_taken_back_in_reverse_each_by_its_own_case(company: CompanyServer):
    async with Client(company) as client:
        await ask(client, "apply_migration", key="k", **INDEX)
        shares = [(await deployed(client, percent))["share"] for percent in (1, 10, 50)]
        other = await taken_back(client, 50, "case-2")
        back = [(await taken_back(client, percent))["share"] for percent in (50, 10, 1)]
        again = await ask(client, "rollback_release", key="k9", **ORDER, percent=1, case="case-1")

    assert [1, 10, 50] == shares
    assert (50, False) == (other["share"], other["changed"])
    assert [10, 1, 0] == back
    assert (0, False) == (again["share"], again["changed"])


async def test_what_is_measured_follows_from_the_share_alone(company: CompanyServer):
    async with Client(company) as client:
        nothing = await ask(client, "release_metrics", **ORDER)
        await ask(client, "apply_migration", key="k", **INDEX)
        await deployed(client, 1)
        first, again = [await ask(client, "release_metrics", **ORDER) for _ in range(2)]
        await deployed(client, 10)
        second = await ask(client, "release_metrics", **ORDER)

    assert (0, 0, 0.0) == (nothing["requests"], nothing["errors"], nothing["error_rate"])
    assert first == again
    assert first["error_rate"] <= first["usual"]["error_rate"] * 2 < second["error_rate"]
    assert second["errors"] / second["requests"] == second["error_rate"]


@pytest.mark.parametrize("tool", ["deploy_release", "rollback_release"])
@pytest.mark.parametrize("percent", [0, 101])
async def test_a_share_is_one_to_a_hundred_percent(company: CompanyServer, tool: str, percent: int):
    async with Client(company) as client:
        answer = await use(client, tool, "k1", **ORDER, percent=percent, case="case-1")

    assert (True, "no") == (answer.is_error, answer.structured_content["applied"])


def test_every_release_is_of_a_service_that_there_is():
    world = build_world()

    assert {row["service"] for row in world["releases"]} == {row["service"] for row in world["services"]}
