"""The one way from values to what lies in a history: JSON by pydantic, encrypted, and what is large by reference.

In this order: so what lies apart is encrypted as the rest is. Client, worker, tests and Replayer use the same
converter; `contracts/payload.py` says what may lie apart, and `activities/content.py` keeps it. The driver's name
stands in histories: it is never changed.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
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
from activities.payload_keys import Keys
from activities.public_key import KeyRefused
from activities.seal import Clear, Seal, Sealed, Unsealed
from contracts.payload import APART, INLINE, Bulky
from runtime.codec import Codec, EncodedFailures, RefusedPayloads, refused
from runtime.settings import SettingRefused

CLEAR = Clear()
REFERENCE = "reference"


class _Json(PydanticJSONPlainPayloadConverter):
    def to_payload(self, value: Any) -> Payload | None:
        payload = super().to_payload(value)
        if payload is not None and len(payload.data) > INLINE and isinstance(value, Bulky) and value.may_lie_apart():
            payload.metadata[APART] = b"1"
        return payload


class Payloads(CompositePayloadConverter):
    """The SDK's converters, with JSON by pydantic, and with what tells of refused ones."""

    def __init__(self) -> None:
        others = DefaultPayloadConverter.default_encoding_payload_converters
        ours = (_Json() if isinstance(one, JSONPlainPayloadConverter) else one for one in others)
        super().__init__(*ours, RefusedPayloads())


class ContentDriver(StorageDriver):
    """Keeps payloads by their digest. Where they are encrypted, only references that we made lead to one."""

    def __init__(self, store: ContentStore, seal: Seal) -> None:
        self._store = store
        self._seal = seal

    def name(self) -> str:
        return "gonogo.content"

    async def store(self, context: StorageDriverStoreContext, payloads: Sequence[Payload]) -> list[StorageDriverClaim]:
        del context
        return [self._claim(await self._store.put(one.SerializeToString(deterministic=True))) for one in payloads]

    async def retrieve(
        self, context: StorageDriverRetrieveContext, claims: Sequence[StorageDriverClaim]
    ) -> list[Payload]:
        del context
        return [await self._found(claim.claim_data) for claim in claims]

    def _claim(self, digest: str) -> StorageDriverClaim:
        mark = self._seal.close(b"", REFERENCE, digest).hex()
        return StorageDriverClaim(claim_data={"digest": digest} | ({"mark": mark} if mark else {}))

    async def _found(self, claimed: Mapping[str, str]) -> Payload:
        """Return what a reference names. One that anybody could have written is refused, and never waited for."""
        digest = claimed.get("digest", "")
        if not isinstance(self._seal, Clear):
            try:
                self._seal.open(bytes.fromhex(claimed.get("mark", "")), REFERENCE, digest)
            except (Unsealed, ValueError) as why:
                return refused(why)
        return Payload.FromString(await self._store.get(digest))


def data_converter(place: str, seal: Seal = CLEAR) -> DataConverter:
    """Return the converter that encrypts, and leaves what is large in a folder or bucket."""
    driver = ContentDriver(ContentStore(place), seal)

    def chosen(context: StorageDriverSelectContext, payload: Payload) -> StorageDriver | None:
        del context
        return driver if APART in payload.metadata else None

    storage = ExternalStorage(drivers=[driver], driver_selector=chosen, payload_size_threshold=INLINE)
    if isinstance(seal, Clear):
        return DataConverter(payload_converter_class=Payloads, external_storage=storage)
    return DataConverter(
        payload_converter_class=Payloads,
        payload_codec=Codec(seal),
        failure_converter_class=EncodedFailures,
        external_storage=storage,
    )


def sealing(keys: Path | None) -> Seal:
    """Return how contents are kept: encrypted with the keys of a file, where one is named. Raises `SettingRefused`."""
    if keys is None:
        return CLEAR
    known = Keys(keys)
    try:
        known.current()
    except KeyRefused as error:
        raise SettingRefused(f"GONOGO_PAYLOAD_KEYS: {error}") from None
    return Sealed(known)
