"""Whatever a test does to missions in a house: when the house closes, each is held against every law of `proof/`.

The world's own book is kept here, beside the houses that come and go: what was committed, when, and what was sent to
whom. A house whose activities keep another book says so (`Activities.committed`).
"""

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from temporalio import activity
from temporalio.client import Client, WorkflowFailureError, WorkflowHistory
from temporalio.service import RPCError

from activities.mission_payloads import converter
from contracts.base import digest
from contracts.call import ToolCall
from contracts.decision import Receipt
from contracts.view import OVER, MissionView
from contracts.workspace import PeopleFile, Tool
from proof import plain
from proof.approved import jti_in
from proof.asked import answers
from proof.check import everything
from proof.ledgers import Heard, Ledgers, Sent
from starter.chronicle import chronicle
from starter.history import runs_of
from starter.problem import Refused
from starter.state import read_state

PATIENCE = 60
Committed = list[tuple[ToolCall, str]]
COMMITTED: dict[str, Committed] = defaultdict(list)
"""By mission: the calls that the world saw, each key once, and when."""
ASKED_BY: dict[str, str] = {}
"""By its key: the run that asked for a call."""
SENT: dict[str, list[Sent]] = defaultdict(list)
"""By mission: what was sent, and what its sender heard."""
STARTED: dict[str, list[tuple[str, str]]] = defaultdict(list)
"""By queue: the missions that were started there, each with its first run."""


def commit(call: ToolCall) -> None:
    """Write a call into the world's book, unless its key is there."""
    book = COMMITTED[call.mission]
    if call.key not in {one.key for one, _ in book}:
        book.append((call, datetime.now(UTC).isoformat()))
        ASKED_BY[call.key] = activity.info().workflow_run_id or ""


def effects(calls: Iterable[tuple[ToolCall, str]]) -> list[dict[str, Any]]:
    """Return the world's book as the ledgers have it."""
    return [
        {"tool": one.tool, "key": one.key, "arguments": one.arguments, "digest": digest(one.arguments), "at": at}
        for one, at in calls
    ]


def withdraw(call: ToolCall) -> None:
    """Strike out a call that its tool says never happened."""
    COMMITTED[call.mission] = [(one, at) for one, at in COMMITTED[call.mission] if one.key != call.key]


def note(mission: str, token: str, receipt: Receipt) -> None:
    """Write down what the sender of a decision heard."""
    heard: Heard = "accepted" if receipt.accepted else "refused"
    if jti := jti_in(token):
        SENT[mission].append(Sent(jti, token, heard))


async def breaches(
    client: Client, mission: str, run: str, people: PeopleFile, tools: Mapping[str, Tool] | None
) -> list[str]:
    """Return every law that was broken by a mission, in sentences. A worker is there that can say how it stands."""
    # Before the histories: what happens while these are read is in neither.
    others = {first for known in STARTED.values() for one, first in known if one == mission} - {run}
    own = [one for one in COMMITTED[mission] if ASKED_BY[one[0].key] not in others]
    did, sent = tuple(effects(own)), tuple(SENT[mission])
    histories = await runs_of(client, mission)
    stolen = histories[0].events[0].workflow_execution_started_event_attributes.first_execution_run_id != run
    shown = None if stolen else await ended(client, mission)
    histories = await (runs_from(client, mission, run) if stolen else runs_of(client, mission))
    told = await plain.told(histories, converter(client, mission), client.namespace)
    if told.state and shown is not None and shown.state not in OVER:
        shown = await seen(client, mission)
    ledgers = Ledgers(
        client=sent,
        effects=did,
        attempts=did,
        told=told,
        people=people,
        tools=tools or told.plan.tools,
        audit=None if stolen else tuple(one.model_dump(mode="json") for one in await chronicle(client, mission)),
        shown=shown,
        answers=await answers(client.get_workflow_handle(mission)) if shown is not None else (),
    )
    found = await everything(ledgers, histories, client.data_converter)
    # A test may leave a mission waiting for somebody who never comes, or terminated.
    left = ("unended", "not undone") if told.state in {"", "terminated"} else ()
    return [f"{mission}: {one}" for one in found if not one.startswith(left)]


async def runs_from(client: Client, mission: str, run: str) -> list[WorkflowHistory]:
    """Return the runs from the first of a mission on; nothing leads there from who has taken its id since."""
    found: list[WorkflowHistory] = []
    while run:
        history = await client.get_workflow_handle(mission, run_id=run).fetch_history()
        found.append(history)
        run = history.events[-1].workflow_execution_continued_as_new_event_attributes.new_execution_run_id
    return found


async def ended(client: Client, mission: str) -> MissionView | None:
    """Return how a mission stands; one that is about to end has ended then."""
    shown = await seen(client, mission)
    if shown is not None and shown.state in OVER:
        with suppress(WorkflowFailureError, TimeoutError):
            await asyncio.wait_for(client.get_workflow_handle(mission).result(), PATIENCE)
    return shown


async def seen(client: Client, mission: str) -> MissionView | None:
    """Return how a mission stands, where anybody can say so."""
    with suppress(RPCError, Refused):
        return await read_state(client, mission)
    return None


def ever(before: PeopleFile, after: PeopleFile) -> PeopleFile:
    """Return everybody with the roles and keys that they had before a test changed them, and after it."""
    both = dict(after.people)
    for name, known in before.people.items():
        now = both.get(name, known)
        more = {"roles": tuple({*known.roles, *now.roles}), "keys": tuple({*known.keys, *now.keys})}
        both[name] = now.model_copy(update=more)
    return after.model_copy(update={"people": both})


async def demand(client: Client, queue: str, people: PeopleFile, tools: Mapping[str, Tool] | None) -> None:
    """Hold every mission of a house against the laws."""
    found = [one for known in STARTED[queue] for one in await breaches(client, *known, people, tools)]
    assert not found, "\n".join(found)
