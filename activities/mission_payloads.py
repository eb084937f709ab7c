"""Reading what belongs to a mission: it is encrypted for that mission, and opens for no other.

What Temporal keeps as a text and not as a payload, such as why a mission is cancelled, is a payload spelt as text.
"""

import base64

from google.protobuf.message import DecodeError
from temporalio.api.common.v1 import Payload
from temporalio.client import Client
from temporalio.converter import DataConverter, WorkflowSerializationContext

from activities.seal import SEALED


def converter(client: Client, mission: str) -> DataConverter:
    """Return a client's converter for what lies in a mission's histories."""
    context = WorkflowSerializationContext(namespace=client.namespace, workflow_id=mission)
    return client.data_converter.with_context(context)


async def spelt(payloads: DataConverter, words: str) -> str:
    """Return words as they may stand where there is room for a text alone: encrypted where contents are."""
    if payloads.payload_codec is None:
        return words
    [payload] = await payloads.encode([words])
    return SEALED + base64.b64encode(payload.SerializeToString()).decode()


def unspelt(text: str) -> Payload | None:
    """Return the payload that a text is, or None for one that is in the clear."""
    if not text.startswith(SEALED):
        return None
    try:
        return Payload.FromString(base64.b64decode(text[len(SEALED) :], validate=True))
    except (ValueError, DecodeError):
        return Payload()
