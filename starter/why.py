"""`gonogo why`: what policy said of a mission and of its steps, by which policies, and who approved; from the history.

It works when no worker does. The policies are told with the file and line that they had then; a version that is not
today's says so.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from starter.browse import iso
from starter.connect import operate, settings
from starter.options import Json, MissionId, Reveal
from starter.output import console, document
from starter.problem import DONE, Refused

if TYPE_CHECKING:
    from temporalio.client import Client

    from contracts.audit import AuditEntry

Asked = Annotated[str, typer.Argument(metavar="[STEP]", help="A step: its path, or its last part; else the start.")]


BESIDE = re.compile(r"/@admission(\[\d+\])?$")
"""Where those are asked whom policy names, below the path of what it is about."""
PLAN = re.compile(r"/plan\[\d+\]$")
"""A plan that an agent made, below the path of its step."""


def why(mission: MissionId, step: Asked = "", *, reveal: Reveal = False, as_json: Json = False) -> int:
    """Tell why a step was allowed, denied or needs approval: by which policies, and who approved."""
    entries = operate(lambda client: _read(client, mission, reveal=reveal))
    told = list(reasons(entries, step))
    if not told:
        what = f"step {step!r} of {mission}" if step else mission
        raise Refused(f"policy was not asked of {what}; `gonogo show {mission}` has the steps")
    if as_json:
        document(told)
        return DONE
    for one in told:
        console().print(f"{one['when']}  {one['said']}", markup=False, soft_wrap=True)
    _tell_version(told)
    return DONE


async def _read(client: "Client", mission: str, *, reveal: bool) -> list["AuditEntry"]:
    from starter.chronicle import chronicle
    from starter.reading import demand_reading
    from starter.unsaid import discreet

    await demand_reading(client, mission, "read_audit")
    entries = await chronicle(client, mission)
    return entries if reveal else await discreet(client, mission, entries)


def reasons(entries: Sequence["AuditEntry"], step: str) -> Iterator[dict[str, Any]]:
    """Yield what policy said, and who approved, in the order of the history."""
    for entry in entries:
        if entry.topic == "policy" and _about(entry.step, step):
            yield _line(entry, entry.why, entry.detail.get("policy"))
        if entry.topic == "admission" and not step:
            yield from (_line(entry, finding) for finding in entry.detail.get("findings", ()))
        if entry.what == "decision accepted" and step and _about(entry.step, step):
            said = f"{entry.who} ({', '.join(entry.detail.get('roles', ()))}) said {entry.detail.get('verb')}"
            words = entry.detail.get("reason") or entry.detail.get("comment")
            yield _line(entry, f"{said}: {words}" if words else said)


def _line(entry: "AuditEntry", said: str, answer: Any = None) -> dict[str, Any]:
    version = (answer or {}).get("version") or entry.detail.get("version", "")
    when = f"{entry.at:%H:%M:%S}"
    return {"when": when, "at": iso(entry.at), "what": entry.what, "said": said, "version": version, "answer": answer}


def _about(at: str, step: str) -> bool:
    """Whether something was asked for a step; with none named, whether it was asked for the whole mission."""
    if not step:
        return not at
    at = BESIDE.sub("", at)
    return at == step or _bare(step) in {_bare(at), _bare(PLAN.sub("", at))}


def _bare(path: str) -> str:
    last = path.removesuffix("/undo").rpartition("/")[2]
    return last.partition("[")[0].partition("#")[0]


def _tell_version(told: Iterable[dict[str, Any]]) -> None:
    from activities.people import Directory
    from activities.policy import Policy

    now = Policy(settings().workspace, Directory(), {}, {}).version()
    versions = dict.fromkeys(one["version"] for one in told if one["version"])
    for version in versions:
        since = "" if version == now else ", which is not that of the policies here now"
        console().print(f"policies {version[:23]}…{since}", style="dim", markup=False)
