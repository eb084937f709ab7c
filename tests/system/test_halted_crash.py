"""What is halted stays halted when every worker is killed, and goes on once, when it is lifted."""

from types import SimpleNamespace
from typing import Any

from contracts.halt import HALTS, HaltNote
from contracts.workspace import MISSION_QUEUE
from tests.system.case import Case, case_at
from tests.system.ground import Grounds
from tests.system.hands import until
from tests.system.stories import REMEDIATED, Played, approved, close
from tests.system.theatre import Scene, scenes
from tests.workflows.switch import Switch


async def killed_while_halted(grounds: Grounds, known: Played) -> Played:
    """Two workers are killed while the isolation waits; two others find it halted still."""
    async with case_at(grounds) as case:
        place: Any = SimpleNamespace(client=case.client, home=case.place.home, queue=MISSION_QUEUE)
        switch = Switch(place, HALTS)
        workers = [await case.place.hire() for _ in range(2)]
        assert (await switch.throw("halt", "tool:isolate_host", "viktor")).accepted
        await approved(case)
        await until(lambda: halted(case), "the isolation waits")
        for worker in workers:
            await worker.kill()
        for _ in workers:
            await case.place.hire()
        await until(lambda: halted(case), "the isolation waits still")
        assert [] == await case.place.company.effects(case.id)
        assert (await switch.throw("lift", "tool:isolate_host", "viktor")).accepted
        return await close(case)


async def halted(case: Case) -> list[HaltNote]:
    notes = [record.halted for record in (await case.view()).records]
    return [note for note in notes if note is not None and note.state == "waiting"]


@scenes(Scene(killed_while_halted, after=(REMEDIATED,)))
async def test_a_halt_outlasts_every_worker_and_what_waited_is_done_once(scene, known):
    played = await scene

    assert [] == played.account.breaches, played.account
    assert known.ending == played.ending, played.account
    assert ["answered"] == played.account.calls("isolate_host")
