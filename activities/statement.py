"""Signed statements: a decision's claims as a compact JWS, and back.

Law: nothing of a token is believed before its signature verified under a key that the directory gives to one person.
The header chooses neither the algorithm nor the key; it only names one. `activities/identity.py` judges what the
claims say.
"""

import json
from typing import Any, TypeVar

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from jwt.api_jws import PyJWS
from jwt.exceptions import PyJWTError
from jwt.utils import base64url_decode
from pydantic import ValidationError

from activities import public_key
from contracts.base import canonical
from contracts.decision import LONGEST_TOKEN, TOKEN_TYPE, Claims
from contracts.order import ORDER_TYPE, OrderClaims
from contracts.workspace import PeopleFile

Said = TypeVar("Said", Claims, OrderClaims)
LATEST = 253_402_300_799
"""The last second of the year 9999."""


class Refusal(Exception):
    """A statement that does not count, with the reason that its sender is told."""


def seal(key: Ed25519PrivateKey, kid: str, claims: Claims | OrderClaims) -> str:
    """Sign claims and return the compact JWS."""
    kind = ORDER_TYPE if isinstance(claims, OrderClaims) else TOKEN_TYPE
    return PyJWS().encode(canonical(claims), key, algorithm="EdDSA", headers={"typ": kind, "kid": kid})


def unseal(token: str, people: PeopleFile) -> Claims:
    """Return the claims of a decision that its signer really signed, or raise `Refusal`."""
    return _unsealed(token, people, TOKEN_TYPE, Claims)


def unseal_order(token: str, people: PeopleFile) -> OrderClaims:
    """Return the claims of an order that its signer really signed, or raise `Refusal`."""
    return _unsealed(token, people, ORDER_TYPE, OrderClaims)


def _unsealed(token: str, people: PeopleFile, kind: str, model: type[Said]) -> Said:
    if len(token) > LONGEST_TOKEN:
        raise Refusal(f"the decision is longer than {LONGEST_TOKEN // 1024} kB")
    parts = token.split(".")
    if len(parts) != 3 or not token.isascii():
        raise Refusal("a decision is a signed token of three parts with dots between them; this is none")
    owner, text = _owner(_header(parts[0], kind), people)
    claims = _claims(_verified(token, text, owner), model)
    if claims.iss != owner:
        raise Refusal(f"the decision is by {show(claims.iss)}, but its key is registered to {show(owner)}")
    return claims


def show(text: Any) -> str:
    """Quote what a stranger wrote: short, on one line, without control characters."""
    quoted = ascii(text)
    return quoted if len(quoted) <= 80 else quoted[:77] + "..."


def _header(part: str, kind: str) -> dict[str, Any]:
    header = _object(_decoded(part, "header"), "header")
    if header.get("alg") != "EdDSA":
        raise Refusal(f"the token says it is signed with {show(header.get('alg'))}; only 'EdDSA' is accepted")
    if header.get("typ") != kind:
        raise Refusal(f"the token is a {show(header.get('typ'))}, not a '{kind}'")
    for name in ("crit", "b64"):
        if name in header:
            raise Refusal(f"the token's header has '{name}', which no decision needs")
    return header


def _owner(header: dict[str, Any], people: PeopleFile) -> tuple[str, str]:
    """Return the one person whose key the header names, and that key."""
    wanted = header.get("kid")
    owners = [
        (name, key) for name, person in people.people.items() for key in person.keys if public_key.kid(key) == wanted
    ]
    if not owners:
        raise Refusal("the token's key is registered to nobody: it is unknown or was revoked")
    if len(owners) > 1:
        names = ", ".join(sorted(name for name, _ in owners))
        raise Refusal(f"the token's key is registered to several people ({names}), so it speaks for nobody")
    return owners[0]


def _verified(token: str, text: str, owner: str) -> bytes:
    """Return the payload under a signature that verifies."""
    try:
        payload: bytes = PyJWS().decode(token, key=public_key.load(text), algorithms=["EdDSA"])
    except public_key.KeyRefused as error:
        raise Refusal(f"the key registered to {show(owner)} does not count: {error}") from None
    except (PyJWTError, InvalidSignature, ValueError, RecursionError):
        raise Refusal("the signature does not fit: the token was forged, changed or cut short") from None
    return payload


def _claims(payload: bytes, model: type[Said]) -> Said:
    try:
        claims = model.model_validate(_object(payload, "statement"), strict=True)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise Refusal(f"the statement cannot be read at {show(place)}: {first['msg']}") from None
    if not (0 <= claims.iat <= LATEST and 0 <= claims.exp <= LATEST):
        raise Refusal("the statement's times are out of range")
    return claims


def _decoded(part: str, what: str) -> bytes:
    try:
        return base64url_decode(part)
    except ValueError:
        raise Refusal(f"the token's {what} cannot be read") from None


def _object(raw: bytes, what: str) -> dict[str, Any]:
    """Read a JSON object strictly: no second value for a name, no NaN, no halves of letters."""
    try:
        value = json.loads(raw, object_pairs_hook=_unique)
        canonical(value)
    except (ValueError, RecursionError):
        raise Refusal(f"the token's {what} cannot be read") from None
    if not isinstance(value, dict):
        raise Refusal(f"the token's {what} cannot be read")
    return value


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise ValueError("a name stands twice")
    return value
