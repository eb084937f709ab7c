"""A court for tests: what a sender is told, and tokens good and bad."""

import base64
import json
from pathlib import Path
from typing import Any

from activities import keys
from activities.identity import judge
from tests.activities.office import claims, hearing

NOT_SIGNED = "the signature does not fit: the token was forged, changed or cut short"


def told(home: Path, token: str, *openings: Any, **fields: Any) -> str:
    """Return the reason of a refusal; of an accepted decision, that it was accepted."""
    ruling = judge(hearing(token, *openings, **fields), keys.registered(home))
    return "accepted" if ruling.accepted else ruling.reason


def signed(home: Path, **fields: Any) -> str:
    said = claims(**fields)
    return keys.sign(home, said.iss, said)


def encoded(value: Any) -> str:
    raw = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
