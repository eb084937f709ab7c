"""A worker is killed in the middle of a model's call: nothing that was answered is asked again, and all is counted."""

from typing import Any

from activities.books.database import Database
from activities.books.tables import runs
from contracts.view import MissionView
from runtime.settings import Settings
from tests.model_server import Asked, ModelServer, Reply, by_schema, instance, model_serving
from tests.system.case import Case, case_at
from tests.system.ground import Grounds
from tests.system.hands import until
from tests.system.theatre import Scene, scenes

SPAN = {"since": "2026-01-01T00:00:00Z", "until": "2026-01-02T00:00:00Z"}
LOOK = Reply(calls=(("related_events", {"host": "fin-ws-14", **SPAN}),))


def weighing(asked: Asked) -> bool:
    return "evidence" in asked.schema().get("properties", {})


def second_call_hangs(models: ModelServer) -> Any:
    """Play all agents by their schemas; the one that weighs evidence looks around first, and then hangs once."""

    def answer(asked: Asked) -> Reply:
        if not weighing(asked):
            return by_schema(asked)
        times = sum(weighing(one) for one in models.asked)
        sure = {**instance(asked.schema()), "verdict": "dismiss", "confidence": 0.9}
        return LOOK if times == 1 else Reply(answer=sure, waits=times == 2)

    return answer


async def killed_in_a_call(grounds: Grounds) -> tuple[MissionView, list[Asked], list[Any]]:
    async with model_serving() as models, case_at(grounds) as case:
        models.otherwise = second_call_hangs(models)
        environ = {"GONOGO_MODEL": "any", "GONOGO_MODEL_URL": models.url}
        worker = await case.place.hire(**environ)
        await case.start()
        await until(lambda: noted(case), "the heartbeat tells of the second call")
        await worker.kill()
        await case.place.hire(**environ)
        await case.end()
        return await case.view(), models.asked, await lines(case)


async def lines(case: Case) -> list[Any]:
    """Return what the books say of the attempts to weigh evidence."""
    database = Database(Settings(workspace=case.place.workspace, home=case.place.home).books())
    mine = runs.select().where(runs.c.mission == case.id, runs.c.step == "correlate").order_by(runs.c.attempt)
    async with database.reading() as connection:
        found = list((await connection.execute(mine)).mappings().all())
    await database.close()
    return found


async def noted(case: Case) -> bool:
    """Whether the server knows of a call that is under way after one that was answered."""
    found = (await case._describe()).raw_description.pending_activities
    for pending in (one for one in found if one.heartbeat_details.payloads):
        for details in await case.client.data_converter.decode(pending.heartbeat_details.payloads):
            tally = details.get("tally", {})
            if tally.get("by_model") and tally.get("pending"):
                return True
    return False


@scenes(Scene(killed_in_a_call))
async def test_a_crash_in_the_middle_of_a_call_of_a_model(scene):
    view, asked, (died, done) = await scene

    weighed = [one for one in asked if weighing(one)]
    [record] = [record for record in view.records if record.path == "correlate"]
    assert ("completed", "dismiss") == (view.state, view.verdict)
    assert [3, 3] == [len(weighed), record.usage.model_calls]
    assert weighed[1].body["messages"] == weighed[2].body["messages"]
    assert record.usage.tokens > sum(len(one.said()) for one in weighed[1:2])
    # What the attempt that died has spent is counted at the most, and what the other spent is on its own bill.
    assert ["lost", "spent"] == [died["state"], done["state"]]
    assert died["tokens"] + done["tokens"] >= record.usage.tokens > done["tokens"] > 0
