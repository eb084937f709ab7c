"""Histories as their mission wrote them: what is encrypted opened, what lies apart fetched.

Only to be read. How large a run is and whether a secret lies in it is said of the histories as the server keeps them.
"""

import json
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import Any

from temporalio.api.common.v1 import Payload
from temporalio.client import WorkflowHistory
from temporalio.converter import DataConverter

from proof.ledgers import Told, inner, read

PLAIN = b"json/plain"


async def told(histories: Sequence[WorkflowHistory], converter: DataConverter, namespace: str = "default") -> Told:
    """Read all runs of a mission, the first first, whatever is encrypted or lies apart."""
    return read([await plain(history, converter) for history in histories], namespace, kept=histories)


async def plain(history: WorkflowHistory, converter: DataConverter) -> WorkflowHistory:
    """Return a history with every payload as JSON; one that cannot be read stays as it is."""
    copied = [type(event).FromString(event.SerializeToString()) for event in history.events]
    for payload in (found for event in copied for found in _payloads(event)):
        if payload.metadata.get("encoding") != PLAIN:
            with suppress(Exception):
                [value] = await converter.decode([Payload.FromString(payload.SerializeToString())])
                payload.CopyFrom(Payload(metadata={"encoding": PLAIN}, data=json.dumps(value).encode()))
    return WorkflowHistory(history.workflow_id, copied)


def _payloads(message: Any) -> Iterator[Payload]:
    if isinstance(message, Payload):
        yield message
        return
    for one in inner(message):
        yield from _payloads(one)
