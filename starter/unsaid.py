"""A mission's record and its events, with everything sensitive hidden: learnt from its histories, without a worker.

The law: where the server keeps no more to learn it from, events say nothing that may come from contents, and a record
no arguments. What is hidden while a mission answers is `starter/discretion.py`.
"""

import json
from collections.abc import Iterable
from typing import Any

from temporalio.client import Client, WorkflowHistory

from activities.mission_payloads import converter
from contracts.audit import AuditEntry, Chain
from contracts.call import EXECUTE_ACTION, RUN_AGENT, AgentCall, AgentResult, ToolCall, ToolResult
from contracts.plan import Plan
from contracts.veil import marked
from language.sensitive import HIDDEN
from starter.discretion import Discretion, discretion
from starter.history import Reader, runs_of
from starter.problem import Refused

MODELS: dict[str, type[AgentCall] | type[ToolCall]] = {RUN_AGENT: AgentCall, EXECUTE_ACTION: ToolCall}
NAMES = ("id", "child")
"""What of an event's data may be called as contents are, beside the paths of steps."""


async def discreet(client: Client, mission: str, entries: Iterable[AuditEntry]) -> list[AuditEntry]:
    """Return a record with everything sensitive hidden; all arguments where the server has no more to tell them by."""
    try:
        return (await learned(client, mission)).entries(entries)
    except Refused:
        return [entry.model_copy(update={"detail": _without(entry.detail, "arguments")}) for entry in entries]


class Unsaid:
    """Hides what is sensitive in entries that others are told of."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def __call__(self, chain: Chain, entries: Iterable[AuditEntry]) -> list[AuditEntry]:
        """Return the entries of a record with everything sensitive hidden."""
        try:
            known = await learned(self._client, chain.mission)
        except Refused:
            return [_nameless(entry) for entry in entries]
        return known.entries(entries)


async def learned(client: Client, mission: str) -> Discretion:
    """Return what is hidden of a mission, by its inputs and by all that agents and tools were asked and answered."""
    known = await discretion(client, mission)
    if known.plan is not None and _says(known.plan):
        reader = Reader(converter(client, mission))
        for history in await runs_of(client, mission):
            await _learn(known, reader, history)
    return known


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


def _nameless(entry: AuditEntry) -> AuditEntry:
    return entry.model_copy(update={"step": marked(entry.step, lambda _: ""), "detail": _without(entry.detail, *NAMES)})


def _without(detail: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: HIDDEN if name in names and value else value for name, value in detail.items()}
