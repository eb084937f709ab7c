"""A mission's record as a file: its entries chained, its head signed. `gonogo audit verify` checks it, anywhere.

The law: the entries are those of the history, or of the archive where the server keeps that no longer, and are the same
either way.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from temporalio.client import Client

from activities import chain as chained
from activities.books.archive import Archive, Differs, Kept
from activities.chain import Link
from activities.envelope import seal
from activities.mission_payloads import converter
from contracts.audit import HEAD_TYPE, AuditEntry, Chain, Head
from contracts.plan import MissionInput
from starter.chronicle import Run
from starter.history import Gone, Part, Reader, lineage


@dataclass(frozen=True)
class Book:
    """A record: what it is of, its entries, and where it stands."""

    chain: Chain
    entries: tuple[AuditEntry, ...]
    links: tuple[Link, ...]

    @property
    def head(self) -> Head:
        last = self.entries[-1]
        return Head(
            chain=chained.genesis(self.chain),
            mission=self.chain.mission,
            count=len(self.links),
            hash=self.links[-1].hash,
            runs=self.runs,
            at=last.at,
            ended=last.topic == "end",
        )

    @property
    def runs(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(entry.run_id for entry in self.entries))

    def lines(self, envelope: dict[str, object]) -> Iterator[bytes]:
        """Yield the lines of the file."""
        yield chained.header(self.chain, self.runs) + b"\n"
        for link in self.links:
            yield link.line + b"\n"
        yield chained.footer(self.head, envelope) + b"\n"


async def read(client: Client, mission: str) -> Book:
    """Return the record of a mission as its histories have it."""
    reader = Reader(converter(client, mission), whole=True)
    return await recorded(reader, client.namespace, mission, await lineage(client, mission))


async def recorded(reader: Reader, namespace: str, mission: str, parts: Sequence[Part]) -> Book:
    """Return the record of these runs of a mission, the first of them its first."""
    chain = await chain_of(reader, namespace, mission, parts[0])
    entries = [entry for part in parts async for entry in Run(part, reader).entries()]
    return Book(chain, tuple(entries), tuple(chained.links(entries, chained.genesis(chain))))


async def chain_of(reader: Reader, namespace: str, mission: str, first: Part) -> Chain:
    """Return what the record of a mission is of, by its first run."""
    began = first.history.events[0].workflow_execution_started_event_attributes
    given = await reader.one(began.input.payloads, MissionInput)
    known = {"namespace": namespace, "mission": mission, "first_run_id": began.first_execution_run_id or first.run}
    if given is None:
        return Chain(**known, name=began.workflow_type.name)
    plan = given.plan
    said = plan.definition
    return Chain(**known, name=said.mission, version=said.version, team=said.team, plan_digest=plan.digest)


async def continued(client: Client, archive: Archive, mission: str) -> tuple[Book, int]:
    """Return a mission's record from the archive and the histories after it, and how many entries are new.

    What the archive and the histories both have must be the same, or it `Differs`.
    """
    kept = await archive.kept(client.namespace, mission)
    reader = Reader(converter(client, mission), whole=True)
    parts = await lineage(client, mission, kept.run if kept else "")
    began = parts[0].history.events[0].workflow_execution_started_event_attributes.first_execution_run_id
    if kept is None or began != kept.chain.first_run_id:
        book = await recorded(reader, client.namespace, mission, parts)
        return book, len(book.links)
    early = await archive.links(kept.chain)
    again = [entry for part in _after(parts, kept) async for entry in Run(part, reader).entries()]
    links = tuple(chained.links(again, kept.before_hash, kept.before))
    if len(links) < kept.count - kept.before or links[kept.count - kept.before - 1].hash != kept.hash:
        raise Differs(f"the history of {mission} says other than what was archived of its run {kept.run}")
    whole = (*early[: kept.before], *links)
    return Book(kept.chain, (*_entries(early[: kept.before]), *again), whole), len(whole) - kept.count


def _after(parts: Sequence[Part], kept: Kept) -> list[Part]:
    """Return the runs from the last archived one on. Where none was archived before it, it was told whole."""
    at = next((number for number, part in enumerate(parts) if part.run == kept.run), None)
    if at is None:
        raise Gone(f"run {kept.run} of {kept.chain.mission}, which is archived last: the server keeps it no longer")
    return [replace(parts[at], since=parts[at].since if kept.before else 0), *parts[at + 1 :]]


async def archived(archive: Archive, namespace: str, mission: str) -> Book | None:
    """Return a mission's record as the archive has it."""
    kept = await archive.kept(namespace, mission)
    if kept is None:
        return None
    links = await archive.links(kept.chain)
    return Book(kept.chain, _entries(links), tuple(links))


def _entries(links: Sequence[Link]) -> tuple[AuditEntry, ...]:
    return tuple(AuditEntry.model_validate_json(link.content) for link in links)


def signed(head: Head, key: Ed25519PrivateKey) -> dict[str, object]:
    """Return a head in an envelope."""
    return seal(chained.spelt(head.model_dump(mode="json")), HEAD_TYPE, key)


def write(book: Book, envelope: dict[str, object], file: Path) -> None:
    """Write a record as a whole."""
    temporary = file.with_name(f".{file.name}.part")
    with temporary.open("wb") as out:
        out.writelines(book.lines(envelope))
    temporary.replace(file)
