"""What lies in a history, encrypted: payloads for one mission of one namespace, failures with them.

The law: what was not encrypted for this mission is handed on as refused, and raises only in whoever would read it. So a
signal in the clear is recorded as refused, and never stops a mission. Headers hold trace ids alone, in the clear.
The converter is made in `runtime/payloads.py`; `workflows/runner.py` turns a refused answer into a failure.
"""

from collections.abc import Sequence
from typing import Any, Self

from google.protobuf.message import DecodeError
from temporalio.api.common.v1 import Payload
from temporalio.api.failure.v1 import Failure
from temporalio.client import WorkflowHistory
from temporalio.converter import (
    ActivitySerializationContext,
    DefaultFailureConverterWithEncodedAttributes,
    EncodingPayloadConverter,
    PayloadCodec,
    PayloadConverter,
    SerializationContext,
    WithSerializationContext,
    WorkflowSerializationContext,
)
from temporalio.exceptions import ApplicationError

from activities.seal import KeyMissing, Seal, Unsealed
from contracts.payload import APART, NO_KEY, REFUSED, KeyLacking, PayloadRefused

ENCRYPTED = b"binary/encrypted"
MISSION = "gonogo-mission"
"""Where a payload says for which mission it was encrypted: for the codec server. Nobody else believes it."""
PURPOSE = "payload"


class Codec(PayloadCodec, WithSerializationContext):
    """Encrypts for one mission. Without one it does nothing but refuse."""

    def __init__(self, seal: Seal, namespace: str = "", mission: str = "") -> None:
        self._seal = seal
        self._bound = (PURPOSE, namespace, mission)
        self._mission = mission

    def with_context(self, context: SerializationContext) -> Self:
        """Return the codec of a mission; an activity's contents are its mission's."""
        if isinstance(context, WorkflowSerializationContext | ActivitySerializationContext):
            return type(self)(self._seal, context.namespace, context.workflow_id or "")
        return self

    async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
        """Encrypt; what may lie apart still may."""
        if not self._mission:
            raise Unsealed("it belongs to no mission, and only what belongs to one can be encrypted")
        return [self.close(payload) for payload in payloads]

    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        """Decrypt; what cannot be is refused."""
        return [self._opened(payload) for payload in payloads]

    def close(self, payload: Payload) -> Payload:
        """Encrypt one payload, its metadata with it."""
        data = self._seal.close(payload.SerializeToString(deterministic=True), *self._bound)
        marks = {"encoding": ENCRYPTED, MISSION: self._mission.encode()}
        marks |= {APART: payload.metadata[APART]} if APART in payload.metadata else {}
        return Payload(metadata=marks, data=data)

    def open(self, payload: Payload) -> Payload:
        """Decrypt one payload. Raises `Unsealed`."""
        if not self._mission:
            raise Unsealed("it is not known which mission it belongs to")
        if payload.metadata.get("encoding") != ENCRYPTED:
            raise Unsealed("it is not encrypted")
        try:
            return Payload.FromString(self._seal.open(payload.data, *self._bound))
        except DecodeError:
            raise Unsealed("it is no payload") from None

    def _opened(self, payload: Payload) -> Payload:
        try:
            return self.open(payload)
        except Unsealed as why:
            return refused(why)


def refused(why: Exception) -> Payload:
    """Return what stands in the place of a payload that was refused."""
    marks = {"encoding": REFUSED.encode()} | ({NO_KEY: b"1"} if isinstance(why, KeyMissing) else {})
    return Payload(metadata=marks, data=str(why).encode())


def encrypted(history: WorkflowHistory) -> bool:
    """Whether a history began encrypted."""
    given = history.events[0].workflow_execution_started_event_attributes.input.payloads
    return any(payload.metadata.get("encoding") == ENCRYPTED for payload in given)


class RefusedPayloads(EncodingPayloadConverter):
    """Raises why a payload was refused, in whoever would read it."""

    @property
    def encoding(self) -> str:
        return REFUSED

    def to_payload(self, value: Any) -> Payload | None:
        del value
        return None

    def from_payload(self, payload: Payload, type_hint: type | None = None) -> Any:
        del type_hint
        why = KeyLacking if NO_KEY in payload.metadata else PayloadRefused
        raise why(f"what came is refused: {payload.data.decode()}")


class EncodedFailures(DefaultFailureConverterWithEncodedAttributes):
    """Messages and stack traces are encrypted too. A failure that somebody wrote in the clear tells nothing."""

    def from_failure(self, failure: Failure, payload_converter: PayloadConverter) -> BaseException:
        """Return the error; that of an application counts only if it was encrypted by one."""
        if failure.HasField("application_failure_info") and _forged(failure):
            said = "a failure that was not encrypted for this mission is refused"
            return ApplicationError(said, type="refused", non_retryable=True)
        return super().from_failure(failure, payload_converter)


def _forged(failure: Failure) -> bool:
    said = [failure.encoded_attributes, *failure.application_failure_info.details.payloads]
    return any(one.metadata.get("encoding", REFUSED.encode()) == REFUSED.encode() for one in said)
