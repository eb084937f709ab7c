"""The order to start a mission, signed by whoever gives it. A start carries no identity of its own.

The law: an order names one mission under one id, one plan, one set of inputs, for minutes. `activities/admission.py`
checks it against what the server says was started.
"""

from typing import Any

from contracts.base import Message, digest

ORDER_TYPE = "gonogo-order+jwt"


class OrderClaims(Message):
    """What an order says. `more` is the digest of whatever else the mission is started with."""

    iss: str
    iat: int
    exp: int
    mission: str
    plan: str
    inputs: str
    more: str = ""


def rest(given: dict[str, Any]) -> str:
    """Return the digest of what a mission is started with beside its plan and its inputs, as it is sent."""
    carried = {name: value for name, value in (given.get("carried") or {}).items() if value}
    return digest([bool(given.get("fresh")), given.get("rerun_of") or "", carried])
