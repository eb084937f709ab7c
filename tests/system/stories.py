"""What befalls a mission in more than one test: an undisturbed run, and the two fates that it is given."""

from dataclasses import dataclass
from typing import Any

from tests.system.case import Account, Case, case_at, ending
from tests.system.ground import Grounds
from tests.system.theatre import Scene
from tests.system.walk import Stop, way_of


@dataclass(frozen=True)
class Played:
    """How a mission went, how it ended, what the books say, and at which boundaries it stood."""

    way: list[Stop]
    ending: dict[str, Any]
    account: Account
    reached: tuple[str, ...] = ()


async def undisturbed(grounds: Grounds, fate: str) -> Played:
    """Run the mission with one worker that nobody kills."""
    async with case_at(grounds, split=True) as case:
        await seal(case, fate)
        await case.place.hire()
        await approved(case)
        return await close(case)


async def seal(case: Case, fate: str) -> None:
    """Where tickets cannot be read there is no report, and the mission is undone: ticket closed, host released."""
    if fate == "undone":
        await case.place.company.break_tool("find_tickets", "fail")


async def approved(case: Case) -> None:
    """Start a mission, wait for its gate, and approve by a signal."""
    await case.start()
    assert await case.signal(case.sign(await case.opening()))


async def close(case: Case, reached: tuple[str, ...] = ()) -> Played:
    """Wait for the end and close the books. Needs a worker."""
    await case.end()
    account = await case.audit()
    return Played(way_of(account.histories[0]), await ending(case), account, reached)


REMEDIATED = Scene(undisturbed, ("auto_remediate",))
UNDONE = Scene(undisturbed, ("undone",))
KNOWN = {"auto_remediate": REMEDIATED, "undone": UNDONE}
