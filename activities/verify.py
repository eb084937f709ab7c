"""Whether a record is whole and nobody changed it: read line by line, with the recorder's public keys and nothing else.

The law: the first line that does not fit is named, and why; what follows it is not believed. How a record is spelt is
`activities/chain.py`, who spoke in it `activities/witness.py`.
"""

import json
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NoReturn

from pydantic import ValidationError

from activities.chain import Link, footer, genesis, header, linked, spelt
from activities.envelope import NotSigned, unseal
from contracts.audit import FORMAT, HEAD_TYPE, Chain, Head

Check = Callable[[dict[str, Any]], None]
"""Looks closer at an entry; raises `Suspect` where something is wrong with it."""
LONGEST = 200
START, MIDDLE, BEFORE = b'{"content":', b',"hash":"', b'","prev":"'
NUMBER = b'","seq":'


class Broken(Exception):
    """What is wrong with a record, and in which line."""

    def __init__(self, line: int, said: str) -> None:
        super().__init__(f"line {line}: {said}" if line else said)
        self.line = line


class Suspect(Exception):
    """What is wrong with one entry."""


def verify(
    lines: Iterable[bytes], keys: Iterable[str], checks: Iterable[Check] = (), anchors: Iterable[Head] = ()
) -> Head:
    """Return the head of a record in which nothing is wrong, or raise `Broken`.

    `anchors` are heads that were signed and are known from elsewhere; those of other records say nothing here.
    """
    numbered = enumerate(lines, 1)
    chain, runs = _header(_whole(*next(numbered, (1, b""))))
    prev, seq, number, last = genesis(chain), 0, 1, None
    known_at = {head.count: head.hash for head in anchors if head.chain == prev}
    checks, known = tuple(checks), frozenset(runs)
    for number, line in numbered:
        text = _whole(number, line)
        if last is not None:
            raise Broken(number, "something stands after the head")
        if not text.startswith(START):
            last = text
            continue
        link = _entry(number, text, prev, seq + 1)
        prev, seq = link.hash, link.seq
        if known_at.get(seq, prev) != prev:
            raise Broken(number, f"entry {seq} is not the one that is anchored: the record was made anew")
        _look(number, link.content, known, checks)
    if last is None:
        raise Broken(number, f"the record ends after entry {seq} without its head: its end was cut off")
    if (most := max(known_at, default=0)) > seq:
        raise Broken(number, f"an anchor knows of {most} entries, and there are {seq}: its end was cut off")
    return _head(number, last, Head(chain=genesis(chain), mission=chain.mission, count=seq, hash=prev, runs=runs), keys)


def signed_head(text: bytes, keys: Iterable[str]) -> Head:
    """Return a head that stands alone with its envelope, as anchors have it. Raises `NotSigned`."""
    try:
        said = json.loads(text)
        head = Head.model_validate(said["head"])
        signed = unseal(said["envelope"], HEAD_TYPE, keys)
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError):
        raise NotSigned("it is no signed head") from None
    if signed != spelt(head.model_dump(mode="json")):
        raise NotSigned("the head is not what was signed")
    return head


def _whole(number: int, line: bytes) -> bytes:
    if not line:
        raise Broken(0, "the record is empty")
    if not line.endswith(b"\n"):
        raise Broken(number, "the line does not end: the record was cut off")
    return line[:-1]


def _header(text: bytes) -> tuple[Chain, tuple[str, ...]]:
    said = _object(1, text, "the first line is no header of a record")
    try:
        given = said["header"]
        runs = tuple(map(str, given["runs"]))
        chain = Chain.model_validate({name: value for name, value in given.items() if name != "runs"})
    except (KeyError, TypeError, AttributeError, ValidationError):
        raise Broken(1, "the first line is no header of a record") from None
    if chain.format != FORMAT:
        raise Broken(1, f"the record is of the format {chain.format[:LONGEST]!r}; this release reads {FORMAT!r}")
    if header(chain, runs) != text:
        raise Broken(1, "the header was changed")
    return chain, runs


def _entry(number: int, text: bytes, prev: str, due: int) -> Link:
    """Return an entry, if it is the one that is due here."""
    link = _parts(number, text)
    seq = link.seq
    if linked(link.content, link.prev, seq).hash != link.hash:
        raise Broken(number, f"entry {seq} was changed: its hash does not fit what it says")
    if seq > due:
        raise Broken(number, f"entry {due} is due here, and entry {seq} stands here: {_many(due, seq - 1)} taken out")
    if seq < due:
        raise Broken(number, f"entry {due} is due here, and entry {seq} stands here: it was put in, or moved")
    if link.prev != prev:
        at = "the header" if due == 1 else f"entry {due - 1}"
        raise Broken(number, f"entry {seq} does not follow {at}: one of both was changed, put in or moved")
    return link


def _parts(number: int, text: bytes) -> Link:
    """Take an entry apart. Whatever cannot be put together again to the same bytes is none."""
    content, _, rest = text[len(START) :].rpartition(MIDDLE)
    hashed, _, rest = rest.partition(BEFORE)
    before, _, seq = rest.partition(NUMBER)
    try:
        link = Link(int(seq.removesuffix(b"}")), before.decode("ascii"), hashed.decode("ascii"), content)
    except ValueError:
        _unreadable(number)
    if link.line != text:
        _unreadable(number)
    return link


def _unreadable(number: int) -> NoReturn:
    raise Broken(number, "it is no entry of a record: it was changed")


def _look(number: int, content: bytes, runs: frozenset[str], checks: tuple[Check, ...]) -> None:
    """Look at what an entry says. Its bytes are already known to be those that were hashed."""
    said = _object(number, content, "what the entry says cannot be read")
    if said.get("run_id") not in runs:
        raise Broken(number, "the entry is of a run that the header does not name")
    for check in checks:
        try:
            check(said)
        except Suspect as suspect:
            raise Broken(number, str(suspect)) from None


def _head(number: int, text: bytes, found: Head, keys: Iterable[str]) -> Head:
    said = _object(number, text, "it is neither an entry nor the head of a record")
    try:
        head, envelope = Head.model_validate(said["head"]), dict(said["envelope"])
    except (KeyError, TypeError, ValueError, ValidationError):
        raise Broken(number, "it is neither an entry nor the head of a record") from None
    for wrong in _differences(head, found):
        raise Broken(number, wrong)
    try:
        signed = unseal(envelope, HEAD_TYPE, keys)
    except NotSigned as error:
        raise Broken(number, f"the head is not the recorder's: {error}") from None
    if signed != spelt(head.model_dump(mode="json")) or footer(head, envelope) != text:
        raise Broken(number, "the head is not what the recorder signed: it was changed")
    return head


def _differences(head: Head, found: Head) -> Iterator[str]:
    """Yield what a head says otherwise than the lines before it do."""
    if (head.chain, head.mission) != (found.chain, found.mission):
        yield "the head is that of another record, or the header was changed"
    there = f"the head is of {head.count} entries, and there are {found.count}"
    if head.count > found.count:
        yield f"{there}: {_many(found.count + 1, head.count)} taken out"
    if head.count < found.count:
        yield f"{there}: {_many(head.count + 1, found.count)} put in"
    if head.hash != found.hash:
        yield "the head is not of these entries: the record was made anew, or the head was changed"
    if head.runs != found.runs:
        yield "the header and the head name other runs: one of both was changed"


def _many(first: int, last: int) -> str:
    return f"entry {first} was" if first == last else f"entries {first} to {last} were"


def _object(number: int, text: bytes, otherwise: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        raise Broken(number, otherwise) from None
    if not isinstance(value, dict):
        raise Broken(number, otherwise)
    return value
