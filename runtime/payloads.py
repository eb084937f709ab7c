"""The one way from values to what lies in a history: JSON by pydantic, and what is large by reference.

Client, worker, tests and Replayer use the same converter; `contracts/payload.py` says what may lie apart, and
`activities/content.py` keeps it. The driver's name stands in histories: it is never changed.
"""

from collections.abc import Sequence
from typing import Any

from temporalio.api.common.v1 import Payload
from temporalio.contrib.pydantic import PydanticJSONPlainPayloadConverter
from temporalio.converter import (
    CompositePayloadConverter,
    DataConverter,
    DefaultPayloadConverter,
    ExternalStorage,
    JSONPlainPayloadConverter,
    StorageDriver,
    StorageDriverClaim,
    StorageDriverRetrieveContext,
    StorageDriverSelectContext,
    StorageDriverStoreContext,
)

from activities.content import ContentStore
from contracts.payload import INLINE, Bulky

APART = "gonogo-apart"
"""The mark of a payload that may lie apart."""


class _Json(PydanticJSONPlainPayloadConverter):
    def to_payload(self, value: Any) -> Payload | None:
        payload = super().to_payload(value)
        if payload is not None and len(payload.data) > INLINE and isinstance(value, Bulky) and value.may_lie_apart():
            payload.metadata[APART] = b"1"
        return payload


class Payloads(CompositePayloadConverter):
    """The SDK's converters, with JSON by pydantic."""

    def __init__(self) -> None:
        others = DefaultPayloadConverter.default_encoding_payload_converters
        super().__init__(*(_Json() if isinstance(one, JSONPlainPayloadConverter) else one for one in others))


class ContentDriver(StorageDriver):
    """Keeps payloads by their digest."""

    def __init__(self, store: ContentStore) -> None:
        self._store = store

    def name(self) -> str:
        return "gonogo.content"

    async def store(self, context: StorageDriverStoreContext, payloads: Sequence[Payload]) -> list[StorageDriverClaim]:
        del context
        digests = [await self._store.put(payload.SerializeToString(deterministic=True)) for payload in payloads]
        return [StorageDriverClaim(claim_data={"digest": digest}) for digest in digests]

    async def retrieve(
        self, context: StorageDriverRetrieveContext, claims: Sequence[StorageDriverClaim]
    ) -> list[Payload]:
        del context
        return [Payload.FromString(await self._store.get(claim.claim_data.get("digest", ""))) for claim in claims]


def data_converter(place: str) -> DataConverter:
    """Return the converter that leaves what is large in a folder or bucket."""
    driver = ContentDriver(ContentStore(place))

    def chosen(context: StorageDriverSelectContext, payload: Payload) -> StorageDriver | None:
        del context
        return driver if APART in payload.metadata else None

    storage = ExternalStorage(drivers=[driver], driver_selector=chosen, payload_size_threshold=INLINE)
    return DataConverter(payload_converter_class=Payloads, external_storage=storage)
