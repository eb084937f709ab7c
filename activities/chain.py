"""How a record is spelt: one JSON object a line (RFC 8785), each entry with the hash of the one before.

The law: a line has one spelling, so that no byte of it can change unseen. What JSON cannot carry between languages, as
integers beyond 2^53, is written as text. `activities/verify.py` reads what is written here.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import rfc8785

from contracts.audit import AuditEntry, Chain, Head

EXACT = 2**53 - 1


@dataclass(frozen=True)
class Link:
    """One entry in its place. `line` is how it stands in a file, without the end of the line."""

    seq: int
    prev: str
    hash: str
    content: bytes

    @property
    def line(self) -> bytes:
        return b'{"content":%b,"hash":"%b","prev":"%b","seq":%d}' % (
            self.content,
            self.hash.encode(),
            self.prev.encode(),
            self.seq,
        )


def linked(content: bytes, prev: str, seq: int) -> Link:
    """Put an entry in its place. Its hash is of its content, the hash before, and its number."""
    hashed = b'{"content":%b,"prev":"%b","seq":%d}' % (content, prev.encode(), seq)
    return Link(seq, prev, hash_of(hashed), content)


def links(entries: Iterable[AuditEntry], prev: str, after: int = 0) -> Iterator[Link]:
    """Chain entries to what is before them."""
    for seq, entry in enumerate(entries, after + 1):
        link = linked(spelt(entry.model_dump(mode="json")), prev, seq)
        prev = link.hash
        yield link


def genesis(chain: Chain) -> str:
    """Return what the first entry is chained to."""
    return hash_of(spelt(chain.model_dump(mode="json")))


def header(chain: Chain, runs: Sequence[str]) -> bytes:
    """Return the first line: what the record is of, and the runs that it tells of."""
    return spelt({"header": {**chain.model_dump(mode="json"), "runs": list(runs)}})


def footer(head: Head, envelope: Mapping[str, Any]) -> bytes:
    """Return the last line: the head, and the same signed."""
    return spelt({"envelope": dict(envelope), "head": head.model_dump(mode="json")})


def hash_of(data: bytes) -> str:
    """Return `sha256:<64 hex digits>`."""
    return "sha256:" + hashlib.sha256(data).hexdigest()


def spelt(value: Any) -> bytes:
    """Return the one spelling of a value."""
    return rfc8785.dumps(_portable(value))


def _portable(value: Any) -> Any:
    """Return a value as every reader of JSON understands it."""
    match value:
        case str():
            return value.encode("utf-8", "replace").decode() if not value.isascii() else value
        case bool() | None:
            return value
        case int() if abs(value) > EXACT:
            return str(value)
        case Mapping():
            return {_portable(str(name)): _portable(item) for name, item in value.items()}
        case list() | tuple():
            return [_portable(item) for item in value]
        case _:
            return value
