"""Faults that are ordered: what the caller is told, and what the world really saw."""

import asyncio
import time

import pytest
from company_program import ask, use
from mcp.client.client import Client

from demo.attempt import attempts
from demo.fault import Fault, clear_faults, faults, order_fault
from demo.ledger import effects
from demo.server import CompanyServer
from demo.store import Store

ISOLATE = {"host": "fin-ws-07", "reason": "beaconing", "case": "case-1"}


def told(result):
    return result.structured_content["applied"], result.structured_content["retry"]


async def test_a_failing_tool_says_that_nothing_was_applied(company: CompanyServer, store: Store):
    order_fault(store, Fault(tool="isolate_host", mode="fail"))
    async with Client(company) as client:
        failed = await use(client, "isolate_host", key="k1", **ISOLATE)

    assert ("no", True) == told(failed)
    assert [] == effects(store)
    assert [("fail", "failed")] == [(row["fault"], row["outcome"]) for row in attempts(store)]


async def test_a_tool_that_acts_and_reports_failure_leaves_its_effect_and_says_unknown(
    company: CompanyServer, store: Store
):
    order_fault(store, Fault(tool="isolate_host", mode="act_then_fail", times=1))
    async with Client(company) as client:
        failed = await use(client, "isolate_host", key="k1", **ISOLATE)
        again = await ask(client, "isolate_host", key="k1", **ISOLATE)

    assert ("unknown", True) == told(failed)
    assert [again] == [effect["result"] for effect in effects(store)]


async def test_a_rejected_call_is_rejected_also_when_a_fault_waits(company: CompanyServer, store: Store):
    order_fault(store, Fault(tool="isolate_host", mode="act_then_fail"))
    async with Client(company) as client:
        refused = await use(client, "isolate_host", key="k1", **{**ISOLATE, "host": "ghost-01"})

    assert ("no", False) == told(refused)


@pytest.mark.parametrize(("mode", "before_it_answers"), [("slow", 0), ("act_then_slow", 1)])
async def test_a_slow_tool_holds_up_nobody_else(
    company: CompanyServer, store: Store, mode: str, before_it_answers: int
):
    order_fault(store, Fault(tool="isolate_host", mode=mode, seconds=600))
    async with Client(company) as client:
        slow = asyncio.create_task(ask(client, "isolate_host", key="k1", **ISOLATE))
        while len(attempts(store, "isolate_host")) < 1 or len(effects(store)) < before_it_answers:
            await ask(client, "get_asset", host="web-01")

        assert (False, before_it_answers) == (slow.done(), len(effects(store)))
        slow.cancel()
        await asyncio.gather(slow, return_exceptions=True)


@pytest.mark.parametrize("mode", ["slow", "act_then_slow"])
async def test_a_slow_tool_answers_in_the_end(company: CompanyServer, store: Store, mode: str):
    order_fault(store, Fault(tool="isolate_host", mode=mode, seconds=0.1))
    started = time.monotonic()
    async with Client(company) as client:
        answer = await ask(client, "isolate_host", key="k1", **ISOLATE)

    assert [answer] == [effect["result"] for effect in effects(store)]
    assert time.monotonic() - started >= 0.1


async def test_a_fault_is_used_up_after_its_times(company: CompanyServer, store: Store):
    order_fault(store, Fault(tool="isolate_host", mode="fail", times=2))
    async with Client(company) as client:
        results = [await use(client, "isolate_host", key="k1", **ISOLATE) for _ in range(3)]

    assert [True, True, False] == [result.is_error for result in results]
    assert [] == faults(store)


async def test_a_fault_for_every_tool_gives_way_to_a_tool_s_own(company: CompanyServer, store: Store):
    order_fault(store, Fault(tool="*", mode="fail"))
    order_fault(store, Fault(tool="get_asset", mode="slow", seconds=0))
    async with Client(company) as client:
        assert not (await use(client, "get_asset", host="web-01")).is_error
        assert (await use(client, "host_status", host="web-01")).is_error
        clear_faults(store)
        assert not (await use(client, "host_status", host="web-01")).is_error
