"""How large the answers are that a mission gives to who asks how it stands: the first page of each, the fullest."""

from typing import Any

from temporalio.client import WorkflowHandle
from temporalio.common import RawValue

from contracts.view import GATES, STATE, GatesQuery, StateQuery


async def answers(mission: WorkflowHandle[Any, Any]) -> tuple[tuple[str, int], ...]:
    """Ask a mission everything, and return how large each answer is. A worker must be there."""
    found = []
    for name, query in ((STATE, StateQuery()), (GATES, GatesQuery())):
        answer: RawValue = await mission.query(name, query, result_type=RawValue)
        found.append((name, len(answer.payload.data)))
    return tuple(found)
