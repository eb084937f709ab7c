"""`gonogo audit`: a mission's record, from the history alone. It works when no worker does."""

from typing import TYPE_CHECKING, Any

from starter.connect import operate
from starter.options import Json, MissionId
from starter.output import document, print_rows
from starter.problem import DONE

if TYPE_CHECKING:
    from temporalio.client import Client

    from contracts.view import AuditEntry

QUIET = frozenset({"state told", "timer started", "timer stopped"})
"""Left out of what people read; --json has everything."""


def audit(mission: MissionId, *, as_json: Json = False) -> int:
    """Tell who did what when, with the digests that prove it.

    Every plan, step, decision, action and compensation, from the history: no worker is needed.
    """
    return operate(lambda client: _audit(client, mission, as_json=as_json))


async def _audit(client: "Client", mission: str, *, as_json: bool) -> int:
    from starter.chronicle import chronicle

    entries = await chronicle(client, mission)
    if as_json:
        document(entries)
    else:
        _print(entries)
    return DONE


def _print(entries: "list[AuditEntry]") -> None:
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
)


def _detail(detail: dict[str, Any]) -> str:
    return ", ".join(f"{name} {detail[name]}" for name in SHOWN if detail.get(name))
