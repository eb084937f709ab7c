"""Operators steer a mission while changes are made that people asked for at a gate, and while it is asked anew."""

from tests.workflows.house import Activities, house
from tests.workflows.test_commands import Held, act
from tests.workflows.test_mission import agent, replays

SEATS = {"approvers": ["lead", "chief"], "from": {"lead": 1, "chief": 1}, "timeout": "1h", "on_reject": "continue"}


def ask(*changes):
    return {"kind": "gate", "step": "ask", "gate": {**SEATS, "on_changes": list(changes)}}


def other(opening):
    return lambda found: bool(found) and found[0].nonce != opening.nonce


async def test_a_gate_that_is_tried_again_has_what_was_changed_undone_and_begins_with_no_votes(client, home):
    async with house(client, home) as h:
        started = await h.start([ask(act("mend"))])
        first = await started.until()
        await started.decide(first, "lea", "request_changes")
        second = await started.until(other(first))
        await started.decide(second, "lea")
        assert (await started.command("retry", "ask")).accepted
        third = await started.until(other(second))
        for person in ("lou", "cleo"):
            await started.decide(third, person)
        await started.result()

        assert ["file", "unfile"] == [tool for tool, _, _ in h.activities.world]
        assert ((), 3) == (third.votes, len({first.nonce, second.nonce, third.nonce}))
        paths = [record.path for record in (await started.state()).records]
        assert "ask/changes[1]" not in paths
        await replays(started.handle)


async def test_a_pause_while_changes_are_made_asks_nobody_anew_before_the_resume(client, home):
    held = Held({"n": 1})
    async with house(client, home, Activities(agents={"ann": [held]})) as h:
        started = await h.start([ask(agent("mend"))])
        first = await started.until()
        await started.decide(first, "cleo", "request_changes")
        await held.begun.wait()
        await started.command("pause")
        held.free.set()
        path = "ask/changes[1]/mend"
        await started.seen(lambda view: {one.path: one.status for one in view.records}.get(path) == "succeeded")
        await started.command("resume")
        second = await started.until(other(first))
        for person in ("lea", "cleo"):
            await started.decide(second, person)
        result = await started.result()

        assert ("completed", [path]) == (result.state, h.activities.asked)
        await replays(started.handle)


async def test_nobody_gets_past_a_gate_with_seats_without_its_seats(client, home):
    async with house(client, home) as h:
        started = await h.start([ask(agent("mend")), agent("after")])
        await started.until()
        await started.command("skip", "ask", output={"approved": True})
        asked = await started.until(lambda found: any(one.subject.kind == "override" for one in found))
        [asked] = [one for one in await started.gates() if one.subject.kind == "override"]
        assert (2, {"lead": 1, "chief": 1}) == (asked.subject.required, asked.subject.seats)
        told = [(await started.decide(asked, person)).state for person in ("lea", "lou")]
        assert (["open", "open"], []) == (told, h.activities.asked)
        assert "approved" == (await started.decide(asked, "cleo")).state
        result = await started.result()

        assert ("completed", ["after"]) == (result.state, h.activities.asked)
        await replays(started.handle)
