"""Receipts of actions that were tried more than once, on a real server: the verb, the record and its check agree."""

import json
from contextlib import suppress
from datetime import timedelta

import pytest
from temporalio import activity
from temporalio.client import WorkflowFailureError

from activities import service_keys
from activities.actions import ActionExecutor
from activities.authority import Authority
from activities.lineage import ServerLineage
from activities.mcp_tools import ToolFailed
from activities.people import Directory
from activities.receipt import Receipts
from contracts.call import EXECUTE_ACTION, ToolCall, ToolResult
from starter.history import lineage
from tests.interpreter.fakes import TOOLS
from tests.policies import OPEN
from tests.workflows import lawful
from tests.workflows.house import Activities, house, populate

RING = {
    "kind": "action",
    "step": "ring",
    "action": "file",
    "compensate": {"tool": "unfile"},
    "retry": {"attempts": 3, "first": timedelta(milliseconds=10)},
}


class Flaky:
    """A tool that loses track so many times, and then acts."""

    def __init__(self, times):
        self.times = times

    async def call(self, name, *_, **__):
        if name == "file" and self.times:
            self.times -= 1
            raise ToolFailed("tool_failed", "it lost track", "unknown")
        return {"ok": True}


class Signing(Activities):
    """Fakes but for the executor, which signs."""

    @activity.defn(name=EXECUTE_ACTION)
    async def execute(self, call: ToolCall) -> ToolResult:
        lawful.commit(call)
        return await self.executor.execute(call)


@pytest.fixture
def signing(client, tmp_path, monkeypatch):
    monkeypatch.setenv("GONOGO_HOME", str(populate(tmp_path)))
    for service in ("executor", "recorder"):
        service_keys.make(tmp_path, service)
    directory, known = Directory(tmp_path / "people.yaml"), ServerLineage(client)
    receipts = Receipts(service_keys.private(tmp_path, "executor"), directory, known)

    def made(times):
        found = Signing()
        authority = Authority(TOOLS, directory, known, policy=OPEN)
        found.executor = ActionExecutor(TOOLS, Flaky(times), authority, receipts=receipts)
        return found

    return made


async def attempts(client, mission):
    """Return how often the server had the step tried."""
    [part] = await lineage(client, mission)
    events = part.history.events
    ordered = {one.event_id for one in events if one.activity_task_scheduled_event_attributes.activity_id == "ring"}
    began = [one.activity_task_started_event_attributes for one in events]
    return [one.attempt for one in began if one.scheduled_event_id in ordered]


@pytest.mark.parametrize(("times", "outcome", "before"), [(0, "executed", 0), (2, "executed", 2), (3, "failed", 2)])
async def test_the_verb_the_record_and_its_check_agree_on_what_was_tried(
    gonogo, client, signing, tmp_path, times, outcome, before
):
    async with house(client, tmp_path, signing(times)) as h:
        started = await h.start([RING])
        with suppress(WorkflowFailureError):
            await started.result()
    mission, file = started.handle.id, tmp_path / "record.jsonl"

    told = await gonogo("receipt", mission, "ring", "--verify")
    [said] = (await gonogo("receipt", mission, "ring", "--verify", "--json")).json
    deed = said["predicate"]
    exported = await gonogo("audit", mission, "--export", str(file))
    verified = await gonogo("audit", "verify", str(file))

    assert (0, 0, 0) == (told.code, exported.code, verified.code), (told.err, verified.err)
    assert (outcome, [before + 1]) == (deed["outcome"], await attempts(client, mission))
    assert [(number, "tool_failed", "unknown") for number in range(1, before + 1)] == [
        (one["attempt"], one["code"], one["applied"]) for one in deed.get("before", ())
    ]
    assert (before > 0) == ("attempt 1 failed at" in told.out)
    assert "left no word" not in told.out
    assert ("    failed  tool_failed; it may have been done" in told.out) == (outcome == "failed")
    receipts = [json.loads(line) for line in file.read_text().splitlines() if '"receipt signed"' in line]
    assert f"{len(receipts)} receipt" in verified.out
    assert (1 if outcome == "executed" else 2) == len(receipts)
