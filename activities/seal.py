"""Encrypt what is kept, bound to what it is: AES-256-GCM, with what it belongs to as associated data.

The law: what was sealed for one thing opens for that thing alone, and what was not sealed opens for nothing. Payloads
(`runtime/codec.py`), files (`activities/content.py`) and answers (`activities/books/answer.py`) are its uses.
"""

import base64
import hmac
import secrets
from typing import Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

from activities.payload_keys import BYTES, Keys
from contracts.veil import marked

MAGIC = b"gonogo\x01"
SEALED = "sealed:"
"""What a JSON text never begins with."""
NAMING = b"gonogo names"
"""What the key of names is derived for: one key is used for one thing."""
NONCE = 12
TAG = 16


class Unsealed(Exception):
    """What cannot be opened, with the sentence that says why. It never tells what is inside."""


class KeyMissing(Unsealed):
    """What may be good, and was encrypted with a key that is not here."""


class Seal(Protocol):
    """How contents are kept."""

    def close(self, plain: bytes, *bound: str) -> bytes:
        """Return what is kept of a content that belongs to something."""
        ...

    def open(self, kept: bytes, *bound: str) -> bytes:
        """Return the content, if it belongs to that. Raises `Unsealed`."""
        ...

    def names(self, plain: str) -> tuple[str, ...]:
        """Return how what is known by something is called where it is kept: now, and as it may have been before."""
        ...


class Clear:
    """Contents are kept as they are. What somebody sealed is told from them."""

    def close(self, plain: bytes, *bound: str) -> bytes:
        del bound
        return plain

    def open(self, kept: bytes, *bound: str) -> bytes:
        del bound
        if kept.startswith(MAGIC):
            raise KeyMissing("it is encrypted, and no keys are here; GONOGO_PAYLOAD_KEYS names the file that has them")
        return kept

    def names(self, plain: str) -> tuple[str, ...]:
        return (plain,)


class Sealed:
    """Contents are encrypted with the current key."""

    def __init__(self, keys: Keys) -> None:
        self._keys = keys

    def close(self, plain: bytes, *bound: str) -> bytes:
        name, key = self._keys.current()
        head = MAGIC + bytes([len(name)]) + name.encode()
        nonce = secrets.token_bytes(NONCE)
        return head + nonce + AESGCM(key).encrypt(nonce, plain, _associated(head, bound))

    def open(self, kept: bytes, *bound: str) -> bytes:
        if not kept.startswith(MAGIC):
            raise Unsealed("it is not encrypted")
        at = len(MAGIC) + 1
        if len(kept) < at or len(kept) < (at := at + kept[at - 1]) + NONCE + TAG:
            raise Unsealed("it is cut short")
        head, nonce, rest = kept[:at], kept[at : at + NONCE], kept[at + NONCE :]
        name = head[len(MAGIC) + 1 :].decode("ascii", "replace")
        key = self._keys.find(name)
        if key is None:
            raise KeyMissing(f"it is encrypted with the key {name!r}, which is not among those here")
        try:
            return AESGCM(key).decrypt(nonce, rest, _associated(head, bound))
        except InvalidTag:
            raise Unsealed("it was encrypted for something else, or it was changed") from None

    def names(self, plain: str) -> tuple[str, ...]:
        """Return names by which nobody without a key can check a guess; the last is from before there were keys."""
        return (*(_keyed(key, plain) for key in self._keys.all()), plain)


def at(seal: Seal, path: str) -> str:
    """Return the path of a step as it may stand in the clear."""
    return marked(path, lambda key: seal.names(key)[0]) if not isinstance(seal, Clear) else path


def close_text(seal: Seal, text: str, *bound: str) -> str:
    """Return what is kept of a JSON text, as text."""
    kept = seal.close(text.encode(), *bound)
    return SEALED + base64.b64encode(kept).decode() if kept.startswith(MAGIC) else text


def open_text(seal: Seal, kept: str, *bound: str) -> str:
    """Return a JSON text that was kept. Raises `Unsealed`."""
    sealed = kept.startswith(SEALED)
    return seal.open(base64.b64decode(kept[len(SEALED) :]) if sealed else kept.encode(), *bound).decode()


def _keyed(key: bytes, plain: str) -> str:
    own = HKDFExpand(hashes.SHA256(), BYTES, NAMING).derive(key)
    return hmac.new(own, plain.encode(), "sha256").hexdigest()


def _associated(head: bytes, bound: tuple[str, ...]) -> bytes:
    """Return what something belongs to, so spelt that no two spell the same."""
    parts = [head, *(part.encode() for part in bound)]
    return b"".join(len(part).to_bytes(4) + part for part in parts)
