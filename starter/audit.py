"""`gonogo audit`: a mission's record, from the history alone. It works when no worker does.

`gonogo audit verify` needs neither server nor workspace: `starter/audit_file.py`.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from starter.connect import operate, settings
from starter.options import Json, MissionId, Reveal
from starter.output import console, document, print_rows
from starter.problem import DONE, Refused, Usage

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from temporalio.client import Client

    from activities.books.archive import Archive, Ending
    from contracts.audit import AuditEntry
    from starter.record import Book

QUIET = frozenset(
    {"state told", "timer started", "timer stopped", "policy allowed", "observations noted", "cost counted"}
)
"""Left out of what people read; --json has everything."""
MISSION = "mission"
"""The verb that stands where none does: `gonogo audit ID`."""


class Audits(TyperGroup):
    """What is no verb of its own is the id of a mission."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Put the verb before an id."""
        if args and args[0] not in self.commands and args[0] not in ctx.help_option_names:
            args = [MISSION, *args]
        return super().parse_args(ctx, args)


verbs = typer.Typer(
    help="The record of a mission: who did what when and why. `gonogo audit ID` shows it.",
    cls=Audits,
    rich_markup_mode=None,
    no_args_is_help=True,
)
Export = Annotated[
    str, typer.Option("--export", metavar="FILE", help="Write it to a file: chained, its head signed by the recorder.")
]


@verbs.command(MISSION)
def of_mission(mission: MissionId, *, export: Export = "", reveal: Reveal = False, as_json: Json = False) -> int:
    """Tell who did what when, with the digests that prove it: `gonogo audit ID` for short.

    Every plan, step, decision, action and compensation, from the history: no worker is needed.
    """
    if export:
        return _export(mission, Path(export), as_json=as_json)
    return operate(lambda client: _audit(client, mission, reveal=reveal, as_json=as_json))


async def _audit(client: "Client", mission: str, *, reveal: bool, as_json: bool) -> int:
    from starter.unsaid import discreet

    book, _ = await _book(client, mission)
    entries = list(book.entries)
    if not reveal:
        entries = await discreet(client, mission, entries, book.chain.first_run_id)
    if as_json:
        # Statements are for who checks them, and go into a file.
        document([entry.model_copy(update={"token": ""}) for entry in entries])
    else:
        _print(entries)
    return DONE


def _export(mission: str, file: Path, *, as_json: bool) -> int:
    from starter.record import signed, write

    book, ending = operate(lambda client: _book(client, mission))
    envelope = ending.envelope if ending is not None else signed(book.head, recorder())
    try:
        write(book, envelope, file)
    except OSError as error:
        raise Usage(f"{file} cannot be written: {error.strerror}") from None
    if as_json:
        document(book.head)
    else:
        console().print(f"{file}: {book.head.count} entries, head {book.head.hash}", markup=False, soft_wrap=True)
    return DONE


async def _book(client: "Client", mission: str) -> "tuple[Book, Ending | None]":
    """Return a mission's record, and its head where that is archived, signed."""
    from activities.books.archive import Archive
    from activities.books.database import Database, Unreadable
    from runtime.payloads import sealing
    from starter.history import Gone
    from starter.reading import demand_reading_of
    from starter.record import read

    database, seal = Database(settings().books()), sealing(settings().payload_keys)
    archive = Archive(database, seal)
    try:
        try:
            book = await read(client, mission)
        except Gone as gone:
            book = await _kept(client, archive, mission, gone)
        demand_reading_of(book.chain.name, book.chain.team, "read_audit")
        return book, await archive.ending(book.head.chain, book.head.count)
    except Unreadable as error:
        raise Refused(str(error)) from None
    finally:
        await database.close()


async def _kept(client: "Client", archive: "Archive", mission: str, gone: Exception) -> "Book":
    """Return a record from the archive, and say so: the server has not all of it any more."""
    from activities.books.archive import Differs
    from starter.history import Gone
    from starter.output import note
    from starter.record import archived, continued

    book = await archived(archive, client.namespace, mission)
    if book is None:
        raise gone
    try:
        book, _ = await continued(client, archive, mission)
        note(f"the server keeps no longer all runs of {mission}: what came before is from the archive")
    except Gone:
        note(f"the server keeps {mission} no longer: this is from the archive")
    except Differs as differs:
        raise Refused(str(differs)) from None
    return book


def recorder() -> "Ed25519PrivateKey":
    """Return the key that signs heads."""
    from activities import service_keys
    from activities.public_key import KeyRefused

    try:
        return service_keys.private(settings().home, "recorder")
    except KeyRefused as error:
        raise Refused(f"the record cannot be signed: {error}") from None


def _print(entries: "Sequence[AuditEntry]") -> None:
    from starter.table import table

    rows = [_row(entry) for entry in entries if entry.what not in QUIET]
    print_rows(table(("when (UTC)", "event", "what", "who", "step", "digest", "detail"), rows))


def _row(entry: "AuditEntry") -> tuple[str, ...]:
    when = entry.at.strftime("%Y-%m-%d %H:%M:%S.%f")[:-3]
    proof = entry.digest.removeprefix("sha256:")[:12]
    return when, str(entry.event_id), entry.what, entry.who, entry.step, proof, _detail(entry.detail)


SHOWN = (
    "about",
    "verb",
    "to",
    "reason",
    "comment",
    "cause",
    "verdict",
    "version",
    "arguments",
    "changes",
    "errors",
    "by",
    "undoes",
    "locks",
    "halts",
    "findings",
)


def _detail(detail: dict[str, Any]) -> str:
    return ", ".join(f"{name} {detail[name]}" for name in SHOWN if detail.get(name))
