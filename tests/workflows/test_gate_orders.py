"""However approvals, rejections, deadlines and cancellations race at a gate, one outcome stands, and it replays."""

import asyncio
import random
from datetime import timedelta

import pytest
from temporalio.client import WorkflowFailureError
from temporalio.exceptions import CancelledError
from temporalio.service import RPCError
from temporalio.worker import Replayer

from contracts.decision import DECIDE
from tests.payloads import DATA_CONVERTER
from tests.workflows.house import house
from tests.workflows.test_mission import isolate
from workflows.mission import Mission
from workflows.runner import runner

ORDERS = 200
AT_ONCE = 20
EVENTS = ("approve lea", "approve lou", "reject lou", "reject lea", "approve eve", "timeout", "cancel")


async def outcome_of(h, skipper, seed):
    """Run one mission through one random order; return how it ended and what the world saw of it."""
    order = random.Random(seed)
    approval = {"approvers": ["lead"], "required": 2, "timeout": "30m", "on_timeout": "refuse"}
    started = await h.start([isolate(approval=approval, **{"with": {"host": f"h{seed}"}})])
    opening = await started.until()
    chosen = order.sample(EVENTS, order.randint(2, len(EVENTS)))
    if not {"timeout", "cancel"} & set(chosen):
        chosen.append("timeout")
    for event in chosen:
        sending = asyncio.ensure_future(send(started, skipper, opening, event))
        if order.random() < 0.6:
            await sending
    try:
        state = (await started.result()).state
    except WorkflowFailureError as failed:
        assert isinstance(failed.cause, CancelledError)
        state = "cancelled"
    view = await started.state()
    history = await started.handle.fetch_history()
    return (
        state,
        chosen,
        view,
        history,
        [tool for tool, _, arguments in h.activities.world if arguments["host"] == f"h{seed}"],
    )


async def send(started, skipper, opening, event):
    verb, _, person = event.partition(" ")
    try:
        match verb:
            case "timeout":
                await skipper.fast_forward(started.handle, timedelta(minutes=31))
            case "cancel":
                await started.handle.cancel()
            case _:
                await started.handle.signal(DECIDE, started.token(opening, person, verb))
    except RPCError:
        return  # the mission had ended before: that is one of the orders


@pytest.mark.slow
async def test_random_orders_reach_one_outcome_that_replays(client, skipper, home):
    """An effect stands only where two different approvers agreed and nobody refused; each seed names its order."""
    async with house(client, home) as h:
        limit = asyncio.Semaphore(AT_ONCE)

        async def one(seed):
            async with limit:
                return seed, *await outcome_of(h, skipper, seed)

        outcomes = await asyncio.gather(*(one(seed) for seed in range(ORDERS)))
        for seed, state, chosen, view, _, world in outcomes:
            said = f"seed {seed}: {chosen} came to {state}, the world saw {world}"
            assert state == view.state, said
            assert (
                world
                in {"completed": (["isolate"],), "refused": ([],), "cancelled": ([], ["isolate", "release"])}[state]
            ), said
            record = next(record for record in view.records if record.path == "isolate")
            approvers = {vote.person for vote in record.decisions if vote.verb == "approve"}
            if world:
                assert approvers == {"lea", "lou"}, said
                assert not any(vote.verb == "reject" for vote in record.decisions), said

    async def histories():
        for _, _, _, _, history, _ in outcomes:
            yield history

    replayer = Replayer(workflows=[Mission], workflow_runner=runner(), data_converter=DATA_CONVERTER)
    results = await replayer.replay_workflows(histories())
    assert not results.replay_failures
