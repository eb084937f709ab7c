"""A mission whose every worker is killed with -9 at a step boundary ends as one that nobody disturbs.

Where the boundaries are is read from the history of an undisturbed run: before each task is taken, and while some
worker has it. A task is a step of the workflow (a gate opened, a decision ruled on, a compensation armed) or an
activity.
"""

import pytest

from tests.system.case import case_at
from tests.system.ground import Grounds
from tests.system.stories import KNOWN, REMEDIATED, UNDONE, Played, close, seal
from tests.system.theatre import Scene, scenes
from tests.system.walk import Walk

PARTS = {"auto_remediate": 4, "undone": 3}
"""Walks among which the deaths in the midst of a task are shared out: each costs up to ten seconds of waiting."""
NO_CACHE = {"GONOGO_MAX_CACHED_WORKFLOWS": "0"}


async def walked(grounds: Grounds, known: Played, fate: str, part: int) -> Played:
    """Walk with a new worker for every task; one task in `PARTS` is moreover the death of a worker that has it."""
    async with case_at(grounds, split=True) as case:
        await seal(case, fate)
        first = gate(known) if fate == "undone" else 0
        fatal = [number for number in range(first, len(known.way)) if number % PARTS[fate] == part]
        reached = await Walk(case, known.way, fatal, first, NO_CACHE if part % 2 else {}).run()
        await case.place.hire()
        return await close(case, tuple(reached))


def gate(known: Played) -> int:
    """Return the number of the task that the decision brings about."""
    return next(number for number, stop in enumerate(known.way) if stop.decided)


def walks(fate: str) -> list[Scene]:
    return [Scene(walked, (fate, part), after=(KNOWN[fate],), long=True) for part in range(PARTS[fate])]


@scenes(*walks("auto_remediate"), *walks("undone"))
async def test_killed_before_each_task_and_in_the_midst_of_it_the_mission_ends_the_same(scene, known):
    played = await scene
    stood = [place.removesuffix(" taken").removesuffix(" waits") for place in played.reached]

    assert [] == played.account.breaches, played.account
    assert known.ending == played.ending, played.account
    assert known.way == played.way, played.account
    assert [stop.path or "workflow task" for stop in known.way][-len(stood) :] == stood


@scenes(REMEDIATED)
async def test_the_undisturbed_mission_remediates(scene):
    played = await scene

    assert [] == played.account.breaches
    assert ("completed", "auto_remediate") == (played.ending["state"], played.ending["verdict"])
    assert ["isolate_host", "open_ticket"] == played.account.done()


@scenes(UNDONE)
async def test_the_undisturbed_mission_that_cannot_report_is_undone_in_reverse(scene):
    played = await scene

    assert [] == played.account.breaches
    assert "failed" == played.ending["state"]
    assert ["isolate_host", "open_ticket", "close_ticket", "release_host"] == played.account.done()


@pytest.mark.parametrize("fate", KNOWN)
async def test_together_the_walks_kill_a_worker_in_the_midst_of_every_task(theatre, fate):
    played = [await theatre.play(scene) for scene in walks(fate)]
    taken = [{place for place, how in enumerate(one.reached) if how.endswith(" taken")} for one in played]

    assert set(range(len(played[0].reached))) == set().union(*taken)
    assert len(played[0].reached) >= 10
