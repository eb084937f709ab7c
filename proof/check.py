"""Everything that can be said of a mission from its ledgers: the laws between them, and that its histories replay.

Tests call `everything` after whatever they did to a mission; `python -m proof` does for a folder of ledgers.
"""

import subprocess
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from temporalio.client import WorkflowHistory
from temporalio.converter import DataConverter

from proof.laws import breaches
from proof.ledgers import Ledgers
from proof.replayed import unreplayable

ROOT = Path(__file__).resolve().parent.parent


async def everything(ledgers: Ledgers, histories: Sequence[WorkflowHistory], converter: DataConverter) -> list[str]:
    """Return every law that a mission breaks, in sentences; none is what must come back."""
    replayed = await unreplayable(histories, converter, ledgers.told.namespace)
    return [*breaches(with_histories(ledgers, histories)), *replayed]


def with_histories(ledgers: Ledgers, histories: Sequence[WorkflowHistory]) -> Ledgers:
    """Return the ledgers with the bytes of the histories, where something was planted that may not be in them."""
    if not ledgers.secrets:
        return ledgers
    runs = {f"the history of run {number}": _bytes(history) for number, history in enumerate(histories, 1)}
    return replace(ledgers, texts={**runs, **ledgers.texts})


def _bytes(history: WorkflowHistory) -> bytes:
    return b"\n".join(event.SerializeToString() for event in history.events)


def commit() -> str:
    """Return what is checked out, and whether it was changed."""
    asked = ["git", "-C", str(ROOT), "describe", "--always", "--dirty", "--abbrev=12"]
    return subprocess.run(asked, capture_output=True, text=True, check=False).stdout.strip() or "unknown"
