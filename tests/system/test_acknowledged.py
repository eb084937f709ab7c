"""What a sender was told is so, whoever is killed a moment later: in the history once, and taking effect once."""

import asyncio
import random

from tests.system.case import Account, Case, case_at
from tests.system.ground import Grounds
from tests.system.hands import until
from tests.system.theatre import Scene, scenes

FLOOD = 24
FOREVER = 300.0
STRANGER = "yuki"
"""Has a key and may not decide here: each of her decisions is to end as a recorded refusal."""


async def all_die(case: Case) -> None:
    """Kill server and workers at once, the server first, and start them again."""
    case.place.server.kill()
    await asyncio.gather(*(hand.kill() for hand in case.place.hands))
    await case.place.server.start()
    await case.place.hire()


async def signal_then_death(grounds: Grounds) -> Account:
    """Nobody works when the signal is acknowledged, and the server dies at once."""
    async with case_at(grounds, own_server=True) as case:
        worker = await case.place.hire()
        await case.start()
        signed = case.sign(await case.opening())
        await worker.kill()
        assert await case.signal(signed)
        await all_die(case)
        await case.end()
        return await case.audit()


async def receipt_then_death(grounds: Grounds) -> Account:
    """The sender has the receipt, and everybody dies at once. The same decision, sent again, is refused."""
    async with case_at(grounds, own_server=True) as case:
        # However late the receipt is read, the mission has not ended by then.
        await case.place.company.break_tool("isolate_host", "slow", times=1, seconds=FOREVER)
        await case.place.hire()
        await case.start()
        signed = case.sign(await case.opening())
        receipt = await case.decide(signed)
        assert receipt is not None
        assert receipt.accepted, receipt
        case.place.server.kill()
        await asyncio.gather(*(hand.kill() for hand in case.place.hands))
        await case.place.server.start()
        # A server that has only just started may let the first call wait for too long.
        await until(lambda: case.signal(signed), "the decision is sent again")
        await case.place.hire()
        await case.end()
        return await case.audit()


async def flood_and_death(grounds: Grounds, seed: int) -> Account:
    """Decisions pour in while server and worker are killed; some wait for receipts, what is unsure is sent again."""
    dice = random.Random(seed)
    async with case_at(grounds, own_server=True) as case:
        await case.place.hire()
        await case.start()
        opening = await case.opening()
        strangers = [case.sign(opening, STRANGER) for _ in range(FLOOD)]
        sending = [asyncio.create_task(_later(case, signed, dice)) for signed in strangers]
        await asyncio.wait(sending, return_when=asyncio.FIRST_COMPLETED)
        await asyncio.sleep(dice.random() * 0.2)
        await all_die(case)
        await asyncio.gather(*sending)
        for jti in [sent.jti for sent in case.sent if sent.heard == "unknown"]:
            assert await case.signal(next(signed for signed in strangers if signed[0] == jti))
        assert await case.signal(case.sign(opening))
        await case.end()
        return await case.audit()


async def _later(case: Case, signed: tuple[str, str], dice: random.Random) -> None:
    waits = dice.random() < 0.5
    await asyncio.sleep(dice.random() * 0.4)
    await (case.decide(signed) if waits else case.signal(signed))


@scenes(Scene(signal_then_death))
async def test_an_acknowledged_signal_outlives_the_server(scene):
    account = await scene

    assert [] == account.breaches, account
    assert ["acknowledged"] == [sent.heard for sent in account.ledgers.client]
    assert ["isolate_host", "open_ticket"] == account.done()


@scenes(Scene(receipt_then_death))
async def test_a_decision_with_a_receipt_outlives_server_and_worker_and_counts_once(scene):
    account = await scene

    assert [] == account.breaches, account
    first, *again = [ruling.accepted for _, ruling in account.ledgers.told.rulings]
    assert (True, {False}) == (first, set(again))
    assert ["isolate_host", "open_ticket"] == account.done()


@scenes(*(Scene(flood_and_death, (seed,)) for seed in (1, 2)))
async def test_in_a_flood_nothing_acknowledged_is_lost_and_nothing_counts_twice(scene, request):
    account = await scene
    seed = request.node.callspec.id
    refused = {ruling.jti for _, ruling in account.ledgers.told.rulings if not ruling.accepted}

    assert [] == account.breaches, f"seed {seed}: {account}"
    assert {sent.jti for sent in account.ledgers.client[:FLOOD]} <= refused, f"seed {seed}: {account}"
    assert ["isolate_host", "open_ticket"] == account.done(), f"seed {seed}: {account}"
