"""A mission continues as new by its journal: gates, deadlines and queued decisions go with it, and none is lost."""

import asyncio
import json
from datetime import timedelta

import pytest
from temporalio.client import Client, WorkflowHandle

from contracts.decision import DECIDE
from contracts.plan import Limits
from contracts.view import STATE, MissionView, StateQuery
from tests.workflows.house import Activities, house
from tests.workflows.record_histories import GATE
from tests.workflows.test_mission import agent, isolate, replays

pytestmark = pytest.mark.usefixtures("cached")


async def chain(client: Client, handle: WorkflowHandle) -> list[WorkflowHandle]:
    """Return a handle for every run of a mission, the last first."""
    handles = []
    run_id = (await handle.describe()).run_id
    while run_id:
        run = client.get_workflow_handle(handle.id, run_id=run_id)
        handles.append(run)
        started = (await run.fetch_history()).events[0].workflow_execution_started_event_attributes
        run_id = started.continued_execution_run_id
    return handles


LONG = [
    agent("first", output="a"),
    {"kind": "parallel", "step": "both", "parallel": [agent("x"), agent("y", agent="ben")], "output": "pair"},
    {
        "kind": "loop",
        "step": "loop",
        "loop": {"do": [agent("again", output="r")], "until": "r.n >= 9", "max_iterations": 12},
    },
    isolate(**{"with": {"n": "${{ r.n }}"}}),
    agent("last", context=["a", "pair"]),
]


def counting():
    fakes = Activities()
    fakes.agents = dict.fromkeys(("ann", "ben"), lambda _: {"n": len(fakes.asked)})
    return fakes


@pytest.mark.parametrize("events", [16, 25, 4000])
async def test_however_often_it_continues_it_ends_the_same(client, home, events):
    async with house(client, home, counting()) as h:
        started = await h.start(LONG, Limits(events_per_run=events))
        opening = await started.until()
        await started.decide(opening, "lea")
        result = await started.result()
        runs = await chain(client, started.handle)

        assert ("completed", len(runs)) == (result.state, result.runs)
        assert (events < 100) == (len(runs) > 2)
        assert len(h.activities.asked) == len(set(h.activities.asked)) == 10
        assert [("isolate", {"n": 9})] == [(tool, arguments) for tool, _, arguments in h.activities.world]
        for run in runs:
            await replays(run)


@pytest.mark.parametrize("cached", [{}], indirect=True)
async def test_no_decision_is_lost_under_a_flood_while_runs_hand_over(client, home):
    """Each refused decision is in the record once; the gate, its nonce and its deadline stay the same."""
    async with house(client, home) as h:
        started = await h.start([isolate(), agent("after")], Limits(events_per_run=40, decisions_per_run=7))
        opening = await started.until()
        flood = [started.token(opening, "eve", comment=str(number)) for number in range(60)]
        await asyncio.gather(*(started.handle.signal(DECIDE, token) for token in flood[:40]))
        receipts = await asyncio.gather(*(started.send(token) for token in flood[40:45]))
        await asyncio.gather(*(started.handle.signal(DECIDE, token) for token in flood[45:]))
        approved = await started.decide(opening, "lea")
        result = await started.result()
        view = await client.get_workflow_handle(started.handle.id).query(STATE, StateQuery(), result_type=MissionView)
        runs = await chain(client, started.handle)
        refused = await rulings(runs)

        assert approved.accepted
        assert "completed" == result.state
        assert {str(number) for number in range(60)} == refused
        assert not any(receipt.accepted for receipt in receipts)
        assert len(runs) > 2
        assert 1 == len(h.activities.world)
        assert view.refusals
        for run in runs:
            await replays(run)


async def rulings(runs: list[WorkflowHandle]) -> set[str]:
    """Return the comments of all refusals that the histories of a chain hold, from what their judge answered."""
    found = set()
    for run in runs:
        async for event in run.fetch_history_events():
            for payload in event.activity_task_completed_event_attributes.result.payloads:
                ruling = json.loads(payload.data)
                if isinstance(ruling, dict) and ruling.get("accepted") is False:
                    found.add(ruling["comment"])
    return found


async def test_an_unanswered_gate_keeps_its_deadline_over_a_hand_over(client, skipper, home):
    """The deadline is a moment, not a span that starts again with each run."""
    async with house(client, home) as h:
        started = await h.start([isolate()], Limits(decisions_per_run=1))
        opening = await started.until()
        for _ in range(3):
            await started.decide(opening, "eve")
        again = await started.until()
        await skipper.fast_forward(started.handle, timedelta(minutes=29))
        before = await started.gates()
        await skipper.fast_forward(started.handle, timedelta(minutes=2))
        result = await started.result()

        assert opening == again == before[0]
        assert ("refused", []) == (result.state, h.activities.world)
        assert result.runs > 1


async def test_a_mission_that_is_being_undone_goes_on_undoing_in_the_next_run(client, home):
    fakes = Activities(agents={"ben": ValueError("stop here")})
    steps = [
        *(
            isolate(f"a{n}", action="file", approval=None, compensate={"tool": "unfile"}, **{"with": {"n": n}})
            for n in range(8)
        ),
        agent("breaks", agent="ben", retry={"attempts": 1}),
    ]
    async with house(client, home, fakes) as h:
        started = await h.start(steps, Limits(events_per_run=30))
        with pytest.raises(Exception, match="failed"):
            await started.result()

        undone = [arguments["n"] for tool, _, arguments in fakes.world if tool == "unfile"]
        assert [7, 6, 5, 4, 3, 2, 1, 0] == undone
        assert len(await chain(client, started.handle)) > 2


@pytest.mark.parametrize("verb", ["approve", "reject"])
async def test_a_decision_that_the_next_run_rules_on_replays_though_people_look_on(client, home, verb):
    """Whoever waits for a receipt asks all the time, and a query may end a task between a timer and its end."""
    steps = [*(agent(name) for name in "abcd"), GATE, agent("after")]
    async with house(client, home) as h:
        started = await h.start(steps, Limits(events_per_run=28))
        receipt = await started.decide(await started.until(), "lea", verb)
        await started.result()
        runs = await chain(client, started.handle)

        assert (True, 2) == (receipt.accepted, len(runs))
        for run in runs:
            await replays(run)
