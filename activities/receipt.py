"""Receipts of what was done: begun before a tool acts, signed once it has or could not, opened with the public keys.

Law: a receipt is signed by the executor alone, with the key of that service, and says nothing that it has not seen:
approvals are those whose signatures it verified, the run is what the server told. A text that is spelt in any other
way than it was signed, or is of another kind, is no receipt.
"""

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from pydantic import ValidationError
from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities import public_key
from activities.attempt import leave, receipt_left
from activities.chain import spelt
from activities.envelope import NotSigned, seal, unseal
from activities.failure import adding
from activities.lineage import Lineage
from activities.people import Directory, Unreadable
from activities.statement import Refusal
from activities.statement import unseal as opened
from activities.verify import Suspect
from contracts.call import ToolCall
from contracts.policy import Answer
from contracts.receipt import (
    PAYLOAD_TYPE,
    RECEIPT,
    Approval,
    Attempt,
    Deed,
    Digests,
    Envelope,
    Named,
    Permission,
    Statement,
)
from contracts.workspace import Tool


def digests(value: Any) -> Digests:
    """Return the digest of a value, or of a text as it is."""
    data = value if isinstance(value, bytes) else spelt(value)
    return {"sha256": hashlib.sha256(data).hexdigest()}


@dataclass(frozen=True)
class Begun:
    """All of a receipt but what comes of it."""

    key: Ed25519PrivateKey
    deed: dict[str, Any]
    result: str

    def signed(self, output: Any) -> Envelope:
        """Return the receipt of what has come of it."""
        return self._sealed(output, outcome="executed")

    def failed(self, error: ApplicationError) -> ApplicationError:
        """Return a failure that takes its own receipt along; where another attempt follows, that one is left it.

        What the server keeps of a failure between two attempts is short: a receipt there would push its words out.
        """
        info = activity.info()
        most = info.retry_policy.maximum_attempts if info.retry_policy else 0
        details = error.details[0] if error.details and isinstance(error.details[0], dict) else {}
        applied = details.get("applied", "unknown")
        told = {"outcome": "failed", "code": error.type or "", "applied": applied}
        receipt = self._sealed(words(error.type, error.message), **told)
        if error.non_retryable or 0 < most <= info.attempt:
            return adding(error, {RECEIPT: receipt})
        leave(receipt, nothing=applied == "no")
        return error

    def _sealed(self, result: Any, **told: Any) -> Envelope:
        deed = Deed(**self.deed, **told, ended_at=datetime.now(UTC))
        statement = Statement(subject=(Named(name=self.result, digest=digests(result)),), predicate=deed)
        return seal(text(statement), PAYLOAD_TYPE, self.key)


def words(code: str | None, said: str) -> str:
    """Return a failure as the history says it, of which a receipt has the digest."""
    return f"{code}: {said}" if code else said


class Receipts:
    """Writes receipts with the executor's key."""

    def __init__(
        self, key: Ed25519PrivateKey, directory: Directory, lineage: Lineage, governance: Callable[[], str] = str
    ) -> None:
        self._key = key
        self._governance = governance
        self._directory = directory
        self._lineage = lineage

    async def begin(self, call: ToolCall, tool: Tool, answer: Answer) -> Begun:
        """Note what is about to be done. `RPCError` when the server does not tell which chain of runs it is of."""
        info = activity.info()
        deed: dict[str, Any] = {
            "tool": call.tool,
            "effect": tool.effect,
            "undoes": call.undoes,
            "namespace": info.namespace,
            "mission": info.workflow_id or "",
            "name": info.workflow_type or "",
            "first_run_id": await self._lineage(info.workflow_id or "", info.workflow_run_id or ""),
            "run_id": info.workflow_run_id or "",
            "step": call.path,
            "generation": call.generation,
            "attempt": info.attempt,
            "key": call.key,
            "arguments": digests(call.arguments),
            "policy": Permission(version=answer.version, outcome=answer.outcome, policies=tuple(answer.policies)),
            "governance": self._version(),
            "started_at": datetime.now(UTC),
            "executor": info.task_queue,
            **self._consent(call),
        }
        if before := self._before(deed):
            deed["before"] = before
        return Begun(self._key, deed, f"{info.workflow_id}/{call.path}")

    def _before(self, deed: dict[str, Any]) -> tuple[Attempt, ...]:
        """Return what was tried before, as this key signed it: of the same call in the same run, and nothing else."""
        left = receipt_left()
        try:
            last = read(left, (public_key.spell(self._key.public_key()),)).predicate if left else None
        except NotSigned:
            return ()
        same = ("tool", "mission", "run_id", "step", "generation", "key", "arguments")
        if last is None or last.attempt >= deed["attempt"] or any(getattr(last, name) != deed[name] for name in same):
            return ()
        tried = Attempt.model_validate(last.model_dump(include=set(Attempt.model_fields)))
        return (*last.before, tried)

    def _version(self) -> str:
        try:
            return self._governance()
        except Unreadable:
            return ""

    def _consent(self, call: ToolCall) -> dict[str, Any]:
        if call.grant is None:
            return {}
        approved = call.grant.subject.digest()
        approvals = tuple(self._approvals(call.grant.tokens, approved))
        return {"approved": approved, "plan": call.grant.subject.plan_digest, "approvals": approvals}

    def _approvals(self, tokens: Iterable[str], approved: str) -> Iterator[Approval]:
        """Yield the approvals of exactly this that people signed: whether they are enough was decided before."""
        try:
            people = self._directory.people()
        except Unreadable:
            return
        for token in tokens:
            try:
                claims = opened(token, people)
            except Refusal:
                continue
            if claims.verb == "approve" and claims.digest == approved:
                yield Approval(who=claims.iss, jti=claims.jti, token=digests(token.encode()))


def text(statement: Statement) -> bytes:
    """Return a statement's one spelling."""
    return spelt(statement.model_dump(mode="json", by_alias=True))


def read(envelope: Envelope, keys: Iterable[str]) -> Statement:
    """Return what an executor with one of these public keys vouched for, or raise `NotSigned`."""
    payload = unseal(envelope, PAYLOAD_TYPE, keys)
    try:
        statement = Statement.model_validate(json.loads(payload))
    except (ValueError, RecursionError, ValidationError):
        raise NotSigned("what was signed is no receipt of an action") from None
    if text(statement) != payload:
        raise NotSigned("what was signed says more than a receipt of an action, or is spelt otherwise")
    return statement


def differences(statement: Statement, call: ToolCall, output: Any, applied: str = "") -> Iterator[str]:
    """Yield in what a receipt differs from the call and the result that it is kept with.

    Of a failure the result is its `words`, and `applied` what it says of the world.
    """
    deed = statement.predicate
    if (deed.outcome, deed.applied) != (("failed", applied) if applied else ("executed", "yes")):
        yield "outcome"
    told = {"tool": call.tool, "step": call.path, "mission": call.mission, "key": call.key, "undoes": call.undoes}
    yield from (name for name, value in told.items() if getattr(deed, name) != value)
    if deed.arguments != digests(call.arguments):
        yield "arguments"
    if statement.subject[0].digest != digests(output):
        yield "result"


class Vouched:
    """Checks each receipt in a record, against the executor's public keys and what the record says beside it."""

    def __init__(self, keys: Iterable[str]) -> None:
        self._keys = tuple(keys)
        self.count = 0

    def __call__(self, entry: dict[str, Any]) -> None:
        """Raise `Suspect` where a receipt does not verify, or is of something else."""
        detail = entry.get("detail") or {}
        if (envelope := detail.get("receipt")) is None:
            return
        try:
            deed = read(envelope, self._keys).predicate
        except NotSigned as error:
            raise Suspect(f"the receipt of {entry.get('step')!r} does not count: {error}") from None
        told = {"tool": detail.get("tool"), "step": entry.get("step"), "key": detail.get("key")}
        for name, value in told.items():
            if getattr(deed, name) != value:
                raise Suspect(f"the receipt is of another {name} than the record says")
        self.count += 1
