"""Signed envelopes (DSSE): what a service vouches for, in a form that other tools can check too.

The law: nothing of an envelope is believed before a signature of a key that was named beforehand verified; it says
itself only which key. What people sign are statements of their own: `activities/statement.py`.
"""

import base64
from collections.abc import Iterable, Mapping
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from securesystemslib.dsse import Envelope

from activities import public_key


class NotSigned(Exception):
    """An envelope that vouches for nothing, with the reason."""


def seal(payload: bytes, kind: str, key: Ed25519PrivateKey) -> dict[str, Any]:
    """Sign what something is, and return the envelope as JSON has it."""
    signature = key.sign(Envelope(payload, kind, {}).pae())
    signer = public_key.kid(public_key.spell(key.public_key()))
    return {
        "payload": _base64(payload),
        "payloadType": kind,
        "signatures": [{"keyid": signer, "sig": _base64(signature)}],
    }


def unseal(envelope: Mapping[str, Any], kind: str, keys: Iterable[str]) -> bytes:
    """Return what one of these public keys signed as this kind of thing, or raise `NotSigned`."""
    known = {public_key.kid(key): key for key in keys}
    try:
        payload, signatures = _decoded(envelope["payload"]), list(envelope["signatures"])
        named = [(str(one["keyid"]), _decoded(one["sig"])) for one in signatures]
    except (KeyError, TypeError, ValueError):
        raise NotSigned("the envelope cannot be read") from None
    if envelope.get("payloadType") != kind:
        raise NotSigned(f"the envelope is of another kind of thing than {kind}")
    if len(named) != 1:
        raise NotSigned("the envelope has not one signature")
    [(signer, signature)] = named
    if signer not in known:
        raise NotSigned("the envelope is signed with a key that is not among those which count")
    try:
        public_key.load(known[signer]).verify(signature, Envelope(payload, kind, {}).pae())
    except InvalidSignature:
        raise NotSigned("the signature does not fit: it was changed, or somebody else signed") from None
    return payload


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _decoded(text: str) -> bytes:
    """Read base64 in its one spelling."""
    data = base64.b64decode(text, validate=True)
    if _base64(data) != text:
        raise ValueError("not in its one spelling")
    return data
