"""The world was changed, and the report of it dies with whoever should have carried it: it happens once."""

from tests.system.case import Case, case_at
from tests.system.ground import Grounds
from tests.system.stories import KNOWN, Played, approved, close, seal
from tests.system.theatre import Scene, scenes

FATES = {
    "isolate_host": "auto_remediate",
    "open_ticket": "auto_remediate",
    "close_ticket": "undone",
    "release_host": "undone",
}
FOREVER, A_WHILE = 300.0, 1.5
"""Seconds that the company keeps its answer back: until somebody is dead, or has time to die and come back."""


async def dies_after(grounds: Grounds, known: Played, tool: str, victim: str) -> Played:
    """Let the tool act and hold its answer back; kill the victim in between; let life go on."""
    async with case_at(grounds, own_server="server" in victim) as case:
        await seal(case, FATES[tool])
        company = case.place.company
        match victim:
            case "company":
                await company.break_tool(tool, "act_then_crash", times=1)
            case "server":
                await company.break_tool(tool, "act_then_slow", times=1, seconds=A_WHILE)
            case _:
                await company.break_tool(tool, "act_then_slow", times=1, seconds=FOREVER)
        worker = await case.place.hire()
        await approved(case)
        if victim == "company":
            await case.place.rebuild_company()
        else:
            await company.did(case.id, tool)
            await strike(case, tool, victim)
        if not worker.alive():
            await case.place.hire()
        return await close(case)


async def strike(case: Case, tool: str, victim: str) -> None:
    """Kill with -9: the server first, for it must not hear of the worker's death."""
    if "server" in victim:
        case.place.server.kill()
    if "worker" in victim:
        await case.place.hands[-1].kill()
    else:
        # The worker has its answer, and nobody to tell it to.
        await case.place.company.called(case.id, tool)
    if "server" in victim:
        await case.place.server.start()


def deaths(victim: str, *tools: str) -> list[Scene]:
    return [Scene(dies_after, (tool, victim), after=(KNOWN[FATES[tool]],)) for tool in tools]


@scenes(*deaths("worker", *FATES), *deaths("worker and server", "isolate_host", "release_host"))
async def test_a_worker_that_dies_before_its_report_is_followed_by_one_that_asks_again(scene, known, request):
    played = await scene
    tool, _ = request.node.callspec.params["scene"].arguments

    assert [] == played.account.breaches, played.account
    assert known.ending == played.ending, played.account
    assert ["received", "answered"] == played.account.calls(tool), played.account


@scenes(*deaths("server", "isolate_host", "release_host"))
async def test_a_server_that_dies_before_the_report_hears_it_when_it_is_back(scene, known):
    played = await scene

    assert [] == played.account.breaches, played.account
    assert known.ending == played.ending, played.account


@scenes(*deaths("company", "isolate_host"))
async def test_a_company_that_dies_before_its_answer_is_asked_again(scene, known):
    played = await scene

    assert [] == played.account.breaches, played.account
    assert known.ending == played.ending, played.account
    assert ["received", "answered"] == played.account.calls("isolate_host"), played.account
