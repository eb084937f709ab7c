"""One secret for each channel, said by a mission that says all it knows, in the clear: each is found where it is kept.

That shows that they are looked for in the right places. With keys none is found: `tests/missions/test_canary_sweep.py`,
where the same mission runs beside the shipped ones.
"""

import asyncio
import re
from datetime import UTC, datetime

import pytest
from google.protobuf.json_format import MessageToJson
from temporalio.client import Client

from activities import keys, service_keys
from activities.books.archive import Archive
from activities.books.database import Database
from activities.books.position import Outbox
from activities.publisher import Publisher
from activities.sinks import sinks
from contracts.audit import AuditEntry
from contracts.sink import EventsFile
from language.sensitive import HIDDEN
from runtime.payloads import data_converter, sealing
from runtime.settings import Settings
from starter.recorder import Recorder
from starter.server import DevServer
from starter.unsaid import Unsaid
from tests.activities.newsroom import chain
from tests.activities.service import HERE
from tests.canaries.ground import (
    MEASURED,
    MISSION,
    PATIENCE,
    WORD,
    WORKSPACE,
    Collector,
    begin_all,
    called,
    collecting,
    end_all,
    serving,
)
from tests.canaries.search import found

CARRIED = re.compile(r'"(baggage|tracestate|traceparent)"')
IN_THE_CLEAR = {
    "temporal.db": {
        "input", "code", "task", "observation", "source", "artifact-name", "output", "exception", "comment", "event",
        "signal", "halt", "cancel-reason", "map-key", "breaker", "prompt", "model-thought", "tool-answer",
        "model-answer",
    },
    "home/gonogo.db": {"output", "model-answer", "breaker", "map-key"},
    "home/payloads": {"large", "artifact-content"},
    "worker.log": {"exception", "cause", "stack-trace", "log", "activity-log"},
    "/v1/metrics": {"metric"},
    MEASURED: {"sdk-metric"},
    "/v1/traces": {"exception", "span", "attribute", "span-event", "map-key", "breaker"},
}  # fmt: skip
"""Where a secret of a mission in the clear is found, at the least."""
ITEM = AuditEntry(
    at=datetime.now(UTC), run_id="r", event_id=1, what="event received", step=f"each[{WORD}]/look",
    detail={"id": WORD, "event": "go"},
)  # fmt: skip
NOWHERE = {"query", "update", "credential"}
"""What is kept by nobody: questions, and credentials, which are taken out."""


@pytest.mark.slow
async def test_in_the_clear_each_secret_is_found_where_it_is_kept(tmp_path):
    home = tmp_path / "home"
    keys.create(home, "lea", ("lead",))
    settings = Settings.read({"GONOGO_HOME": str(home), "GONOGO_WORKSPACE": str(WORKSPACE)}, tmp_path)
    with collecting() as collector:
        async with (
            called() as others,
            DevServer(tmp_path / "server.log", database=tmp_path / "temporal.db") as server,
        ):
            converter = data_converter(settings.contents(), sealing(settings.payload_keys))
            client = await Client.connect(server.address, data_converter=converter)
            environ = {"TEMPORAL_ADDRESS": server.address, **others}
            async with serving(tmp_path, WORKSPACE, collector, **environ):
                await begin_all(client, settings)
                await end_all(client, settings)
                history = await client.get_workflow_handle(MISSION).fetch_history()
                await publish(client, settings, collector)
                gone = await Unsaid(client)(chain("nobody"), [ITEM])
        leaks = found(WORD, tmp_path, collector.received)

    carried = {name for event in history.events for name in CARRIED.findall(MessageToJson(event))}
    assert not carried & {"baggage", "tracestate"}
    there = {place: set().union(*(leaks[one] for one in leaks if one.startswith(place))) for place in IN_THE_CLEAR}
    missing = {place: channels - named(channels, there[place]) for place, channels in IN_THE_CLEAR.items()}
    assert not any(missing.values()), (missing, there)
    assert not any(named(NOWHERE, secrets) for secrets in leaks.values()), leaks
    assert {"map-key"} == named({"map-key", "named", "code"}, leaks["/events"])
    assert ("each[*]/look", {"id": HIDDEN, "event": "go"}) == (gone[0].step, gone[0].detail)


async def publish(client: Client, settings: Settings, collector: Collector) -> None:
    """Archive what happened and tell a sink of it, until the whole mission is told."""
    service_keys.make(settings.home, "recorder")
    file = EventsFile.model_validate({"webhooks": {"siem": {"url": f"{collector.url}/events", "secret_env": "KEY"}}})
    found, database = sinks(file, {"KEY": "sixteen bytes or more"}, HERE), Database(settings.books())
    publisher = Publisher(found, Outbox(database), hide=Unsaid(client))
    key = service_keys.private(settings.home, "recorder")
    recorder = Recorder(client, Archive(database), key, publisher=publisher)
    async with asyncio.timeout(PATIENCE):
        while b"each_named" not in collector.received.get("/events", b""):
            assert () == (await recorder.look()).problems
    await publisher.close()
    await database.close()


def named(channels: set[str], secrets: set[str]) -> set[str]:
    """Return the channels whose secrets were found; what is kept beside one may look as if it went on."""
    return {channel for channel in channels if any(one.startswith(channel) for one in secrets)}
