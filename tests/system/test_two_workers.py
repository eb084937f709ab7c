"""A worker that hangs and comes back finds its work done by another: nothing happens twice."""

import asyncio

from tests.system.cable import Cable
from tests.system.case import Account, Case, case_at
from tests.system.ground import Grounds
from tests.system.hands import Hand, until
from tests.system.stories import REMEDIATED, Played, close
from tests.system.theatre import Scene, scenes
from tests.system.walk import polls

RESPONSE = "secops-response"
FIRST, SECOND = "secops-response,secops-intel", "gonogo,gonogo-agents,gonogo-tools,secops-analysis"
"""The first, who is to hang, has talked to the company before, for an agent: it needs no time to get to know it."""
LAG = 0.3
"""Seconds by which the server's word to leave it alone comes late to a worker that wakes."""


async def frozen_with_isolation(case: Case, cable: Cable) -> Hand:
    """Bring a mission to where a worker that hangs has the isolation in hand, and has not begun with it."""
    sleeper = await case.place.hire(FIRST, TEMPORAL_ADDRESS=cable.address)
    await case.place.hire(SECOND)
    await case.start()
    opening = await case.opening()
    await polls(case, sleeper, RESPONSE, "remediate/isolate")
    sleeper.freeze()
    delivery = asyncio.create_task(cable.delivers())
    assert await case.signal(case.sign(opening))
    await delivery
    await case.until_task(RESPONSE, "remediate/isolate", taken=True)
    cable.cut()
    return sleeper


async def woken(case: Case, cable: Cable, sleeper: Hand) -> None:
    """Wake the sleeper on a slow line, and wait until it has done what it had in hand, or has let it be."""
    before = len(await isolations(case))
    cable.delay = LAG
    sleeper.thaw()

    async def over() -> bool:
        again = (await isolations(case))[before:]
        let_be = sleeper.said("Completing activity as failed") or sleeper.said("what is halted cannot be read")
        return "answered" in again or let_be

    await until(over, f"{sleeper.name} is through with what it had in hand")


async def isolations(case: Case) -> list[str]:
    return [call["outcome"] for call in await case.place.company.attempts(case.id) if call["tool"] == "isolate_host"]


async def wakes_with_the_action_done(grounds: Grounds, known: Played) -> Played:
    """The sleeper wakes when another has done the action, and the mission has ended."""
    async with case_at(grounds) as case, Cable(case.place.server.address) as cable:
        sleeper = await frozen_with_isolation(case, cable)
        await case.place.hire(RESPONSE)
        await case.end()
        await woken(case, cable, sleeper)
        return await close(case)


async def wakes_with_the_task_done(grounds: Grounds, known: Played) -> Played:
    """The sleeper has the mission's own task in hand, the one that rules on the decision; another took over."""
    async with case_at(grounds) as case:
        sleeper = await case.place.hire()
        await case.start()
        opening = await case.opening()
        sleeper.freeze()
        assert await case.signal(case.sign(opening))
        await case.until_task("gonogo", taken=True)
        await case.place.hire()
        await case.until_settled("gonogo")
        sleeper.thaw()
        return await close(case)


async def wakes_after_all_was_undone(grounds: Grounds) -> Account:
    """Others tried in vain what the sleeper has in hand, and the mission failed; then the sleeper wakes."""
    async with case_at(grounds) as case, Cable(case.place.server.address) as cable:
        sleeper = await frozen_with_isolation(case, cable)
        await case.place.company.break_tool("isolate_host", "fail")
        await case.place.hire(RESPONSE)
        await case.end()
        await case.place.company.mend()
        await woken(case, cable, sleeper)
        return await case.audit()


@scenes(Scene(wakes_with_the_action_done, after=(REMEDIATED,)))
async def test_an_action_that_another_worker_did_meanwhile_is_not_done_again(scene, known):
    played = await scene

    assert [] == played.account.breaches, played.account
    assert known.ending == played.ending, played.account
    assert {"answered"} == set(played.account.calls("isolate_host"))


@scenes(Scene(wakes_with_the_task_done, after=(REMEDIATED,)))
async def test_a_decision_that_another_worker_ruled_on_meanwhile_counts_once(scene, known):
    played = await scene

    assert [] == played.account.breaches, played.account
    assert known.ending == played.ending, played.account


@scenes(Scene(wakes_after_all_was_undone))
async def test_what_a_worker_had_in_hand_when_the_mission_was_undone_is_not_done_any_more(scene):
    account = await scene

    assert [] == account.breaches, account
    assert "failed" == account.ledgers.told.state
