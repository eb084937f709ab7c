"""What was decided lately about the same host is told beside a new question, and never holds it up."""

import asyncio
import time
from datetime import UTC, datetime

import pytest
from stage import wait_at_gate

from contracts.record import Approved, Effect, Record
from contracts.view import MissionState, MissionView
from starter import related
from starter.related import LATELY, MOST, Decided, Related, decided
from starter.state import read_gates

NOW = datetime(2026, 1, 1, tzinfo=UTC)
HOST = (("isolate_host", "host", "web-01"),)


async def shown(gonogo, mission):
    """Return what stands at a mission's gate, in one line."""
    told = await gonogo("show", mission, "isolate")
    return " ".join(told.out.replace("│", " ").split())


async def test_earlier_decisions_on_the_same_host_are_told_with_what_came_of_them(gonogo, client, cast):
    approved, rejected, waits = [await wait_at_gate(client) for _ in range(3)]
    for _ in range(related.LATEST):
        await wait_at_gate(client)
    await gonogo("approve", approved, "isolate", "--as", "maya")
    await gonogo("reject", rejected, "isolate", "--as", "lena", "--comment", "too risky")
    for mission in (approved, rejected):
        await client.get_workflow_handle(mission).result()

    async with asyncio.timeout(20):
        while not {approved, rejected} <= {one.id async for one in client.list_workflows("MissionName IS NOT NULL")}:
            await asyncio.sleep(0.05)
    async with asyncio.timeout(60):
        # Looking back ends in time, and on a busy machine before it has come to these two.
        while rejected not in (lines := await shown(gonogo, waits)) or approved not in lines:
            await asyncio.sleep(0.05)

    assert 'lately isolate_host with host "web-01"' in lines
    assert f"isolate_host approved by maya, done; {approved} at isolate" in lines
    assert f"isolate_host rejected by lena, not run; {rejected} at isolate" in lines


async def test_looking_back_ends_in_time_whatever_the_server_does(client, waiting):
    (gate,) = await read_gates(client, waiting)
    began = time.monotonic()

    found = await related.related(client, gate, HOST, 0.001)

    assert time.monotonic() - began < 1
    assert found is not None
    assert "looked at 0 of" in str(list(found.lines())[-1])


async def test_what_acts_on_nothing_is_related_to_nothing(client, waiting):
    (gate,) = await read_gates(client, waiting)

    assert None is await related.related(client, gate, ())


def action(**more: object) -> Record:
    known = {"path": "isolate", "kind": "action", "status": "succeeded", "actor": "isolate_host", "started_at": NOW}
    return Record(**{**known, **more})  # type: ignore[arg-type]


def view(*records: Record) -> MissionView:
    return MissionView(id="m", name="n", version="1", state=MissionState.COMPLETED, records=records)


SAID = {"approved": True, "decision": "approved", "by": ["maya"], "arguments": {"host": "web-01"}}


def effect(**more: object) -> Effect:
    return Effect(**{"tool": "isolate_host", "arguments": {"host": "web-01"}, "applied": "yes", **more})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("record", "outcome"),
    [
        (action(answer=SAID, effect=effect()), "done"),
        (action(answer=SAID, effect=effect(applied="unknown")), "perhaps done"),
        (action(answer=SAID, effect=effect(undo_status="done")), "done and undone again"),
        (action(answer=SAID, effect=effect(undo_status="failed")), "done, and could not be undone"),
        (action(answer=SAID, status="skipped"), "not run"),
        (action(answer=SAID, effect=effect(tool="other")), None),
        (action(answer=SAID, effect=effect(arguments={"host": "db-01"})), None),
        (action(effect=effect()), None),
    ],
)
def test_only_decisions_on_the_same_are_found_each_with_what_came_of_it(record, outcome):
    assert ([outcome] if outcome else []) == [one.outcome for one in decided(view(record), HOST)]


def test_an_action_that_was_approved_with_others_has_the_decision_of_them_all():
    gate = action(path="both", kind="group", actor="", answer={**SAID, "arguments": None})
    inside = action(path="both/isolate", effect=effect(), approved=Approved(at="both", by=("maya",)))

    [found] = decided(view(gate, inside), HOST)

    assert ("both/isolate", ("maya",), "done") == (found.step, found.by, found.outcome)


def test_more_than_a_few_are_counted():
    one = Decided(NOW, "t", "approved", ("maya",), "done", "m", "s")
    lines = [str(line) for line in Related(HOST, (one,) * (MOST + 3), 11, 90).lines()]

    assert (
        f"{MOST + 3} decisions in the last {LATELY.days} days, 3 more are not told here; looked at 11 of 90 missions"
        == lines[-1]
    )
    assert MOST + 2 == len(lines)
