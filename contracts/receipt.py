"""What an executor vouches for once a tool has acted, or failed to: an in-toto statement, in an envelope it signed.

The law: digests stand for what was said and answered, never the words themselves, so a receipt may be shown to anybody.
Each digest is over the one JSON spelling of RFC 8785. `activities/receipt.py` signs and opens receipts.
"""

from datetime import datetime
from typing import Any, ClassVar, Literal

from pydantic import Field, SerializerFunctionWrapHandler, model_serializer

from contracts.base import Message

PAYLOAD_TYPE = "application/vnd.in-toto+json"
RECEIPT = "receipt"
"""Under which the details of a failure have the receipt of what was tried."""
Digests = dict[str, str]
"""By the name of the algorithm: `{sha256: <64 hex digits>}`."""


class Approval(Message):
    """One person's signed word that the executor verified: its id, and the digest of its text."""

    who: str
    jti: str
    token: Digests


class Permission(Message):
    """What the policies said."""

    version: str = ""
    outcome: str = ""
    policies: tuple[str, ...] = ()


class Attempt(Message):
    """An attempt of the same call that failed, as the executor signed it then."""

    attempt: int
    started_at: datetime
    ended_at: datetime
    code: str = ""
    applied: Literal["no", "yes", "unknown"] = "unknown"


class Deed(Message):
    """What was done, or tried: the predicate. Times are the executor's own."""

    LATER: ClassVar[frozenset[str]] = frozenset({"outcome", "code", "applied", "before"})
    """What receipts of before do not say."""

    tool: str
    effect: str
    undoes: str = ""
    """The tool whose effect this takes back."""
    namespace: str
    mission: str
    name: str = ""
    """The mission's name; `mission` is its id."""
    first_run_id: str
    run_id: str
    step: str
    generation: int = 0
    attempt: int = 1
    key: str
    """The idempotency key."""
    arguments: Digests
    approved: str = ""
    """The digest of what people signed, where they were asked: `Subject.digest`."""
    plan: str = ""
    """The digest of the plan that they saw it in."""
    approvals: tuple[Approval, ...] = ()
    policy: Permission = Permission()
    governance: str = ""
    """The version of policies, people and risk that was in force."""
    started_at: datetime
    ended_at: datetime
    executor: str
    """The task queue that it was done on. Whose key signed, the envelope says."""
    outcome: Literal["executed", "failed"] = "executed"
    code: str = ""
    """Of the failure, where it failed."""
    applied: Literal["no", "yes", "unknown"] = "yes"
    """Whether the world was changed, as far as the executor knows."""
    before: tuple[Attempt, ...] = ()
    """What was tried before, the first first. An attempt that is not named left no word, and may have acted."""

    @model_serializer(mode="wrap")
    def _as_signed(self, spell: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Leave out what came later and was not said: a receipt of before keeps its spelling."""
        said = self.model_fields_set
        return {name: value for name, value in spell(self).items() if name in said or name not in self.LATER}


class Named(Message):
    """What a statement is about: the result of the step, or the words of its failure, by its digest."""

    name: str
    digest: Digests


class Statement(Message):
    """The signed text."""

    type: Literal["https://in-toto.io/Statement/v1"] = Field(default="https://in-toto.io/Statement/v1", alias="_type")
    subject: tuple[Named, ...] = Field(min_length=1, max_length=1)
    predicate_type: Literal["urn:gonogo:action-receipt:v1"] = Field(
        default="urn:gonogo:action-receipt:v1", alias="predicateType"
    )
    predicate: Deed


Envelope = dict[str, Any]
"""A DSSE envelope as JSON has it."""
