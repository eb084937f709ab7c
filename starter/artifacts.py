"""`gonogo artifacts`, `gonogo artifact`: the files that a mission's steps have left, each by its digest."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from starter.connect import operate, settings
from starter.options import Json, MissionId, Reveal
from starter.output import console, document, print_rows
from starter.problem import DONE, Refused, Usage

if TYPE_CHECKING:
    from temporalio.client import Client

    from contracts.artifact import Artifact

    Left = tuple[str, Artifact]

Name = Annotated[str, typer.Argument(metavar="NAME", help="Name of the file.", show_default=False)]
At = Annotated[str, typer.Option("--step", metavar="STEP", help="Path of the step that left it.")]
Output = Annotated[
    Path | None, typer.Option("--output", "-o", metavar="FILE", help="Write it there, or into a folder.")
]


def artifacts(mission: MissionId, *, reveal: Reveal = False, as_json: Json = False) -> int:
    """List the files that a mission's steps have left."""
    return operate(lambda client: _artifacts(client, mission, reveal=reveal, as_json=as_json))


def artifact(mission: MissionId, name: Name, *, step: At = "", output: Output = None) -> int:
    """Print a file that a step has left, or write it; what is not what was left is refused."""
    return operate(lambda client: _artifact(client, (mission, name, step), output))


async def _left(client: "Client", mission: str, *, reveal: bool) -> "list[Left]":
    from starter.discretion import discretion
    from starter.reading import demand_reading
    from starter.state import read_state

    await demand_reading(client, mission, "read_outputs")
    known = await discretion(client, mission, reveal=reveal)
    view = known.view(await read_state(client, mission))
    return [(record.path, one) for record in view.records for one in record.artifacts]


async def _artifacts(client: "Client", mission: str, *, reveal: bool, as_json: bool) -> int:
    left = await _left(client, mission, reveal=reveal)
    if as_json:
        document([{"step": step, **one.model_dump()} for step, one in left])
        return DONE
    if not left:
        console().print(f"the steps of {mission} have left no files", markup=False)
        return DONE
    from starter.table import table

    rows = [(one.name, step, one.media_type, str(one.size), one.digest) for step, one in left]
    print_rows(table(("name", "step", "type", "bytes", "digest"), rows))
    return DONE


async def _artifact(client: "Client", wanted: tuple[str, str, str], output: Path | None) -> int:
    from activities.content import ContentStore
    from runtime.payloads import sealing
    from starter.connect import understood

    one = _chosen(await _left(client, wanted[0], reveal=True), wanted)
    place = settings()
    with understood():
        data = await ContentStore(place.contents(), sealing(place.payload_keys)).get(one.digest)
    if output is None:
        sys.stdout.flush()
        sys.stdout.buffer.write(data)
        return DONE
    _write(output, one.name, data)
    return DONE


def _write(output: Path, name: str, data: bytes) -> None:
    target = output / name if output.is_dir() else output
    try:
        target.write_bytes(data)
    except OSError as error:
        raise Refused(f"cannot write {target}: {error.strerror}") from None


def _chosen(left: "list[Left]", wanted: tuple[str, str, str]) -> "Artifact":
    from contracts.artifact import NAME

    mission, name, step = wanted
    if not NAME.fullmatch(name):
        raise Usage(f"{name!r} is no name of a file; `gonogo artifacts {mission}` lists them")
    found = [(path, one) for path, one in left if one.name == name and step in {"", path}]
    if not found:
        raise Refused(f"no step of {mission} has left {name!r}; `gonogo artifacts {mission}` lists what there is")
    if len({one.digest for _, one in found}) > 1:
        raise Usage(f"{', '.join(path for path, _ in found)} have left a {name!r}; say which with --step")
    return found[0][1]
