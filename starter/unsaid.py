"""A mission's record and its events, with everything sensitive hidden: learnt from its histories, without a worker.

The law: where the server keeps no more to learn it from, nothing is told that may come from contents: what an event has
is told, and items of maps and ids not. What is hidden while a mission answers is `starter/discretion.py`.
"""

import json
from collections.abc import Iterable
from typing import Any

from temporalio.client import Client, WorkflowHistory

from activities.mission_payloads import converter
from contracts.audit import AuditEntry, Chain
from contracts.call import EXECUTE_ACTION, RUN_AGENT, AgentCall, AgentResult, ToolCall, ToolResult
from contracts.plan import Plan
from contracts.published import KINDS
from contracts.veil import marked
from language.sensitive import HIDDEN
from starter.discretion import Discretion, discretion
from starter.history import Reader, runs_of
from starter.problem import Refused

MODELS: dict[str, type[AgentCall] | type[ToolCall]] = {RUN_AGENT: AgentCall, EXECUTE_ACTION: ToolCall}
NAMES = frozenset({"id", "child"})
"""What of an event's data may be called as contents are, beside the paths of steps."""
OURS = frozenset({"start", "policy", "receipt", "cost", "observation"})
"""Topics whose reasons are made of names alone."""


async def discreet(
    client: Client, mission: str, entries: Iterable[AuditEntry], first_run: str = ""
) -> list[AuditEntry]:
    """Return entries of a record with everything sensitive hidden."""
    try:
        return (await learned(client, mission, first_run)).entries(entries)
    except Refused:
        return [bare(entry) for entry in entries]


class Unsaid:
    """Hides what is sensitive in entries of any mission."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def __call__(self, chain: Chain, entries: Iterable[AuditEntry]) -> list[AuditEntry]:
        """Return entries of a record with everything sensitive hidden."""
        return await discreet(self._client, chain.mission, entries, chain.first_run_id)


async def learned(client: Client, mission: str, first_run: str = "", *, reveal: bool = False) -> Discretion:
    """Return what is hidden of a mission, by its inputs and by all that agents and tools were asked and answered."""
    known = await discretion(client, mission, reveal=reveal, first_run=first_run)
    if known.plan is not None and _says(known.plan):
        reader = Reader(converter(client, mission))
        for history in await runs_of(client, mission):
            await _learn(known, reader, history)
    return known


def bare(entry: AuditEntry) -> AuditEntry:
    """Return an entry of which nothing is told that may come from contents."""
    told = KINDS[entry.topic].fields.keys() - NAMES if entry.topic in KINDS else frozenset[str]()
    detail = {name: value if name in told or not value else HIDDEN for name, value in entry.detail.items()}
    why = entry.why if entry.topic in OURS or not entry.why else HIDDEN
    return entry.model_copy(
        update={"step": marked(entry.step, lambda _: ""), "why": why, "token": "", "detail": detail}
    )


async def _learn(known: Discretion, reader: Reader, history: WorkflowHistory) -> None:
    calls: dict[int, AgentCall | ToolCall | None] = {}
    for event in history.events:
        asked: Any = event.activity_task_scheduled_event_attributes
        done: Any = event.activity_task_completed_event_attributes
        if asked.activity_type.name in MODELS:
            calls[event.event_id] = await reader.one(asked.input.payloads, MODELS[asked.activity_type.name])
        call = calls.get(done.scheduled_event_id)
        if isinstance(call, ToolCall):
            known.action(call.tool, call.arguments)
            known.result(call.tool, await reader.one(done.result.payloads, ToolResult))
        elif call is not None:
            known.result(call.name, await reader.one(done.result.payloads, AgentResult))


def _says(plan: Plan) -> bool:
    """Whether anything that agents or tools say is sensitive."""
    schemas = [agent.output for agent in plan.agents.values()]
    schemas += [part for tool in plan.tools.values() for part in (tool.input, tool.output)]
    return '"sensitive": true' in json.dumps(schemas)
