"""Public keys as people files spell them: base64url of 32 bytes, without padding.

Law: a key under which anyone could sign is refused wherever one is read, at registration and at each use.
"""

import base64
import hashlib
import json

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

FIELD = 2**255 - 19
ORDER_8 = 0x05FC536D880238B13933C6D305ACDFD5F098EFF289F4C345B027B2C28F95E826
SMALL_ORDER = frozenset({0, 1, FIELD - 1, ORDER_8, FIELD - ORDER_8})
"""The y of every point whose order divides 8, with either sign of x: 8 points in 14 encodings."""


class KeyRefused(Exception):
    """A key that may not be made, read or used, with the sentence that says why and what to do instead."""


def spell(key: Ed25519PublicKey) -> str:
    """Return a public key as people files have it."""
    return _base64url(key.public_bytes(Encoding.Raw, PublicFormat.Raw))


def kid(text: str) -> str:
    """Return the RFC 7638 thumbprint of a public key as people files spell it."""
    jwk = {"crv": "Ed25519", "kty": "OKP", "x": text}
    return _base64url(hashlib.sha256(json.dumps(jwk, separators=(",", ":")).encode()).digest())


def load(text: str) -> Ed25519PublicKey:
    """Read a public key as people files spell it, or raise `KeyRefused`."""
    try:
        raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except ValueError:
        raise KeyRefused("it is no base64url text") from None
    check_public_key(raw)
    if _base64url(raw) != text:
        raise KeyRefused("it is not in its one canonical spelling")
    return Ed25519PublicKey.from_public_bytes(raw)


def check_public_key(raw: bytes) -> None:
    """Refuse what is no strong Ed25519 public key: wrong length, a y beyond the field, a point of small order.

    Under a point of small order anyone can make signatures that verify.
    """
    if len(raw) != 32:
        raise KeyRefused(f"it has {len(raw)} bytes and should have 32")
    y = int.from_bytes(raw, "little") & (2**255 - 1)
    if y % FIELD in SMALL_ORDER:
        raise KeyRefused("it is weak: its point has a small order, so anyone could sign for it")
    if y >= FIELD:
        raise KeyRefused("it is not in its one canonical encoding")


def _base64url(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
