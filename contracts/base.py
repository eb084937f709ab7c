"""The two bases of every model that crosses a boundary.

A `Document` is what a person writes: unknown fields are mistakes and are refused.
A `Message` is what travels in history: unknown fields are ignored and every new field has a default,
so that a worker can be rolled back to the release before it.
"""

import hashlib
import json
from typing import Any

from pydantic import BaseModel, ConfigDict


class Document(BaseModel):
    """What a person writes. Frozen; unknown fields are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Message(BaseModel):
    """What travels in history. Frozen; unknown fields are ignored."""

    model_config = ConfigDict(frozen=True, extra="ignore")


def canonical(value: Any) -> bytes:
    """Return the one JSON spelling of a value: sorted keys, no spaces, UTF-8.

    Models are dumped in JSON mode first. NaN and infinities are refused with `ValueError`: they are no JSON.
    """
    if isinstance(value, BaseModel):
        value = value.model_dump(mode="json")
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()


def digest(value: Any) -> str:
    """Return `sha256:<64 hex digits>` over the canonical JSON of a value."""
    return "sha256:" + hashlib.sha256(canonical(value)).hexdigest()
