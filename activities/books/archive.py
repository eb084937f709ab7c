"""The archive: records past the time for which the server keeps histories. It is only ever added to.

The law: what was written stays, and what is written again must be the same; the tables refuse everything else
(`activities/books/tables.py`), and on PostgreSQL the recorder's role may do no more than add and read. The histories
are the truth while the server has them: `starter/recorder.py` reads them.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select

from activities.books.database import Database, Unreadable
from activities.books.tables import audit_anchors, audit_chains, audit_entries, audit_heads
from activities.chain import Link, genesis, hash_of, linked
from activities.seal import Clear, Seal, Unsealed, at, close_text, open_text
from contracts.audit import AuditEntry, Chain, Head

BATCH = 500
ENTRY = "audit entry"
"""What an entry is sealed as."""
ACTING = frozenset({"action", "compensation"})


class Differs(Exception):
    """What was archived is not what the history says now."""


@dataclass(frozen=True)
class Kept:
    """How far a record is archived: `count` entries, of which `before` are of runs before the last one."""

    chain: Chain
    count: int
    hash: str
    run: str
    before: int
    before_hash: str


@dataclass(frozen=True)
class Ending:
    """A head that was signed when a mission ended, in which run, and of how many events."""

    head: Head
    events: int
    envelope: dict[str, Any]

    def said(self) -> dict[str, Any]:
        """Return it as others get it."""
        return {"head": self.head.model_dump(mode="json"), "envelope": self.envelope}


class Archive:
    """The tables of the archive in the database beside Temporal."""

    def __init__(self, database: Database, seal: Seal | None = None) -> None:
        self._database = database
        self._seal = seal or Clear()

    async def kept(self, namespace: str, mission: str) -> Kept | None:
        """Say how far the record of the latest mission of this id is archived."""
        chains, entries = audit_chains, audit_entries
        latest = chains.select().where(chains.c.namespace == namespace, chains.c.mission == mission)
        async with self._database.reading() as connection:
            row = (await connection.execute(latest.order_by(chains.c.since.desc()).limit(1))).mappings().first()
            if row is None:
                return None
            chain, own = Chain.model_validate_json(row["said"]), entries.c.chain == row["key"]
            tail = select(entries.c.seq, entries.c.hash, entries.c.run).where(own)
            last = (await connection.execute(tail.order_by(entries.c.seq.desc()).limit(1))).one()
            early = tail.where(entries.c.run != last.run).order_by(entries.c.seq.desc()).limit(1)
            before = (await connection.execute(early)).first()
        known = (before.seq, before.hash) if before else (0, genesis(chain))
        return Kept(chain, last.seq, last.hash, last.run, *known)

    async def add(self, chain: Chain, entries: Sequence[AuditEntry], links: Sequence[Link]) -> None:
        """Add entries to a record. What is there already stays; that it is something else is `Differs`."""
        if not links:
            return
        key, database = genesis(chain), self._database
        rows = [self._row(key, entry, link) for entry, link in zip(entries, links, strict=True)]
        known = {"key": key, "namespace": chain.namespace, "mission": chain.mission}
        began = {**known, "since": entries[0].at.timestamp(), "said": chain.model_dump_json()}
        async with database.writing() as connection:
            await connection.execute(database.insert(audit_chains).values(began).on_conflict_do_nothing())
            for start in range(0, len(rows), BATCH):
                adding = database.insert(audit_entries).on_conflict_do_nothing()
                await connection.execute(adding, rows[start : start + BATCH])
            there = select(audit_entries.c.seq, audit_entries.c.hash).where(
                audit_entries.c.chain == key, audit_entries.c.seq.in_((links[0].seq, links[-1].seq))
            )
            hashes = {row.seq: row.hash for row in await connection.execute(there)}
            for link in (links[0], links[-1]):
                if hashes.get(link.seq) != link.hash:
                    raise Differs(f"entry {link.seq} of {chain.mission} was archived as something else")

    def _row(self, chain: str, entry: AuditEntry, link: Link) -> dict[str, Any]:
        resource = entry.detail.get("resource")
        return {
            "chain": chain,
            "seq": link.seq,
            "hash": link.hash,
            "run": entry.run_id,
            "at": entry.at.timestamp(),
            **{name: getattr(entry, name) for name in ("topic", "what", "who")},
            "step": at(self._seal, entry.step),
            "resource": self._sought(str(resource))[0] if resource not in {None, ""} else "",
            "content": close_text(self._seal, link.content.decode(), ENTRY, chain, str(link.seq)),
        }

    def _sought(self, resource: str) -> tuple[str, ...]:
        """Return by what a resource is found: its name may be nobody's business."""
        return self._seal.names(hash_of(resource.strip().casefold().encode()))

    async def end(self, ending: Ending) -> None:
        """Keep the head of a mission that has ended, the first that was signed."""
        head = ending.head
        row = {"chain": head.chain, "count": head.count, "run": head.runs[-1], "events": ending.events}
        row["envelope"] = json.dumps(ending.said())
        async with self._database.writing() as connection:
            await connection.execute(self._database.insert(audit_heads).values(row).on_conflict_do_nothing())

    async def ended(self, run: str, events: int) -> bool:
        """Say whether a run's end is archived."""
        known = select(audit_heads.c.count).where(audit_heads.c.run == run, audit_heads.c.events == events)
        async with self._database.reading() as connection:
            return (await connection.execute(known)).first() is not None

    async def ending(self, chain: str, count: int) -> Ending | None:
        """Return the head that was signed of a record of so many entries."""
        wanted = audit_heads.select().where(audit_heads.c.chain == chain, audit_heads.c.count == count)
        async with self._database.reading() as connection:
            row = (await connection.execute(wanted)).mappings().first()
        return _ending(row) if row is not None else None

    async def links(self, chain: Chain) -> list[Link]:
        """Return all that is archived of a record."""
        key = prev = genesis(chain)
        entries = audit_entries
        wanted = select(entries.c.seq, entries.c.content).where(entries.c.chain == key).order_by(entries.c.seq)
        found = []
        async with self._database.reading() as connection:
            for row in await connection.execute(wanted):
                found.append(linked(opened(self._seal, key, row).encode(), prev, row.seq))
                prev = found[-1].hash
        return found

    async def search(
        self, *, actor: str = "", resource: str = "", action: str = "", since: float = 0.0, most: int = 1_000
    ) -> list[tuple[Chain, AuditEntry]]:
        """Return the newest entries that were asked for, each with what its record is of, the oldest first."""
        entries, chains = audit_entries, audit_chains
        wanted = select(chains.c.said, entries.c.chain, entries.c.seq, entries.c.content).join(
            chains, chains.c.key == entries.c.chain
        )
        if since:
            wanted = wanted.where(entries.c.at >= since)
        if actor:
            wanted = wanted.where(func.lower(entries.c.who) == actor.lower())
        if resource:
            wanted = wanted.where(entries.c.resource.in_(self._sought(resource)))
        if action:
            used = entries.c.topic.in_(ACTING) & (func.lower(entries.c.who) == action.lower())
            wanted = wanted.where(used | (entries.c.what == action) | (entries.c.topic == action))
        async with self._database.reading() as connection:
            newest = wanted.order_by(entries.c.at.desc(), entries.c.seq.desc()).limit(most)
            rows = (await connection.execute(newest)).all()
        return [
            (Chain.model_validate_json(row.said), AuditEntry.model_validate_json(opened(self._seal, row.chain, row)))
            for row in rows[::-1]
        ]

    async def unanchored(self, place: str) -> list[Ending]:
        """Return the heads that are not yet known at a place outside, in the order of their chains."""
        heads, anchors = audit_heads, audit_anchors
        there = anchors.select().where(
            anchors.c.chain == heads.c.chain, anchors.c.count == heads.c.count, anchors.c.place == place
        )
        wanted = heads.select().where(~there.exists()).order_by(heads.c.chain, heads.c.count)
        async with self._database.reading() as connection:
            return [_ending(row) for row in (await connection.execute(wanted)).mappings()]

    async def anchored(self, heads: Iterable[Head], place: str) -> None:
        """Remember that heads are known at a place."""
        rows = [{"chain": head.chain, "count": head.count, "place": place} for head in heads]
        async with self._database.writing() as connection:
            await connection.execute(self._database.insert(audit_anchors).on_conflict_do_nothing(), rows)


def opened(seal: Seal, chain: str, row: Any) -> str:
    """Return what an entry says."""
    try:
        return open_text(seal, row.content, ENTRY, chain, str(row.seq))
    except Unsealed as error:
        raise Unreadable(f"entry {row.seq} of the archive cannot be read: {error}") from None


def _ending(row: Any) -> Ending:
    said = json.loads(row["envelope"])
    return Ending(Head.model_validate(said["head"]), row["events"], said["envelope"])
