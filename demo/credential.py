"""Credentials that the company wants to see before anything changes: a signed word for one call, good once.

Law: a credential names the tool, the digest of the arguments and the idempotency key of the very call that brings it,
and has not run out. It is spent in the transaction of the effect. Whose signature counts is read from a file, and a
file that cannot be read lets nobody in.
"""

import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jwt
import yaml

from demo.answer import Rejected

TYPE = "gonogo-step+jwt"
ISSUER = "gonogo/broker"
AUDIENCE = "company"
LEEWAY = 30
"""Seconds by which two clocks may differ."""
LONGEST = 600
"""Seconds for which a credential may be good: whoever issues longer ones is not believed."""
CLAIMS = ["iss", "aud", "sub", "iat", "exp", "jti", "mission", "step", "tool", "arguments", "key"]


@dataclass(frozen=True)
class Warrant:
    """What came of a credential: its id, or why it does not count."""

    id: str = ""
    problem: str = ""

    def spend(self, db: sqlite3.Connection) -> None:
        """Use it up, together with the effect that it is for."""
        if self.problem:
            raise Rejected(self.problem)
        if db.execute("INSERT OR IGNORE INTO credentials (id) VALUES (?)", (self.id,)).rowcount == 0:
            raise Rejected("this credential was used already: each is good for one call")


class Gatekeeper:
    """Reads credentials by the keys in a file: `services: {broker: [KEY, …]}`, base64url of Ed25519 keys."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def warrant(self, bearer: str, tool: str, digest: str, key: str | None) -> Warrant:
        """Return what a call's credential is good for."""
        if not bearer:
            return Warrant(problem=f"{tool} changes the world: it takes a credential for this call, and none came")
        try:
            claims = self._read(bearer)
        except (jwt.PyJWTError, ValueError) as error:
            return Warrant(problem=f"the credential does not count: {str(error) or type(error).__name__}")
        except (OSError, yaml.YAMLError, LookupError, TypeError):
            return Warrant(problem="no credential can be checked now: the keys that sign them cannot be read")
        named = {"tool": tool, "arguments": digest, "key": key}
        wrong = [name for name, value in named.items() if claims[name] != value]
        if wrong:
            return Warrant(problem=f"the credential is for another call: its {' and '.join(wrong)} differ")
        return Warrant(str(claims["jti"]))

    def _read(self, bearer: str) -> Mapping[str, Any]:
        known = yaml.safe_load(self._file.read_text(encoding="utf-8"))["services"]["broker"]
        if jwt.get_unverified_header(bearer).get("typ") != TYPE:
            raise ValueError("it is of another kind")
        refusal: jwt.PyJWTError = jwt.InvalidSignatureError("nobody whom the company trusts has signed it")
        for text in known:
            key = jwt.PyJWK({"kty": "OKP", "crv": "Ed25519", "x": text}, algorithm="EdDSA")
            try:
                claims: dict[str, Any] = jwt.decode(
                    bearer,
                    key,
                    algorithms=["EdDSA"],
                    audience=AUDIENCE,
                    issuer=ISSUER,
                    leeway=LEEWAY,
                    options={"require": CLAIMS},
                )
            except jwt.InvalidSignatureError:
                continue
            if claims["exp"] - claims["iat"] > LONGEST:
                raise ValueError(f"it is good for more than {LONGEST} seconds")
            return claims
        raise refusal
