"""`gonogo audit verify`: a record on file, held against public keys. No server, no workspace, no database.

Exit code 1 where the record is not whole, was changed, or is not the recorder's.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from starter.connect import settings
from starter.options import Json
from starter.output import console, document
from starter.problem import DONE, Refused, Usage

if TYPE_CHECKING:
    from activities.receipt import Vouched
    from activities.verify import Check
    from activities.witness import Statements
    from contracts.audit import Head

File = Annotated[Path, typer.Argument(metavar="FILE", help="What `gonogo audit ID --export FILE` wrote.")]
Keys = Annotated[
    list[str] | None, typer.Option("--key", metavar="KEY", help="A public key of the recorder, base64url; repeatable.")
]
Services = Annotated[
    Path | None, typer.Option("--services", metavar="FILE", help="Public keys of services; else those of the home.")
]
People = Annotated[
    Path | None, typer.Option("--people", metavar="FILE", help="Public keys of people: check who signed each decision.")
]
Anchors = Annotated[
    Path | None, typer.Option("--anchors", metavar="FILE", help="Heads that the recorder made known elsewhere.")
]


def verify(
    file: File,
    *,
    key: Keys = None,
    services: Services = None,
    people: People = None,
    anchors: Anchors = None,
    as_json: Json = False,
) -> int:
    """Check that a record is whole, unchanged, and signed by the recorder."""
    keys = _recorders(key or [], services)
    witness = _statements(people) if people else None
    vouched = _receipts(services) if services or not key else None
    known = _heads(anchors, keys) if anchors else []
    head = _verified(file, keys, [check for check in (witness, vouched) if check], known)
    anchored = sum(one.chain == head.chain for one in known)
    if anchors and head.ended and not anchored:
        raise Refused(f"{file}: no head in {anchors} is of this record")
    if as_json:
        counts = {"statements": witness.count if witness else None, "receipts": vouched.count if vouched else None}
        document({"head": head, "anchors": anchored, **counts})
        return DONE
    signed = f", {witness.count} signed statements" if witness else ""
    signed += f", {vouched.count} receipts" if vouched and vouched.count else ""
    signed += f", {anchored} anchor{'s' * (anchored != 1)}" if anchors else ""
    ended = "the mission has ended" if head.ended else "the mission had not ended"
    told = f"{file}: whole and unchanged: {head.count} entries of {head.mission}{signed}; {ended}"
    console().print(told, markup=False, soft_wrap=True)
    return DONE


def _verified(file: Path, keys: tuple[str, ...], checks: "list[Check]", anchors: "list[Head]") -> "Head":
    from activities.verify import Broken
    from activities.verify import verify as whole

    try:
        with file.open("rb") as lines:
            return whole(lines, keys, checks, anchors)
    except OSError as error:
        raise Usage(f"{file} cannot be read: {error.strerror}") from None
    except Broken as broken:
        raise Refused(f"{file}: {broken}") from None


def _recorders(given: list[str], services: Path | None) -> tuple[str, ...]:
    """Return the recorder's public keys: those that were given, or those in a file."""
    from activities import public_key, service_keys
    from activities.public_key import KeyRefused

    try:
        for key in given:
            public_key.load(key)
        if given:
            return tuple(given)
        path = services or settings().home / service_keys.FILE
        keys = service_keys.read(path).get("recorder", ())
    except KeyRefused as error:
        raise Usage(f"a public key of the recorder cannot be used: {error}") from None
    if not keys:
        raise Usage(f"{path} has no public key of the recorder: name one with --key, or its file with --services")
    return keys


def _heads(anchors: Path, keys: tuple[str, ...]) -> "list[Head]":
    """Return the heads that a file of anchors has, each signed."""
    from activities.envelope import NotSigned
    from activities.verify import signed_head

    try:
        lines = anchors.read_bytes().splitlines()
    except OSError as error:
        raise Usage(f"{anchors} cannot be read: {error.strerror}") from None
    found = []
    for number, line in enumerate(lines, 1):
        try:
            found.append(signed_head(line, keys))
        except NotSigned as error:
            raise Refused(f"{anchors}: line {number}: {error}") from None
    return found


def _receipts(services: Path | None) -> "Vouched | None":
    """Return what checks receipts, where public keys of the executor are known."""
    from activities import service_keys
    from activities.public_key import KeyRefused
    from activities.receipt import Vouched

    try:
        keys = service_keys.read(services or settings().home / service_keys.FILE).get("executor", ())
    except KeyRefused as error:
        raise Usage(str(error)) from None
    return Vouched(keys) if keys else None


def _statements(people: Path) -> "Statements":
    from activities.people import Unreadable, read
    from activities.witness import Statements

    if not people.is_file():
        raise Usage(f"{people} cannot be read: no such file")
    try:
        return Statements(read(people))
    except Unreadable as error:
        raise Usage(str(error)) from None
