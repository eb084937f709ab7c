"""The recorder and the archive: what is archived is what the histories say, whoever records it and how often."""

import asyncio
import json
import uuid
from dataclasses import replace

import jsonschema_rs
import pytest
from sqlalchemy import text
from stage import given
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.enums.v1 import ResetReapplyType
from temporalio.api.workflowservice.v1 import ResetWorkflowExecutionRequest

from activities import service_keys
from activities.books.archive import Archive
from activities.books.database import Database, Unreadable
from activities.books.position import Outbox
from activities.chain import genesis, links
from activities.outbox import events
from activities.outward import OUTSIDE
from activities.publisher import Publisher
from activities.sinks import sinks
from contracts.published import CloudEvent, schema_of
from contracts.sink import EventsFile
from starter.anchors import FileAnchor, Unanchored, anchor
from starter.launch import launch
from starter.record import Book, read, signed
from starter.recorder import Recorder
from starter.server import DevServer
from starter.state import read_gates
from tests.activities.post_office import receiver
from tests.activities.service import HERE
from tests.sealed import sealed


@pytest.fixture
async def archive(tmp_path, monkeypatch):
    """An archive of this test's own, which the command line uses too."""
    url = f"sqlite+aiosqlite:///{tmp_path / 'books.db'}"
    monkeypatch.setenv("GONOGO_DATABASE", url)
    database = Database(url)
    yield Archive(database)
    await database.close()


@pytest.fixture
def recorder(client, archive, shared_home):
    service_keys.make(shared_home, "recorder")
    return Recorder(client, archive, service_keys.private(shared_home, "recorder"))


async def until(look, seconds=20):
    async with asyncio.timeout(seconds):
        while not (found := await look()):
            await asyncio.sleep(0.05)
    return found


async def ended(recorder, archive, client, mission):
    """Look until the mission's end is archived: what is listed lags behind."""

    async def look():
        news = await recorder.look()
        assert () == tuple(said for said in news.problems if mission in said)
        kept = await archive.kept(client.namespace, mission)
        return kept and await archive.ending(_chain(kept), kept.count)

    return await until(look)


def _chain(kept):
    return genesis(kept.chain)


async def test_what_the_server_forgets_is_read_from_the_archive(
    gonogo, client, recorder, archive, shared_home, tmp_path, monkeypatch
):
    """Over several runs, archived piece by piece by two recorders. Another server stands for one that has forgotten."""
    mission = f"check-{uuid.uuid4().hex[:8]}"
    await launch(client, given(events_per_run=16), mission)
    await until(lambda: read_gates(client, mission))
    other = Recorder(client, archive, service_keys.private(shared_home, "recorder"))
    await until(lambda: _added(recorder, archive, client, mission))
    early = await archive.kept(client.namespace, mission)
    await gonogo("approve", mission, "isolate", "--as", "maya", "--comment", "go")
    await client.get_workflow_handle(mission).result()
    ending = await ended(recorder, archive, client, mission)
    book = await read(client, mission)
    await asyncio.gather(recorder.look(), other.look(), other.look())

    assert 1 < len(book.runs)
    assert early.count < len(book.links) == ending.head.count
    assert list(book.links) == await archive.links(book.chain)
    assert book.head == ending.head

    live = await gonogo("audit", mission, "--json")
    file = tmp_path / "kept.jsonl"
    async with DevServer(tmp_path / "forgetful.log") as forgetful:
        monkeypatch.setenv("TEMPORAL_ADDRESS", forgetful.address)
        kept = await gonogo("audit", mission, "--json", "--reveal")
        exported = await gonogo("audit", mission, "--export", str(file))
        unknown = await gonogo("audit", "nobody")
    verified = await gonogo("audit", "verify", str(file), "--people", str(shared_home / "people.yaml"))

    assert live.json == kept.json
    assert (1, True) == (unknown.code, "no mission 'nobody'" in unknown.err)
    assert f"the server keeps {mission} no longer: this is from the archive" in kept.err
    assert (0, 0) == (exported.code, verified.code), verified.err
    assert b"".join(book.lines(ending.envelope)) == file.read_bytes()


async def _added(recorder, archive, client, mission):
    await recorder.look()
    return await archive.kept(client.namespace, mission)


async def test_a_mission_that_was_terminated_and_reset_is_told_whole(gonogo, client, recorder, archive, waiting):
    """What the run that a reset left behind had done stands in the record, and what went on follows it."""
    handle = client.get_workflow_handle(waiting)
    await handle.terminate("the wrong one")
    first = await ended(recorder, archive, client, waiting)
    task = max(
        event.event_id
        for event in (await handle.fetch_history()).events
        if event.HasField("workflow_task_completed_event_attributes")
    )
    for _ in range(2):
        # The second time from the run that was there first: the run between is named by nobody.
        await client.workflow_service.reset_workflow_execution(
            ResetWorkflowExecutionRequest(
                namespace=client.namespace,
                workflow_execution=WorkflowExecution(workflow_id=waiting, run_id=first.head.runs[-1]),
                reason="it was needed",
                workflow_task_finish_event_id=task,
                request_id=uuid.uuid4().hex,
                reset_reapply_type=ResetReapplyType.RESET_REAPPLY_TYPE_ALL_ELIGIBLE,
            )
        )
        await until(lambda: _added(recorder, archive, client, waiting))
    # A reset mission waits for its operators; another end is enough here.
    await client.get_workflow_handle(waiting).terminate("and that")

    async def again():
        await recorder.look()
        kept = await archive.kept(client.namespace, waiting)
        return await archive.ending(_chain(kept), kept.count) if kept.count > first.head.count else None

    second = await until(again)
    book = await read(client, waiting)
    what = [entry.what for entry in book.entries]

    assert (3, 2, 1) == (len(book.runs), what.count("mission reset"), what.count("mission started"))
    assert 2 == what.count("mission terminated")
    assert ["run left for a reset"] == [one for one in what if one == "run left for a reset"]
    assert first.head.hash == book.links[first.head.count - 1].hash
    assert (second.head.count, list(book.links)) == (len(book.links), await archive.links(book.chain))
    assert {"it was needed"} == {entry.why for entry in book.entries if entry.what == "mission reset"}


async def test_the_archive_is_searched_by_actor_resource_action_and_time(gonogo, recorder, archive, client, waiting):
    await gonogo("approve", waiting, "isolate", "--as", "otto")
    await gonogo("approve", waiting, "isolate", "--as", "maya", "--comment", "go")
    await client.get_workflow_handle(waiting).result()
    await ended(recorder, archive, client, waiting)

    async def found(*options):
        told = await gonogo("audit", "search", *options, "--json")
        return [(one["what"], one["who"]) for one in told.json if one["mission"] == waiting]

    acted = [("action ordered", "isolate_host"), ("action executed", "isolate_host")]
    cost = ("cost counted", "isolate_host")
    assert [("policy allowed", "maya"), ("decision accepted", "maya")] == await found("--actor", "MAYA")
    assert [*acted, cost] == await found("--resource", "web-01")
    assert [] == await found("--resource", "web-02")
    assert acted == await found("--action", "isolate_host")
    assert cost in await found("--action", "cost")
    assert [("decision refused", "otto")] == await found("--action", "decision refused", "--since", "1h")
    assert [] == await found("--since", "2100-01-01")
    assert "maya" in (await gonogo("audit", "search", "--actor", "maya")).out
    assert "web-01" not in {row.resource for row in await _rows(archive)}


async def _rows(archive):
    async with archive._database.reading() as connection:
        return (await connection.execute(text("SELECT resource FROM audit_entries"))).all()


async def test_heads_are_anchored_once_and_a_record_made_anew_is_found(
    gonogo, client, archive, shared_home, waiting, tmp_path
):
    """With the recorder's own key somebody makes a shorter record; the anchor knows of the longer one."""
    service_keys.make(shared_home, "recorder")
    key, place = service_keys.private(shared_home, "recorder"), tmp_path / "anchors.jsonl"
    recorder = Recorder(client, archive, key, (FileAnchor(place),))
    await client.get_workflow_handle(waiting).terminate("enough")
    await ended(recorder, archive, client, waiting)
    for _ in range(2):
        await recorder.look()
    heads = [json.loads(line)["head"] for line in place.read_text().splitlines()]
    file = tmp_path / "record.jsonl"
    await gonogo("audit", waiting, "--export", str(file))
    good = await gonogo("audit", "verify", str(file), "--anchors", str(place))
    book = await read(client, waiting)

    assert [1] == [sum(head["mission"] == waiting for head in heads)]
    assert (0, True) == (good.code, "1 anchor" in good.out), good.err

    for some, entries, said in (
        (book.links[:-1], book.entries[:-1], "an anchor knows of"),
        (*_anew(book), "is not the one that is anchored"),
    ):
        other = replace(book, entries=tuple(entries), links=tuple(some))
        file.write_bytes(b"".join(other.lines(signed(other.head, key))))
        assert 0 == (await gonogo("audit", "verify", str(file))).code
        told = await gonogo("audit", "verify", str(file), "--anchors", str(place))
        assert (1, True) == (told.code, said in told.err), told.err


async def test_heads_are_posted_to_a_host_that_is_allowed_and_to_no_other():
    heads = [{"head": {"count": number}, "envelope": {}} for number in (1, 2)]
    async with receiver(200, 200, 500, 302, 200) as there:
        place = anchor(there.url, HERE)
        await place.add(heads)
        for said in ("it answered 500", "it answered 302"):
            with pytest.raises(Unanchored, match=f"^heads cannot be posted to 127.0.0.1: {said}$"):
                await place.add(heads)
        with pytest.raises(Unanchored, match=r"127\.0\.0\.1 is a loopback address: nothing may be called there unless"):
            await anchor(there.url, OUTSIDE).add(heads)
    with pytest.raises(Unanchored, match=r"it cannot be reached \(ConnectError\)"):
        await place.add(heads)

    assert heads == [json.loads(body) for _, _, body in there.requests[:2]]
    assert 4 == len(there.requests)
    assert there.url == place.place


async def test_the_recorder_posts_heads_where_the_workspace_lets_it_and_says_where_not(
    gonogo, client, archive, recorder, waiting, tmp_path, monkeypatch
):
    monkeypatch.setenv("GONOGO_WORKSPACE", str(tmp_path))
    await client.get_workflow_handle(waiting).terminate("enough")
    await ended(recorder, archive, client, waiting)
    async with receiver() as there:
        refused = await gonogo("record", "--anchor", there.url)
        monkeypatch.setenv("GONOGO_ALLOW_HOSTS", "127.0.0.1")
        taken = await gonogo("record", "--anchor", there.url)

    assert (1, True) == (refused.code, "heads cannot be posted to 127.0.0.1: 127.0.0.1 is a loopback" in refused.err)
    assert 0 == taken.code, taken.err
    assert waiting in {json.loads(body)["head"]["mission"] for _, _, body in there.requests}
    assert "s3cret-path" not in refused.err


def _anew(book):
    entries = [entry.model_copy(update={"who": "nobody"}) for entry in book.entries]
    return links(entries, genesis(book.chain)), entries


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_entries SET who = 'nobody'",
        "DELETE FROM audit_entries",
        "UPDATE audit_heads SET envelope = ''",
        "DELETE FROM audit_chains",
        "UPDATE audit_anchors SET place = ''",
    ],
)
async def test_what_is_archived_cannot_be_changed(archive, recorder, client, waiting, statement):
    await client.get_workflow_handle(waiting).terminate("enough")
    ending = await ended(recorder, archive, client, waiting)
    await archive.anchored([ending.head], "elsewhere")

    with pytest.raises(Unreadable, match="is only added to"):
        async with archive._database.writing() as connection:
            await connection.execute(text(statement))


async def test_replacing_a_row_leaves_it_as_it_was(archive, recorder, client, waiting):
    await _added(recorder, archive, client, waiting)
    before = await until(lambda: archive.kept(client.namespace, waiting))
    async with archive._database.writing() as connection:
        await connection.execute(
            text(
                "INSERT OR REPLACE INTO audit_entries "
                "SELECT chain, seq, 'x', run, at, topic, what, 'nobody', step, resource, '{}' FROM audit_entries"
            )
        )

    assert before == await archive.kept(client.namespace, waiting)


async def test_a_history_that_says_something_else_than_the_archive_is_told(
    archive, recorder, client, shared_home, waiting
):
    """Somebody who reaches the database has put other entries first."""
    book = await read(client, waiting)
    entries = [entry.model_copy(update={"who": "nobody"}) for entry in book.entries]
    lied = Book(book.chain, tuple(entries), tuple(links(entries, genesis(book.chain))))
    await archive.add(lied.chain, lied.entries, lied.links)

    async def told():
        return [said for said in (await recorder.look()).problems if waiting in said]

    assert "says other than what was archived" in (await until(told))[0]


async def test_the_verb_records_once_and_says_how_much(gonogo, archive, shared_home, waiting):
    service_keys.make(shared_home, "recorder")

    async def recorded():
        told = await gonogo("record")
        assert 0 == told.code, told.err
        return not told.out.startswith("0 entries")

    await until(recorded)
    wrong = await gonogo("record", "--every", "soon")

    assert (2, True) == (wrong.code, "'soon' is no span of time" in wrong.err)
    assert await archive.kept("default", waiting)


async def test_what_is_archived_is_told_to_others_in_its_order_and_with_nothing_secret(client, archive, shared_home):
    """Of a mission that was terminated from outside as well, which itself could have told nobody."""
    mission = f"check-{uuid.uuid4().hex[:8]}"
    async with receiver() as office:
        file = EventsFile.model_validate({"webhooks": {"siem": {"url": office.url, "secret_env": "KEY"}}})
        found = sinks(file, {"KEY": "sixteen bytes or more"}, HERE)
        key = service_keys.private(shared_home, "recorder")
        telling = Recorder(client, archive, key, publisher=Publisher(found, Outbox(archive._database)))
        await launch(client, given(), mission)
        await until(lambda: read_gates(client, mission))
        await telling.look()
        await client.get_workflow_handle(mission).terminate("enough")
        await ended(telling, archive, client, mission)
        told = [json.loads(body) for _, _, body in office.requests]

    mine = [one for one in told if one["partitionkey"] == mission]
    book = await read(client, mission)
    assert list(events(book.chain, enumerate(book.entries, 1))) == [CloudEvent.model_validate(one) for one in mine]
    assert ("gonogo.start", "gonogo.end") == (mine[0]["type"], mine[-1]["type"])
    assert "mission terminated" == mine[-1]["data"]["what"]
    for one in mine:
        jsonschema_rs.validator_for(schema_of(one["type"].removeprefix("gonogo."))).validate(one["data"])


async def test_with_keys_nothing_of_an_entry_lies_in_the_clear(client, archive, shared_home, waiting, tmp_path):
    """And who has no keys reads nothing: neither from the archive, nor adds to it what they could not read."""
    hidden = Archive(archive._database, sealed(tmp_path))
    recorder = Recorder(client, hidden, service_keys.private(shared_home, "recorder"))
    kept = await until(lambda: _added(recorder, hidden, client, waiting))
    book = await read(client, waiting)
    async with archive._database.reading() as connection:
        rows = (await connection.execute(text("SELECT * FROM audit_entries"))).all()

    assert list(book.links[: kept.count]) == await hidden.links(book.chain)
    assert [] == [row for row in rows if "beacons" in str(row) or "web-01" in str(row)]
    with pytest.raises(Unreadable, match="cannot be read: it is encrypted, and no keys are here"):
        await archive.links(book.chain)
