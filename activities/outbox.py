"""From entries of a record to the events that others are told: pure, and the same again for the same record.

The law: an event has what `contracts/published.py` names for its type, and nothing else of its entry.
"""

from collections.abc import Iterable, Iterator
from typing import Any
from urllib.parse import quote

from contracts.audit import AuditEntry, Chain
from contracts.published import KINDS, CloudEvent, schema_name, type_of

WIDTH = 12
"""Digits of `sequence`, so that texts sort as the numbers do."""


def events(chain: Chain, entries: Iterable[tuple[int, AuditEntry]]) -> Iterator[CloudEvent]:
    """Yield what is told of numbered entries, in their order."""
    for seq, entry in entries:
        if entry.topic in KINDS:
            yield event(chain, seq, entry)


def event(chain: Chain, seq: int, entry: AuditEntry) -> CloudEvent:
    """Return the event of an entry. Its id is the same whenever it is told again."""
    return CloudEvent(
        id=f"{chain.first_run_id}/{seq}",
        source=f"/gonogo/{quote(chain.namespace, safe='')}/{quote(chain.mission, safe='')}",
        type=type_of(entry.topic),
        subject=entry.step or chain.mission,
        time=entry.at.isoformat(),
        dataschema=schema_name(entry.topic),
        sequence=f"{seq:0{WIDTH}}",
        partitionkey=chain.mission,
        data=_data(chain, entry),
    )


def _data(chain: Chain, entry: AuditEntry) -> dict[str, Any]:
    known = {"mission": chain.mission, "name": chain.name, "version": chain.version}
    named = {name: getattr(entry, name) for name in ("what", "who", "step", "digest", "run_id", "event_id")}
    allowed = KINDS[entry.topic].fields
    return {**known, **named, **{name: value for name, value in entry.detail.items() if name in allowed}}
