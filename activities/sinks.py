"""Where events are told: webhooks, and NATS with JetStream. A sink has taken an event when it says so, not before.

The law: `send` returns once the event is safe where it was sent to, and raises `Undelivered` otherwise, with no address
and no secret. The same event has the same id each time, by which both kinds of receiver know what they have.
"""

import asyncio
import re
from collections.abc import Iterator, Mapping
from typing import Any, Protocol
from urllib.parse import urlsplit

from activities.held import Held
from activities.outward import OUTSIDE, AddressRefused, Outward
from activities.undelivered import Undelivered
from activities.webhook import deliver
from contracts.audit import Topic
from contracts.base import canonical
from contracts.published import MEDIA_TYPE, PREFIX, CloudEvent
from contracts.sink import EventsFile, NatsSink, WebhookSink

PATIENCE = 5.0
PORT = 4222
PLAIN = re.compile(r"[^A-Za-z0-9_-]")
"""What may not stand in a part of a subject."""


class Sink(Protocol):
    """Takes events."""

    @property
    def name(self) -> str: ...
    @property
    def topics(self) -> tuple[Topic, ...]: ...
    async def send(self, event: CloudEvent) -> None: ...
    async def close(self) -> None: ...


def sinks(file: EventsFile, environ: Mapping[str, str], outward: Outward = OUTSIDE) -> Iterator[Sink]:
    """Yield the sinks of a workspace. Their names are what positions are kept by."""
    held = Held(environ)
    for name, hook in file.webhooks.items():
        yield Hook(f"webhook {name}", hook, held, outward)
    for name, nats in file.nats.items():
        yield Nats(f"nats {name}", nats, held, outward)


class Hook:
    """A webhook: each event is a signed request of its own, in the structured mode of CloudEvents."""

    def __init__(self, name: str, hook: WebhookSink, held: Held, outward: Outward) -> None:
        self._outward = outward
        self.name = name
        self.topics = hook.topics
        self._hook = hook
        self._held = held

    async def send(self, event: CloudEvent) -> None:
        """Post an event; anything but an answer in the 200s is no."""
        await deliver(self._hook, event.id, canonical(event), self._held, outward=self._outward, media_type=MEDIA_TYPE)

    async def close(self) -> None:
        """Nothing is kept open."""


class Nats:
    """A server of NATS. The connection is made with the first event, and anew after it was lost."""

    def __init__(self, name: str, sink: NatsSink, held: Held, outward: Outward) -> None:
        self._outward = outward
        self.name = name
        self.topics = sink.topics
        self._sink = sink
        self._held = held
        self._client: Any = None

    async def send(self, event: CloudEvent) -> None:
        """Publish an event, and wait until a stream has stored it. A stream knows by the id what it has."""
        nats = _library()
        headers = {"Nats-Msg-Id": event.id, "content-type": MEDIA_TYPE}
        try:
            async with asyncio.timeout(PATIENCE):
                client = await self._connected()
                await client.jetstream().publish(self.subject(event), canonical(event), headers=headers)
        except nats.js.errors.NoStreamResponseError:
            raise Undelivered(f"no stream there takes {self._sink.subject}.>", final=True) from None
        except AddressRefused as inside:
            raise Undelivered(str(inside), final=True) from None
        except (nats.errors.Error, OSError, TimeoutError) as error:
            await self.close()
            raise Undelivered(f"NATS did not take it ({type(error).__name__})") from None

    def subject(self, event: CloudEvent) -> str:
        """Return the subject of an event, by which receivers choose topics and missions."""
        mission = PLAIN.sub("_", event.partitionkey)
        return f"{self._sink.subject}.{event.type.removeprefix(PREFIX)}.{mission}"

    async def close(self) -> None:
        """Let go of the connection."""
        client, self._client = self._client, None
        if client is not None:
            await client.close()

    async def _connected(self) -> Any:
        if self._client is None or not self._client.is_connected:
            await self.close()
            address = await self._held.value(self._sink.url, self._sink.url_env)
            self._client = await _connect(address, await self._token(), self._outward)
        return self._client

    async def _token(self) -> str:
        """Return the token; nothing where none is named."""
        named = self._sink.token or self._sink.token_env
        return await self._held.value(self._sink.token, self._sink.token_env) if named else ""


def _library() -> Any:
    try:
        import nats.errors
        import nats.js.errors
    except ImportError:
        raise Undelivered("NATS needs the extra 'nats': install gonogo[nats]", final=True) from None
    return nats


async def _connect(address: str, token: str, outward: Outward) -> Any:
    """Connect to the address that was judged, and hold the server's certificate against the name that was written."""
    parts = urlsplit(address)
    host, port = parts.hostname or "", parts.port or PORT
    found = (await outward.addresses(host, port))[0]
    server = f"{parts.scheme}://[{found}]:{port}" if ":" in found else f"{parts.scheme}://{found}:{port}"
    name = host if parts.scheme == "tls" else None

    async def unsaid(error: Exception) -> None:
        """Say nothing: who sends says what went wrong."""

    return await _library().connect(
        server,
        token=token or None,
        tls_hostname=name,
        allow_reconnect=False,
        connect_timeout=PATIENCE,
        error_cb=unsaid,
    )
