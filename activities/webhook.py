"""Post a notice or an event to a webhook, signed as Standard Webhooks has it, so that receivers have libraries for it.

The signature is HMAC-SHA256 over `id.timestamp.body`, base64, as `v1,…` in the header `webhook-signature`; `webhook-id`
is the same whenever the notice is sent again, `webhook-timestamp` is when it was sent, in seconds. A secret that begins
with `whsec_` is base64, any other is taken as it is.
"""

import base64
import binascii
import hashlib
import hmac
import time
from urllib.parse import urlsplit

import httpx

from activities.held import Held
from activities.outward import AddressRefused, Outward
from activities.undelivered import Undelivered
from activities.wording import Words
from contracts.base import canonical
from contracts.channel import Webhook
from contracts.sink import WebhookSink

PATIENCE = 10.0
SHORTEST = 16
"""Bytes of a secret: a shorter one could be guessed."""
PREFIX = "whsec_"
JSON = "application/json"
PASSING = frozenset({408, 425, 429})
"""Answers in the 400s that say to come again."""


async def call(hook: Webhook, words: Words, held: Held, outward: Outward) -> None:
    """Post a notice. What a server says in the 400s is final, but for those that ask to come again."""
    await deliver(hook, words.id, canonical(words.facts), held, outward=outward)


async def deliver(
    hook: Webhook | WebhookSink,
    name: str,
    body: bytes,
    held: Held,
    *,
    outward: Outward,
    media_type: str = JSON,
) -> None:
    """Post what has a name, signed."""
    address = await held.value(hook.url, hook.url_env)
    headers = signed(name, int(time.time()), body, await _secret(hook, held)) | {"content-type": media_type}
    try:
        async with (
            outward.client(timeout=PATIENCE) as client,
            client.stream("POST", address, content=body, headers=headers) as response,
        ):
            status = response.status_code
    except AddressRefused as refused:
        raise Undelivered(str(refused), final=True) from None
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise Undelivered(f"{_host(address)} cannot be reached ({type(error).__name__})") from None
    if not 200 <= status < 300:
        final = status < 500 and status not in PASSING
        raise Undelivered(f"{_host(address)} answered {status}", final=final)


def signed(notice: str, moment: int, body: bytes, secret: bytes) -> dict[str, str]:
    """Return the headers of a body that is sent at a moment."""
    mac = hmac.new(secret, f"{notice}.{moment}.".encode() + body, hashlib.sha256).digest()
    return {
        "content-type": JSON,
        "user-agent": "gonogo",
        "webhook-id": notice,
        "webhook-timestamp": str(moment),
        "webhook-signature": f"v1,{base64.b64encode(mac).decode()}",
    }


async def _secret(hook: Webhook | WebhookSink, held: Held) -> bytes:
    text, place = await held.value(hook.secret, hook.secret_env), hook.secret_env or hook.secret
    encoded = text.removeprefix(PREFIX)
    try:
        secret = text.encode() if encoded == text else base64.b64decode(encoded, validate=True)
    except binascii.Error:
        raise Undelivered(f"the secret in {place} is no base64 after '{PREFIX}'", final=True) from None
    if len(secret) < SHORTEST:
        raise Undelivered(f"the secret in {place} is shorter than {SHORTEST} bytes", final=True)
    return secret


def _host(address: str) -> str:
    """Return what may be said of an address: its path is often a secret."""
    try:
        return urlsplit(address).hostname or "the address"
    except ValueError:
        return "the address"
