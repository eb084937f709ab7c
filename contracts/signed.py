"""What people sign of a mission before it may run: all of its plan that decides what is done and who is asked.

The law: what is signed says the same on every release that means the same by it. A field that says what it would say
anyway stays out; what kind of thing each is stands there. `activities/signature.py` signs and checks.
"""

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel
from pydantic_core import to_jsonable_python

from contracts.base import Message, digest
from contracts.plan import Plan
from contracts.step import Place

SIGNED_TYPE = "application/vnd.gonogo.signed+json"
"""What a signed definition or set of policies is, as its envelope (DSSE) says."""
POLICIES = "policies"
"""How the policies are called where they are signed."""
BESIDE = frozenset({"people", "notify", "digest", "signatures"})
"""Of a plan, what says who there is and where it was frozen, and not what runs."""


class Signed(Message):
    """The signed text: this person vouches for what has this digest."""

    what: str
    """`mission NAME VERSION`, or `policies`."""
    digest: str
    by: str
    at: str


def of_mission(name: str, version: str) -> str:
    """Return how a mission is called where it is signed."""
    return f"mission {name} {version}"


def content(plan: Plan) -> str:
    """Return the digest of what a plan does, with those of the missions that it starts."""
    return digest(_plain(plan))


def _plain(value: Any) -> Any:
    match value:
        case BaseModel():
            beside = BESIDE if isinstance(value, Plan) else frozenset()
            said = {name: getattr(value, name) for name in type(value).model_fields if name not in beside}
            # Where something was written is no part of what it says.
            known = {
                name: _plain(one)
                for name, one in said.items()
                if not isinstance(one, Place) and not _usual(value, name, one)
            }
            return {"": type(value).__name__, **known}
        case Mapping():
            return {str(name): _plain(one) for name, one in value.items()}
        case list() | tuple():
            return [_plain(one) for one in value]
        case _:
            return to_jsonable_python(value)


def _usual(model: BaseModel, name: str, value: Any) -> bool:
    field = type(model).model_fields[name]
    return bool(field.exclude) or value == field.get_default(call_default_factory=True)
