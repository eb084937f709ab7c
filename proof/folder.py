"""Ledgers as a folder, so that they can be checked where nothing runs any more: a folder for each mission.

`history.N.json` is run N; `world.json` has effects and calls; `client.jsonl` what was sent; `audit.jsonl` the exported
record, whose head the keys in `services.yaml` verify; `shown.json` what the operator saw. Beside them `people.yaml`,
`tools.yaml` and `place.json`.
"""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml
from temporalio.client import WorkflowHistory

from activities import service_keys
from activities.public_key import KeyRefused
from contracts.view import MissionView
from contracts.workspace import PeopleFile, Tool
from proof.ledgers import Ledgers, Sent, Told, read


class Incomplete(Exception):
    """A ledger is missing or cannot be read, and nothing can be said of the mission."""


def keep(ledgers: Ledgers, histories: Sequence[WorkflowHistory], folder: Path) -> Path:
    """Write the ledgers of a mission into a folder of its own, and return that."""
    own = folder / ledgers.told.id.replace("/", "_")
    own.mkdir(parents=True, exist_ok=True)
    for number, history in enumerate(histories, 1):
        (own / f"history.{number}.json").write_text(history.to_json())
    place: dict[str, Any] = {"mission": ledgers.told.id, "namespace": ledgers.told.namespace}
    place |= {"governed": ledgers.governed, "answers": ledgers.answers}
    _write(own / "place.json", place)
    _write(own / "world.json", {"effects": ledgers.effects, "attempts": ledgers.attempts})
    lines = [json.dumps({"jti": one.jti, "token": one.token, "heard": one.heard}) for one in ledgers.client]
    (own / "client.jsonl").write_text("".join(f"{line}\n" for line in lines))
    _write(own / "people.yaml", ledgers.people.model_dump(mode="json"))
    _write(own / "tools.yaml", {name: tool.model_dump(mode="json") for name, tool in ledgers.tools.items()})
    if ledgers.record:
        (own / "audit.jsonl").write_bytes(ledgers.record)
        _write(own / "services.yaml", {"services": {"recorder": ledgers.recorders}})
    elif ledgers.audit is not None:
        (own / "audit.jsonl").write_text("".join(f"{json.dumps(entry, default=str)}\n" for entry in ledgers.audit))
    if ledgers.shown is not None:
        (own / "shown.json").write_text(ledgers.shown.model_dump_json())
    return own


def _write(path: Path, value: Any) -> None:
    path.write_text(json.dumps(value, default=str))


def kept(own: Path) -> list[WorkflowHistory]:
    """Return the histories of a mission that were kept in a folder, the first run first."""
    with _whole(own):
        mission = json.loads((own / "place.json").read_text())["mission"]
        files = sorted(own.glob("history.*.json"), key=lambda path: int(path.name.split(".")[1]))
        return [WorkflowHistory.from_json(mission, path.read_text()) for path in files]


def namespace_of(own: Path) -> str:
    """Return the namespace that a mission ran in."""
    with _whole(own):
        return str(json.loads((own / "place.json").read_text())["namespace"])


def opened(own: Path, told: Told | None = None) -> tuple[Ledgers, list[WorkflowHistory]]:
    """Return the ledgers of a mission that were kept in a folder, with its histories; `told` is what was read there."""
    with _whole(own):
        return _opened(own, told)


@contextmanager
def _whole(own: Path) -> Iterator[None]:
    try:
        yield
    except (OSError, ValueError, KeyError, TypeError, IndexError, KeyRefused) as error:
        raise Incomplete(f"{own}: its ledgers cannot be read ({type(error).__name__}: {str(error)[:200]})") from None


def _opened(own: Path, told: Told | None) -> tuple[Ledgers, list[WorkflowHistory]]:
    place, world = json.loads((own / "place.json").read_text()), json.loads((own / "world.json").read_text())
    histories = kept(own)
    shown, audit = own / "shown.json", own / "audit.jsonl"
    tools = yaml.safe_load((own / "tools.yaml").read_text())
    record = audit.read_bytes() if audit.is_file() else b""
    ledgers = Ledgers(
        client=tuple(Sent(**line) for line in _lines(own / "client.jsonl")),
        effects=tuple(world["effects"]),
        attempts=tuple(world["attempts"]),
        told=told or read(histories, place["namespace"]),
        people=PeopleFile.model_validate(yaml.safe_load((own / "people.yaml").read_text())),
        tools={name: Tool.model_validate(tool) for name, tool in tools.items()},
        audit=tuple(_entries(_lines(audit))) if record else None,
        record=record if b'{"header":' in record[:20] else b"",
        recorders=service_keys.read(own / "services.yaml").get("recorder", ()),
        governed=place.get("governed", False),
        answers=tuple((name, size) for name, size in place.get("answers", ())),
        shown=MissionView.model_validate_json(shown.read_text()) if shown.is_file() else None,
    )
    return ledgers, histories


def _lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def _entries(lines: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Yield the entries, whether each stands alone or in the chain of an exported record."""
    for line in lines:
        if "content" in line or "what" in line:
            yield line.get("content", line)
