"""A mission that fails is undone whoever dies meanwhile: each effect once, the last first, and none forgotten."""

from tests.system.case import Account, case_at
from tests.system.ground import Grounds
from tests.system.stories import approved
from tests.system.theatre import Scene, scenes

FOREVER = 300.0


async def dies_while_undoing(grounds: Grounds, victim: str) -> Account:
    """No ticket can be filed; whoever releases the host is killed once the host is free, and before anybody knows."""
    async with case_at(grounds, own_server=victim == "server") as case:
        place = case.place
        await place.company.break_tool("open_ticket", "fail")
        await place.company.break_tool("release_host", "act_then_slow", times=1, seconds=FOREVER)
        worker = await place.hire()
        await approved(case)
        await place.company.did(case.id, "release_host")
        if victim == "server":
            place.server.kill()
        await worker.kill()
        if victim == "server":
            await place.server.start()
        await place.hire()
        await case.end()
        return await case.audit()


@scenes(Scene(dies_while_undoing, ("worker",)), Scene(dies_while_undoing, ("server",)))
async def test_the_host_is_released_once_when_the_ticket_cannot_be_filed(scene):
    account = await scene

    assert [] == account.breaches, account
    assert "failed" == account.ledgers.told.state
    assert ["isolate_host", "release_host"] == account.done()
    assert ["received", "answered"] == account.calls("release_host")
    assert ["failed"] * 4 == account.calls("open_ticket")


async def done_then_down(grounds: Grounds) -> Account:
    """The host is isolated, the report of it dies with the worker, and every later attempt fails before it acts."""
    async with case_at(grounds) as case:
        company = case.place.company
        await company.break_tool("isolate_host", "act_then_slow", times=1, seconds=FOREVER)
        worker = await case.place.hire()
        await approved(case)
        await company.did(case.id, "isolate_host")
        await worker.kill()
        await company.break_tool("isolate_host", "fail")
        await case.place.hire()
        await case.end()
        return await case.audit()


@scenes(Scene(done_then_down))
async def test_an_effect_that_one_attempt_may_have_had_is_undone_though_the_last_had_none(scene):
    account = await scene

    assert [] == account.breaches, account
    assert "failed" == account.ledgers.told.state
    assert ["isolate_host", "release_host"] == account.done()
    assert ["received", "failed", "failed"] == account.calls("isolate_host")
