"""Missions whose histories are encrypted: they go as others do, and what comes in the clear changes nothing."""

import asyncio
import json
from datetime import timedelta

import pytest
import yaml
from temporalio import activity
from temporalio.api.common.v1 import Payload
from temporalio.api.workflowservice.v1 import (
    RespondActivityTaskCompletedByIdRequest,
    RespondActivityTaskFailedByIdRequest,
)
from temporalio.client import Client, WorkflowFailureError
from temporalio.exceptions import ApplicationError
from temporalio.worker import Replayer

from activities.mission_payloads import converter
from activities.payload_keys import Keys, rotate
from contracts.decision import DECIDE
from contracts.event import EVENT
from contracts.observation import Observation
from contracts.plan import Limits
from runtime.in_the_clear import standing_still
from runtime.payloads import CLEAR, data_converter
from starter.chronicle import chronicle
from starter.state import live_observations
from tests.interpreter.fakes import plan_of
from tests.payloads import DATA_CONVERTER, PLACE_OF_ALL
from tests.sealed import sealed, sealed_client
from tests.workflows.house import Activities, house
from tests.workflows.test_continue import chain
from tests.workflows.test_mission import agent, isolate
from workflows.halts import Halts
from workflows.locks import Locks
from workflows.mission import Mission
from workflows.runner import runner

SECRET = "canary-2b9e"
PATIENCE = 60


@pytest.fixture(scope="module")
def keys(tmp_path_factory):
    return tmp_path_factory.mktemp("keys")


@pytest.fixture(scope="module")
def seal(keys):
    return sealed(keys)


@pytest.fixture(scope="module")
async def encrypted(server, seal):
    return await sealed_client(server.address, seal)


async def replays(client, handle):
    """Replay every run, and return what the server keeps of them."""
    replayer = Replayer(
        workflows=[Mission, Locks, Halts], workflow_runner=runner(),
        data_converter=client.data_converter, namespace=client.namespace,
    )  # fmt: skip
    kept = b""
    for run in await chain(client, handle):
        history = await run.fetch_history()
        await replayer.replay_workflow(history)
        kept += b"".join(event.SerializeToString() for event in history.events)
    return kept


async def test_a_mission_goes_its_whole_way_and_the_server_reads_nothing(encrypted, home):
    said = {"text": SECRET * 3_000, "confidence": 0.9}
    steps = [
        agent("one", output="a"),
        isolate(approval={"approvers": ["lead"], "context": ["a"], "timeout": "30m", "on_timeout": "refuse"}),
        {"kind": "wait", "step": "hold", "wait": {"event": "go", "key": "k"}, "timeout": "1h"},
        agent("two", context=["a"], output="b"),
    ]
    async with house(encrypted, home, Activities(agents={"ann": said})) as h:
        started = await h.start(steps, Limits(by_reference=True, events_per_run=16), {"host": SECRET})
        opening = await started.until()
        assert (await started.decide(opening, "lea", comment=SECRET)).accepted
        await started.handle.signal(EVENT, {"event": "go", "key": "k", "payload": {"word": SECRET}})
        result = await started.result()
        kept = await replays(encrypted, started.handle)
        told = json.dumps([entry.model_dump(mode="json") for entry in await chronicle(encrypted, started.handle.id)])

    assert ("completed", True) == (result.state, len(await chain(encrypted, started.handle)) > 1)
    assert [("isolate", {"host": "web-01"})] == [(tool, arguments) for tool, _, arguments in h.activities.world]
    assert (False, False) == (SECRET.encode() in kept, b"web-01" in kept)
    assert ("action executed" in told, "decision" in told) == (True, True)


async def test_failures_and_heartbeats_are_encrypted_and_read_by_whoever_has_the_keys(encrypted, home):
    going = asyncio.Event()

    async def notices(call):
        seen = Observation(number=1, at=activity.info().started_time, text=SECRET, source="siem")
        while not going.is_set():
            activity.heartbeat({"observations": [seen.model_dump(mode="json")]})
            await asyncio.sleep(0.05)
        raise ApplicationError(f"no {SECRET}", {"applied": "no"}, type="refused", non_retryable=True)

    options = {"max_heartbeat_throttle_interval": timedelta(milliseconds=50)}
    async with house(encrypted, home, Activities(agents={"ann": notices}), **options) as h:
        started = await h.start([agent("one")])
        async with asyncio.timeout(PATIENCE):
            while not (pending := (await started.handle.describe()).raw_description.pending_activities) or not (
                live := await live_observations(encrypted, started.handle.id, pending)
            ):
                await asyncio.sleep(0.05)
        beats = b"".join(one.SerializeToString() for one in pending)
        going.set()
        with pytest.raises(WorkflowFailureError) as failed:
            await started.result()
        kept = await replays(encrypted, started.handle)

    assert [SECRET] == [noticed.text for _, noticed in live]
    assert SECRET in str(failed.value.cause)
    assert SECRET.encode() not in beats + kept


async def test_children_and_locks_hear_their_missions(encrypted, home):
    child = plan_of([agent("inner", output="x")], mission="little")
    call = {"kind": "mission", "step": "call", "mission": "little", "accept": ["done"], "on_parent_close": "undo"}
    async with house(encrypted, home) as h:
        started = await h.start([{**agent("one"), "locks": ["l"]}, call], missions={"little": child})
        result = await started.result()
        kept = await replays(encrypted, started.handle)

    assert "completed" == result.state
    assert b"inner" not in kept


async def test_what_comes_in_the_clear_is_refused_and_recorded_and_the_gate_stays(encrypted, client, home):
    async with house(encrypted, home) as h:
        started, other = await h.start([isolate()]), await h.start([isolate()])
        opening = await started.until()
        token = started.token(opening, "lea")
        plain = client.get_workflow_handle(started.handle.id)
        reference = Payload(
            metadata={"encoding": b"json/protobuf", "messageType": b"temporal.api.sdk.v1.ExternalStorageReference"},
            data=b'{"driverName":"gonogo.content","claimData":{"digest":"sha256:' + b"0" * 64 + b'"}}',
        )
        [transplanted] = await converter(encrypted, other.handle.id).encode([token])
        await plain.signal(DECIDE, token)
        await plain.signal(EVENT, {"event": "go"})
        await plain.signal("hurry", args=[1, 2])
        await raw_signal(client, started.handle.id, transplanted)
        await raw_signal(client, started.handle.id, reference)
        view = await started.seen(lambda view: len(view.refusals) == 5)
        standing = await started.gates()
        accepted = await started.decide(opening, "lea")
        await replays(encrypted, started.handle)
        await other.handle.terminate()

    said = [refusal.reason for refusal in view.refusals]
    assert (opening,) == standing
    assert accepted.accepted
    assert any("compact JWS; what came is refused: it is not encrypted" in one for one in said)
    assert any("an event is one JSON object" in one for one in said)
    assert any("it was encrypted for something else" in one for one in said)
    assert [("isolate", {"host": "web-01"})] == [(tool, arguments) for tool, _, arguments in h.activities.world]


async def raw_signal(client, mission, payload):
    from temporalio.api.common.v1 import Payloads, WorkflowExecution
    from temporalio.api.workflowservice.v1 import SignalWorkflowExecutionRequest

    await client.workflow_service.signal_workflow_execution(
        SignalWorkflowExecutionRequest(
            namespace=client.namespace, workflow_execution=WorkflowExecution(workflow_id=mission),
            signal_name=DECIDE, input=Payloads(payloads=[payload]),
        )
    )  # fmt: skip


@pytest.mark.parametrize("how", ["answered", "failed"])
async def test_an_answer_that_somebody_else_gives_for_an_agent_is_a_failure_and_freezes_nothing(
    encrypted, client, home, how
):
    never = asyncio.Event()

    async def held(call):
        await never.wait()

    async with house(encrypted, home, Activities(agents={"ann": held})) as h:
        started = await h.start([agent("one", output="a")])
        name = {"namespace": client.namespace, "workflow_id": started.handle.id, "activity_id": "one"}
        async with asyncio.timeout(PATIENCE):
            while not h.activities.asked:
                await asyncio.sleep(0.02)
        if how == "answered":
            answer = RespondActivityTaskCompletedByIdRequest(**name)
            [payload] = DATA_CONVERTER.payload_converter.to_payloads([{"output": {"n": 1}}])
            answer.result.payloads.append(payload)
            await client.workflow_service.respond_activity_task_completed_by_id(answer)
        else:
            forged = RespondActivityTaskFailedByIdRequest(**name)
            forged.failure.message = "nothing was done"
            forged.failure.application_failure_info.type = "unavailable"
            forged.failure.application_failure_info.non_retryable = True
            await client.workflow_service.respond_activity_task_failed_by_id(forged)
        with pytest.raises(WorkflowFailureError) as failed:
            await started.result()
        view = await started.state()
        await replays(encrypted, started.handle)
        never.set()

    assert "refused" == failed.value.cause.type
    assert "refused" in view.records[0].failure.cause


async def test_a_mission_that_was_begun_in_the_clear_fails_at_once(encrypted, client, home):
    async with house(encrypted, home) as h:
        h.client = client
        started = await h.start([agent("one")])
        with pytest.raises(WorkflowFailureError) as failed:
            await encrypted.get_workflow_handle(started.handle.id).result()

    assert "the input is no frozen plan: what came is refused: it is not encrypted" in str(failed.value.cause)
    assert [] == h.activities.asked


async def test_a_mission_in_the_clear_stands_still_while_there_are_keys_and_goes_on_without_them(
    server, client, home, tmp_path
):
    async with house(client, home, leaves=True) as h:
        started = await h.start([isolate(), agent("one")])
        opening = await started.until()
        token = started.token(opening, "lea")
    file = tmp_path / "payload_keys.yaml"
    keys = await sealed_client(server.address, sealed(tmp_path))
    since = yaml.safe_load(file.read_text())["since"]
    later = (await started.handle.describe()).start_time + timedelta(milliseconds=1)
    file.write_text(file.read_text().replace(since, later.isoformat()))
    async with house(keys, home, h.activities, h.queue, leaves=True):
        await started.handle.signal(DECIDE, token)
        async with asyncio.timeout(PATIENCE):
            while not await refusals(started.handle):
                await asyncio.sleep(0.05)
        async with asyncio.timeout(PATIENCE):
            while started.handle.id not in (told := await standing_still(keys, file)):
                await asyncio.sleep(0.05)
    async with house(client, home, h.activities, h.queue):
        assert "completed" == (await started.result()).state

    assert " that began in the clear before " in told
    rotate(file)
    assert later == Keys(file).since()
    file.write_text(file.read_text().replace(f'"since": "{later.isoformat()}"\n', ""))
    assert Keys(file).since() is None
    assert "" == await standing_still(keys, file)


async def refusals(handle):
    """Return how many tasks of a mission failed."""
    return sum(
        event.HasField("workflow_task_failed_event_attributes") for event in (await handle.fetch_history()).events
    )


async def test_keys_change_while_missions_run_and_a_lost_key_stops_them_until_it_is_back(server, home, tmp_path):
    seal = sealed(tmp_path)
    file = tmp_path / "payload_keys.yaml"
    mine = await sealed_client(server.address, seal)
    async with house(mine, home) as h:
        started = await h.start([isolate(), agent("one")])
        opening = await started.until()
        before = file.read_bytes()
        rotate(file)
        assert (await started.decide(opening, "lea")).accepted
        assert "completed" == (await started.result()).state
        await replays(mine, started.handle)

        stopped = await h.start([isolate(), agent("one")])
        opening = await stopped.until()
        token = stopped.token(opening, "lea")
        both = file.read_bytes()
        await stopped.handle.signal(DECIDE, token)
        assert "completed" == (await stopped.result()).state
        history = await stopped.handle.fetch_history()
    replayer = Replayer(
        workflows=[Mission], workflow_runner=runner(), data_converter=mine.data_converter, namespace="default"
    )
    file.write_bytes(before)
    lost = await replayer.replay_workflow(history, raise_on_replay_failure=False)
    file.write_bytes(both)
    found = await replayer.replay_workflow(history, raise_on_replay_failure=False)

    assert lost.replay_failure is not None
    assert found.replay_failure is None


async def test_whoever_has_no_keys_reads_and_starts_nothing(encrypted, server, home):
    nobody = await Client.connect(server.address, data_converter=data_converter(PLACE_OF_ALL, CLEAR))
    async with house(encrypted, home) as h:
        started = await h.start([isolate()])
        await started.until()
        entries = await chronicle(nobody, started.handle.id)
        await started.handle.terminate()

    assert "started without a frozen plan" == entries[0].what
