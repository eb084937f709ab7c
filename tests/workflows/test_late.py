"""What reached the server before the deadline counts and what came after it does not, whenever a worker hears of it."""

import asyncio
from datetime import UTC, datetime

import pytest

from contracts.decision import DECIDE
from contracts.plan import Limits
from tests.workflows.house import house
from tests.workflows.test_continue import chain
from tests.workflows.test_mission import isolate, replays
from tests.workflows.unattended import attended, unattended

SOON = "1500ms"


def asking(**more):
    return isolate(approval={"approvers": ["lead"], "timeout": SOON, "on_timeout": "refuse", **more})


async def heard(client, started):
    """Let a worker in; return how the mission stands at its end, and what the world saw."""
    there = await attended(started)
    async with house(client, there.house.home, queue=there.house.queue):
        view = await there.state()
    for run in await chain(client, started.handle):
        await replays(run)
    return view.state, [tool for tool, *_ in there.house.activities.world], view


async def test_an_approval_that_came_in_time_counts_though_the_worker_was_down_over_the_deadline(client, home):
    started = await unattended(client, home, [asking()], [("lea", "approve")], [])
    state, world, view = await heard(client, started)

    assert ("completed", ["isolate"]) == (state, world)
    [ruling] = view.records[0].decisions
    assert ruling.received_at < view.records[0].answered_at


async def test_an_approval_that_came_after_the_deadline_never_wins(client, home):
    started = await unattended(client, home, [asking()], [], [("lea", "approve")])
    state, world, view = await heard(client, started)

    assert ("refused", []) == (state, world)
    assert "the decision is late" in view.refusals[-1].reason


async def test_of_two_in_one_task_only_the_one_in_time_counts(client, home):
    steps = [asking(required=2)]
    started = await unattended(client, home, steps, [("lea", "approve")], [("lou", "approve")])
    state, world, view = await heard(client, started)

    assert ("refused", []) == (state, world)
    assert ["lea"] == [ruling.person for ruling in view.records[0].decisions]
    assert ["lou"] == [ruling.person for ruling in view.refusals]


@pytest.mark.parametrize(("before", "after"), [("reject", "approve"), ("approve", "reject")])
async def test_the_first_in_time_decides_whatever_comes_after_the_deadline(client, home, before, after):
    started = await unattended(client, home, [asking()], [("lea", before)], [("lou", after)])
    state, world, _ = await heard(client, started)

    expected = {"approve": ("completed", ["isolate"]), "reject": ("refused", [])}[before]
    assert expected == (state, world)


async def test_an_approval_in_time_keeps_the_ladder_from_being_climbed(client, home):
    ladder = {"on_timeout": "escalate", "escalation": [{"approvers": ["chief"], "timeout": SOON}]}
    started = await unattended(client, home, [asking(**ladder)], [("lea", "approve")], [("cleo", "reject")])
    state, world, view = await heard(client, started)

    assert ("completed", ["isolate"]) == (state, world)
    assert ["lea"] == [ruling.person for ruling in view.records[0].decisions]


async def test_a_decision_that_was_good_when_it_came_does_not_expire_while_nobody_hears_it(client, home):
    async with house(client, home) as h:
        started = await h.start([asking(timeout="1h")])
        opening = await started.until()
    brief = int(opening.opened_at.timestamp()) + 2
    await started.handle.signal(DECIDE, started.token(opening, "lea", exp=brief))
    async with asyncio.timeout(20):
        while datetime.now(UTC).timestamp() <= brief:
            await asyncio.sleep(0.1)
    state, world, _ = await heard(client, started)

    assert ("completed", ["isolate"]) == (state, world)


async def test_a_flood_in_time_is_heard_before_the_deadline_counts_also_over_hand_overs(client, home):
    before = [*(("eve", "approve") for _ in range(5)), ("lea", "approve")]
    limits = Limits(decisions_per_run=2)
    started = await unattended(client, home, [asking()], before, [("lou", "reject")], limits)
    state, world, view = await heard(client, started)

    assert ("completed", ["isolate"]) == (state, world)
    assert view.runs > 1
