"""Post a notice to a webhook, signed as Standard Webhooks has it, so that receivers have libraries for it.

The signature is HMAC-SHA256 over `id.timestamp.body`, base64, as `v1,…` in the header `webhook-signature`; `webhook-id`
is the same whenever the notice is sent again, `webhook-timestamp` is when it was sent, in seconds. A secret that begins
with `whsec_` is base64, any other is taken as it is.
"""

import base64
import binascii
import hashlib
import hmac
import time
from collections.abc import Mapping
from urllib.parse import urlsplit

import httpx

from activities.undelivered import Undelivered
from activities.wording import Words
from contracts.base import canonical
from contracts.channel import Webhook

PATIENCE = 10.0
SHORTEST = 16
"""Bytes of a secret: a shorter one could be guessed."""
PREFIX = "whsec_"
PASSING = frozenset({408, 425, 429})
"""Answers in the 400s that say to come again."""


async def call(hook: Webhook, words: Words, environ: Mapping[str, str]) -> None:
    """Post a notice. What a server says in the 400s is final, but for those that ask to come again."""
    address = _address(hook, environ)
    body = canonical(words.facts)
    headers = signed(words.id, int(time.time()), body, _secret(hook, environ))
    try:
        async with (
            httpx.AsyncClient(timeout=PATIENCE) as client,
            client.stream("POST", address, content=body, headers=headers) as response,
        ):
            status = response.status_code
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise Undelivered(f"{_host(address)} cannot be reached ({type(error).__name__})") from None
    if not 200 <= status < 300:
        final = status < 500 and status not in PASSING
        raise Undelivered(f"{_host(address)} answered {status}", final=final)


def signed(notice: str, moment: int, body: bytes, secret: bytes) -> dict[str, str]:
    """Return the headers of a body that is sent at a moment."""
    mac = hmac.new(secret, f"{notice}.{moment}.".encode() + body, hashlib.sha256).digest()
    return {
        "content-type": "application/json",
        "user-agent": "gonogo",
        "webhook-id": notice,
        "webhook-timestamp": str(moment),
        "webhook-signature": f"v1,{base64.b64encode(mac).decode()}",
    }


def _address(hook: Webhook, environ: Mapping[str, str]) -> str:
    address = environ.get(hook.url_env, "") if hook.url_env else ""
    if not (address or hook.url):
        raise Undelivered(f"the variable {hook.url_env} is not set", final=True)
    return address or hook.url


def _secret(hook: Webhook, environ: Mapping[str, str]) -> bytes:
    text = environ.get(hook.secret_env, "")
    if not text:
        raise Undelivered(f"the variable {hook.secret_env} is not set", final=True)
    encoded = text.removeprefix(PREFIX)
    try:
        secret = text.encode() if encoded == text else base64.b64decode(encoded, validate=True)
    except binascii.Error:
        raise Undelivered(f"the variable {hook.secret_env} is no base64 after '{PREFIX}'", final=True) from None
    if len(secret) < SHORTEST:
        raise Undelivered(f"the secret in {hook.secret_env} is shorter than {SHORTEST} bytes", final=True)
    return secret


def _host(address: str) -> str:
    """Return what may be said of an address: its path is often a secret."""
    try:
        return urlsplit(address).hostname or "the address"
    except ValueError:
        return "the address"
