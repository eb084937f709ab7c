"""Reminders and the ladder on a real server: by workflow time, over hand-overs, with notices beside the wait."""

import asyncio
from datetime import timedelta

import pytest
from temporalio.client import WorkflowFailureError

from contracts.notice import Delivery
from contracts.plan import Limits
from tests.workflows.house import Activities, broken, house
from tests.workflows.record_histories import CLIMBED, GATE, agent
from tests.workflows.test_continue import chain
from tests.workflows.test_mission import isolate, replays


def notes(view, path="ask"):
    [record] = [record for record in view.records if record.path == path]
    return record.notices


async def failed(started):
    with pytest.raises(WorkflowFailureError) as caught:
        await started.result()
    return caught.value.cause


async def test_reminders_come_by_workflow_time_and_the_last_silence_fails_the_step(skipping, home):
    async with house(skipping, home) as h:
        started = await h.start([CLIMBED])
        error = await failed(started)
        view = await started.state()

        assert "unanswered" == error.type
        began = view.records[0].started_at
        spans = [round((note.at - began) / timedelta(minutes=1)) for note in notes(view)]
        assert [20, 40, 70] == spans
        assert [] == h.activities.notices
        await replays(started.handle)


async def test_a_reminder_outlives_a_hand_over_and_none_is_given_twice(client, skipper, home):
    work = {"kind": "group", "step": "g", "steps": [agent(f"a{number}") for number in range(4)]}
    both = {"kind": "parallel", "step": "both", "parallel": [CLIMBED, work]}
    async with house(client, home) as h:
        started = await h.start([both], Limits(events_per_run=16))
        await started.until(lambda openings: len(openings) == 1)
        await skipper.fast_forward(started.handle, timedelta(minutes=21))
        await started.until(lambda openings: len(openings[0].reminders) == 1)
        opening = (await started.gates())[0]
        await started.decide(opening, "eve")
        await skipper.fast_forward(started.handle, timedelta(minutes=20))
        await started.until(lambda openings: not openings[0].reminders)
        await started.decide((await started.gates())[0], "lea")
        await started.result()
        view = await started.state()
        runs = await chain(client, started.handle)

        assert len(runs) > 1
        assert ["reminded", "reminded"] == [note.about for note in notes(view, "both/ask")]
        for run in runs:
            await replays(run)


async def test_people_are_told_beside_the_wait(client, home):
    async with house(client, home) as h:
        started = await h.start([isolate()], notify=True)
        opening = await started.until()
        await started.decide(opening, "lea")
        await started.result()

        assert ["opened", "settled"] == [notice.about for notice in h.activities.notices]
        assert (("lead",), "isolate") == (h.activities.notices[0].to, h.activities.notices[0].tool)
        assert ("approved", ("lea",)) == (h.activities.notices[1].decision, h.activities.notices[1].by)
        await replays(started.handle)


async def test_a_notice_that_hangs_keeps_no_gate_and_no_mission(client, home):
    hung = asyncio.Event()
    fakes = Activities(channels={"opened": lambda _: hung.wait()})
    async with house(client, home, fakes) as h:
        started = await h.start([isolate()], notify=True)
        opening = await started.until()
        receipt = await started.decide(opening, "lea")
        result = await started.result()
        hung.set()

        assert ("approved", "completed") == (receipt.state, result.state)
        await replays(started.handle)


async def test_what_could_not_be_told_is_in_the_record_and_changes_nothing(client, home):
    refused = Delivery(sent=("post",), failed=("ops: it answered 404",))
    fakes = Activities(channels={"opened": refused, "settled": broken()})
    async with house(client, home, fakes) as h:
        started = await h.start([GATE], notify=True)
        await started.decide(await started.until(), "lea")
        result = await started.result()
        view = await started.state()

        assert "completed" == result.state
        assert [("opened", "ops: it answered 404"), ("settled", "refused: it would not")] == [
            (note.about, note.failed) for note in notes(view)
        ]
        await replays(started.handle)


async def test_what_is_on_its_way_at_a_hand_over_is_sent_again_under_the_same_id(client, home):
    first, go = asyncio.Event(), asyncio.Event()
    fakes = Activities(channels={"opened": [lambda _: first.wait(), lambda _: go.set()]})
    async with house(client, home, fakes) as h:
        started = await h.start([GATE], Limits(decisions_per_run=1), notify=True)
        opening = await started.until()
        await started.decide(opening, "eve")
        await asyncio.wait_for(go.wait(), 20)
        first.set()
        await started.decide(opening, "lea")
        await started.result()
        runs = await chain(client, started.handle)

        opened = [notice.id for notice in h.activities.notices if notice.about == "opened"]
        assert (2, 1) == (len(opened), len(set(opened)))
        assert 2 == len(runs)
        for run in runs:
            await replays(run)


async def test_a_mission_that_is_cancelled_while_people_are_told_ends_cancelled(client, home):
    fakes = Activities(channels={"opened": broken()})
    async with house(client, home, fakes) as h:
        started = await h.start([GATE], notify=True)
        await started.until()
        await started.handle.cancel()
        with pytest.raises(WorkflowFailureError):
            await started.result()

        assert "cancelled" == (await started.state()).state
        await replays(started.handle)


async def test_reminders_stand_still_while_the_mission_is_paused(client, home):
    gate = {"approvers": ["lead"], "timeout": "1h", "remind": ["1s", "30m"], "on_timeout": "refuse"}
    async with house(client, home) as h:
        started = await h.start([{"kind": "gate", "step": "ask", "gate": gate}])
        opening = await started.until()
        await started.command("pause")
        [still] = await started.gates()
        assert ((), 2) == (still.reminders, len(still.reminders_left))
        await asyncio.sleep(still.reminders_left[0] + 0.1)
        assert () == notes(await started.state())
        await started.command("resume")
        [again] = await started.gates()

        moved = again.deadline - opening.deadline
        assert moved > timedelta(seconds=still.reminders_left[0])
        assert [moment + moved for moment in opening.reminders] == list(again.reminders)
        await started.until(lambda openings: len(openings[0].reminders) == 1)
        assert ["reminded"] == [note.about for note in notes(await started.state())]
        await started.decide(again, "lea")
        await started.result()
        await replays(started.handle)


async def test_changed_arguments_keep_the_clock_that_a_pause_has_stopped(client, home):
    async with house(client, home) as h:
        started = await h.start([isolate()])
        opening = await started.until()
        await started.command("pause")
        [still] = await started.gates()
        await started.decide(still, "lea", "modify", changes={"host": "db-01"})
        changed = await started.until(lambda openings: openings[0].nonce != opening.nonce)
        assert (None, still.left) == (changed.deadline, changed.left)
        await started.command("resume")
        [again] = await started.gates()
        assert again.deadline > opening.deadline
        await started.decide(again, "lou")
        await started.result()
        await replays(started.handle)


async def test_operators_are_told_of_a_mission_that_waits_for_them(client, home):
    async with house(client, home, Activities(agents={"dot": [broken(), {}]})) as h:
        started = await h.start([agent("breaks", "dot")], notify=True, dead_letter={"timeout": "1h"})
        await started.until_state("dead_letter")
        await started.command("retry", "breaks")
        result = await started.result()

        [notice] = h.activities.notices
        assert "completed" == result.state
        assert ("dead_letter", "failure", "breaks", ("chief",)) == (notice.about, notice.kind, notice.step, notice.to)
        await replays(started.handle)


async def test_who_was_asked_is_told_once_when_nobody_asks_any_more(client, home):
    """A gate that a redirect leaves, and one that is open when the mission is aborted."""
    async with house(client, home) as h:
        both = {"kind": "parallel", "step": "both", "parallel": [GATE, isolate()]}
        started = await h.start([agent("before"), both], notify=True)
        await started.until(lambda openings: len(openings) == 2)
        await started.command("redirect", "before")
        await started.until(lambda openings: len(openings) == 2 and len(h.activities.asked) == 2)
        await started.command("abort")
        await started.result()
        told = [(one.about, one.decision, one.step) for one in h.activities.notices]

        for step in ("both/ask", "both/isolate"):
            opened, withdrawn = ("opened", "", step), ("settled", "withdrawn", step)
            assert [opened, withdrawn, opened, withdrawn] == [one for one in told if one[2] == step]
        await replays(started.handle)


async def test_what_was_not_told_by_itself_stands_in_the_record(client, home):
    instead = "one of more than 10 requests within 1h: a notice before told of all"
    async with house(client, home, Activities(channels={"opened": Delivery(instead=instead)})) as h:
        started = await h.start([GATE], notify=True)
        view = await started.seen(lambda view: any(record.notices for record in view.records))

        assert [("opened", ("lead",), instead)] == [(note.about, note.to, note.text) for note in notes(view)]
        await started.decide(await started.until(), "lea")
        await started.result()
        await replays(started.handle)
