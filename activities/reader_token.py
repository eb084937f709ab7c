"""Tokens by which people may read what is encrypted, where it is read for them: each signed with its owner's key.

Law: a token says who reads, and nothing else; no decision is one, and one is no decision. The other half is
`runtime/codec_server.py`.
"""

import time
from pathlib import Path

import jwt

from activities import keys, public_key
from activities.people import Directory
from activities.statement import Refusal, show

TYPE = "gonogo-reader+jwt"
AUDIENCE = "gonogo-codec"
HOURS = 8
LONGEST = HOURS * 3600
TEXT = 4_000


def sign(home: Path, person: str, now: float | None = None) -> str:
    """Return a token of a person whose key lies here."""
    key = keys.private(home, person)
    at = int(time.time() if now is None else now)
    claims = {"iss": person, "aud": AUDIENCE, "iat": at, "exp": at + LONGEST}
    kid = public_key.kid(public_key.spell(key.public_key()))
    return jwt.encode(claims, key, algorithm="EdDSA", headers={"typ": TYPE, "kid": kid})


def reader(token: str, directory: Directory) -> str:
    """Return who a token is of, or raise `Refusal`."""
    try:
        if len(token) > TEXT or jwt.get_unverified_header(token).get("typ") != TYPE:
            raise Refusal("this is no token of a reader")
        kid = jwt.get_unverified_header(token).get("kid")
        people = directory.people().people
        owners = [(name, key) for name, person in people.items() for key in person.keys if public_key.kid(key) == kid]
        if len(owners) != 1:
            raise Refusal("the token's key is registered to nobody, or to several")
        name, key = owners[0]
        claims = jwt.decode(
            token,
            public_key.load(key),
            algorithms=["EdDSA"],
            audience=AUDIENCE,
            options={"require": ["iss", "aud", "iat", "exp"]},
        )
    except (jwt.PyJWTError, public_key.KeyRefused, ValueError) as error:
        raise Refusal(f"the token does not count: {str(error)[:100]}") from None
    if claims["iss"] != name or claims["exp"] - claims["iat"] > LONGEST:
        raise Refusal(f"the token is not one that {show(name)} may have")
    return name
