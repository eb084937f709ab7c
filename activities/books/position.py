"""How far each sink has been told of each mission, and what of the archive it has not been told yet.

The law: a position only grows, and only past what the sink has taken. What was taken and not noted is told again, after
a recorder's death say. The archive is the outbox: an event is made of an entry each time anew.
"""

from sqlalchemy import func, select

from activities.books.archive import opened
from activities.books.database import Database
from activities.books.tables import audit_chains, audit_entries, positions
from activities.seal import Clear, Seal, at
from contracts.audit import AuditEntry, Chain

AT_ONCE = 200


class Outbox:
    """What waits in the archive for each sink."""

    def __init__(self, database: Database, seal: Seal | None = None) -> None:
        self._database = database
        self._seal = seal or Clear()

    async def behind(self, sink: str) -> list[tuple[str, Chain, int]]:
        """Return the records of which a sink has not been told everything, the oldest first, and how far it is."""
        chains, entries = audit_chains, audit_entries
        own = (positions.c.mission == chains.c.key) & (positions.c.sink == sink)
        done = func.coalesce(positions.c.seq, 0)
        more = select(entries.c.seq).where(entries.c.chain == chains.c.key, entries.c.seq == done + 1)
        wanted = select(chains.c.key, chains.c.said, done.label("done")).outerjoin(positions, own)
        async with self._database.reading() as connection:
            rows = (await connection.execute(wanted.where(more.exists()).order_by(chains.c.since))).all()
        return [(row.key, Chain.model_validate_json(row.said), row.done) for row in rows]

    async def after(self, chain: str, seq: int) -> list[tuple[int, AuditEntry]]:
        """Return the next entries of a record with their numbers."""
        entries = audit_entries
        wanted = select(entries.c.seq, entries.c.content).where(entries.c.chain == chain, entries.c.seq > seq)
        async with self._database.reading() as connection:
            rows = (await connection.execute(wanted.order_by(entries.c.seq).limit(AT_ONCE))).all()
        return [(row.seq, self._told(AuditEntry.model_validate_json(opened(self._seal, chain, row)))) for row in rows]

    def _told(self, entry: AuditEntry) -> AuditEntry:
        return entry.model_copy(update={"step": at(self._seal, entry.step)})

    async def advance(self, sink: str, chain: str, seq: int) -> None:
        """Note that a sink has taken everything up to an entry."""
        more = self._database.insert(positions).values(sink=sink, mission=chain, seq=seq)
        further = more.on_conflict_do_update(
            index_elements=[positions.c.sink, positions.c.mission],
            set_={"seq": seq},
            where=positions.c.seq < seq,
        )
        async with self._database.writing() as connection:
            await connection.execute(further)
