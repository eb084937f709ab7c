"""Content that is known by its digest: what is too large for a history, and the files that steps yield.

The law: what is read is what was written, or it is an error; a digest from outside is no path. What lies there is as
encrypted as its seal says, and so is its name: short contents could be guessed from their digests. Payloads come
encrypted already. The folder or bucket is what `runtime/settings.py` says; `runtime/payloads.py` and
`activities/artifacts.py` are its two uses.
"""

import hashlib
import re
from contextlib import suppress

import obstore
from obstore.exceptions import BaseError
from obstore.store import LocalStore, ObjectStore, S3Store

from activities.seal import Clear, Seal, Unsealed

DIGEST = re.compile(r"sha256:([0-9a-f]{64})")
RETRIES = {"max_retries": 4}
CONTENT = "content"
"""What a content is sealed as."""


class ContentLost(Exception):
    """What a digest names cannot be had, with the place where it was looked for."""


class ContentStore:
    """A folder, or an S3 bucket (`s3://bucket/prefix`, with the credentials and endpoint of the `AWS_…` variables)."""

    def __init__(self, place: str, seal: Seal | None = None) -> None:
        self._place = place
        self._seal = seal or Clear()
        self._opened: ObjectStore | None = None

    async def put(self, data: bytes) -> str:
        """Keep content and return its digest. What is there already is only written again."""
        hexadecimal = hashlib.sha256(data).hexdigest()
        try:
            kept = self._seal.close(data, CONTENT, hexadecimal)
            await obstore.put_async(self._store(), _key(self._seal.names(hexadecimal)[0]), kept)
        except (BaseError, OSError, ValueError) as error:
            raise ContentLost(f"nothing can be kept in {self._place}: {_said(error)}") from error
        return f"sha256:{hexadecimal}"

    async def get(self, digest: str) -> bytes:
        """Return what a digest names, checked against it. Raises `ContentLost`."""
        known = DIGEST.fullmatch(digest)
        if known is None:
            raise ContentLost(f"{digest[:80]!r} is no digest")
        try:
            data = self._seal.open(await self._found(self._seal.names(known[1])), CONTENT, known[1])
        except Unsealed as why:
            raise ContentLost(f"what {self._place} has under {digest} cannot be read: {why}") from None
        except FileNotFoundError:
            raise ContentLost(f"{self._place} has no {digest}; GONOGO_PAYLOADS says where it is looked for") from None
        except (BaseError, OSError, ValueError) as error:
            raise ContentLost(f"{self._place} cannot be read: {_said(error)}") from error
        if hashlib.sha256(data).hexdigest() != known[1]:
            raise ContentLost(f"what {self._place} has under {digest} is something else")
        return data

    async def _found(self, names: tuple[str, ...]) -> bytes:
        """Return what lies under the first of these names that is there."""
        for name in names[:-1]:
            with suppress(FileNotFoundError):
                return await self._read(name)
        return await self._read(names[-1])

    async def _read(self, name: str) -> bytes:
        found = await obstore.get_async(self._store(), _key(name))
        return bytes(await found.bytes_async())

    def _store(self) -> ObjectStore:
        """Open the place when it is first needed: most commands never do."""
        if self._opened is None:
            s3 = self._place.startswith("s3://")
            if s3:
                self._opened = S3Store.from_url(self._place, retry_config=RETRIES)  # type: ignore[arg-type]
            else:
                self._opened = LocalStore(prefix=self._place, mkdir=True)
        return self._opened


def _key(hexadecimal: str) -> str:
    """Return where content lies: in 256 folders, since one with a million files is slow."""
    return f"{hexadecimal[:2]}/{hexadecimal}"


def _said(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:200]
