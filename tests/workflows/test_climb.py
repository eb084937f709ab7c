"""The ladder on a real server: every rung with its reason in the record, the audit and the question; endless talk."""

import pytest
from temporalio.exceptions import ApplicationError

from contracts.plan import CURRENT
from starter.chronicle import chronicle
from tests.workflows.house import Activities, broken, house
from tests.workflows.record_histories import LOOP, agent
from tests.workflows.test_mission import replays


def down(_):
    raise ApplicationError("no answer", {"applied": "no"}, type="unavailable")


async def test_retries_then_another_agent_then_people_who_see_all_of_it(client, home):
    ways = {"external": {"agent": "eva", "else": "escalate"}}
    step = agent("first", on_failure=ways, retry={"attempts": 3, "first": "10ms"})
    async with house(client, home, Activities(agents={"ann": down, "eva": broken()})) as h:
        started = await h.start([step, agent("second", "ben")], CURRENT)
        opening = await started.until()
        await started.decide(opening, "cleo")
        result = await started.result()
        records = {record.path: record for record in (await started.state()).records}
        audit = await chronicle(client, started.handle.id)

        assert "completed" == result.state
        assert (
            [
                "tried again, 3 tries in all: failed, since unavailable: no answer",
                "let eva do it: failed, since unavailable: no answer",
            ]
            == [str(rung) for rung in records["first"].rungs]
            == opening.context["what was tried"]
        )
        assert ["asked chief: succeeded, since refused: it would not"] == [
            str(rung) for rung in records["first/on_failure"].rungs
        ]
        assert [("first", 3, "unavailable: no answer")] == [
            (entry.step, entry.detail["attempt"], entry.detail["cause"])
            for entry in audit
            if entry.what == "agent tried again"
        ]
        await replays(started.handle)


@pytest.mark.parametrize("events", [16, 4_000])
async def test_endless_talk_is_found_and_people_are_asked_over_however_many_runs(client, home, events):
    async with house(client, home, Activities(agents={"ann": {"n": 0}})) as h:
        limits = CURRENT.model_copy(update={"events_per_run": events})
        started = await h.start([LOOP, agent("after", "ben")], limits)
        opening = await started.until()
        await started.decide(opening, "cleo")
        await started.result()

        assert "loop[3]/escalate" == opening.subject.step
        assert "stuck: step loop[3]/again (ann)" in opening.subject.message
        assert ["loop[1]/again", "loop[2]/again", "after"] == h.activities.asked
        await replays(started.handle)
