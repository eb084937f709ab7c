"""The way out: whatever is called by an address that a workspace or an agent names is called through here.

Law: a host is resolved once, all that it resolves to is judged, and what was judged is dialled: whoever answers
otherwise a moment later is not asked again. What leads inside is refused, on every connection, so also on each
redirection, unless the workspace names that host under `allow_hosts`. No proxy of the environment is used.
"""

import asyncio
import ssl
from collections.abc import Awaitable, Callable, Iterable
from functools import lru_cache
from ipaddress import ip_address
from socket import SOCK_STREAM, gaierror
from typing import Any

import httpcore
import httpcore2
import httpx
import httpx2

from contracts.address import NAMEABLE, inside, literal

Resolve = Callable[[str, int], Awaitable[Iterable[str]]]
"""`resolve(host, port)`: the addresses of a host. Raises `OSError` where it has none."""
MEND = "nothing may be called there unless the workspace names {} under 'allow_hosts' in security.yaml"


class AddressRefused(Exception):
    """A host that may not be called, with the sentence that says why and what to do."""


async def resolved(host: str, port: int) -> list[str]:
    """Return the addresses of a host as the machine knows them."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


class Outward:
    """Which hosts may be called. `allowed` are hosts, or `host:port`, as `security.yaml` names them.

    `trusted` says which certificates count; by default the usual ones, and those of `SSL_CERT_FILE`.
    """

    def __init__(
        self, allowed: Iterable[str] = (), resolve: Resolve = resolved, trusted: ssl.SSLContext | None = None
    ) -> None:
        self._allowed = frozenset(entry.lower() for entry in allowed)
        self._resolve = resolve
        self._trusted = trusted

    def trusted(self) -> ssl.SSLContext:
        """Return which certificates count."""
        return self._trusted or _usual()

    async def addresses(self, host: str, port: int) -> tuple[str, ...]:
        """Return what to dial for a host. Raises `AddressRefused`, or `OSError` where there is nothing to dial."""
        name = host.lower().removesuffix(".")
        written = literal(name)
        spelled = str(written) if written else name
        named = bool(self._allowed & {spelled, f"{spelled}:{port}", f"[{spelled}]:{port}"})
        if written:
            self._judge(host, spelled, named=named, written=True)
            return (spelled,)
        found = tuple(address.partition("%")[0] for address in await self._resolve(host, port))
        for address in found:
            self._judge(host, address, named=named, written=False)
        if not found:
            raise OSError(f"{host} has no address")
        return found

    def _judge(self, host: str, address: str, *, named: bool, written: bool) -> None:
        kind = inside(ip_address(address))
        if not kind or (named and (written or kind in NAMEABLE)):
            return
        leads = f"{host} is {kind}" if written else f"{host} leads to {address}, which is {kind}"
        raise AddressRefused(f"{leads}: {MEND.format('that address' if named else 'that host')}")

    def client(self, **options: Any) -> httpx.AsyncClient:
        """Return an HTTP client that dials by this. `options` are httpx's."""
        return httpx.AsyncClient(transport=_Transport(self), trust_env=False, **options)

    def client2(self, limits: httpx2.Limits, **options: Any) -> httpx2.AsyncClient:
        """Return the same for the library that speaks MCP."""
        return httpx2.AsyncClient(transport=_Transport2(self, limits), trust_env=False, **options)


OUTSIDE = Outward()
"""Lets nobody call anything inside."""


@lru_cache(maxsize=1)
def _usual() -> ssl.SSLContext:
    """Return the certificates that count where nobody says more: they take long to read."""
    return httpx.create_ssl_context()


class _Transport(httpx.AsyncHTTPTransport):
    def __init__(self, outward: Outward) -> None:
        super().__init__(verify=outward.trusted(), trust_env=False)
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=outward.trusted(), network_backend=_backend(outward, httpcore.AnyIOBackend(), httpcore)
        )


class _Transport2(httpx2.AsyncHTTPTransport):
    def __init__(self, outward: Outward, limits: httpx2.Limits) -> None:
        super().__init__(verify=outward.trusted(), trust_env=False)
        self._pool = httpcore2.AsyncConnectionPool(
            ssl_context=outward.trusted(),
            max_connections=limits.max_connections,
            max_keepalive_connections=limits.max_keepalive_connections,
            keepalive_expiry=limits.keepalive_expiry,
            network_backend=_backend(outward, httpcore2.AnyIOBackend(), httpcore2),
        )


def _backend(outward: Outward, dialling: Any, core: Any) -> Any:
    return _Backend(outward, dialling, core)


class _Backend:
    """What both libraries take for a network backend: dials what was judged.

    TLS is begun by the library, on what this returns, with the name that the URL has.
    """

    def __init__(self, outward: Outward, dialling: Any, core: Any) -> None:
        self._outward = outward
        self._dialling = dialling
        self._core = core

    async def connect_tcp(  # The libraries' own signature.
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109
        **options: Any,
    ) -> Any:
        """Connect to the first address of a host that answers; refused where one of them leads inside."""
        try:
            async with asyncio.timeout(timeout):
                return await self._connected(host, port, options)
        except TimeoutError:
            raise self._core.ConnectTimeout(f"{host} does not answer") from None
        except OSError as error:
            raise self._core.ConnectError(str(error)) from error

    async def _connected(self, host: str, port: int, options: dict[str, Any]) -> Any:
        last: Exception = gaierror(f"{host} has no address")
        for address in await self._outward.addresses(host, port):
            try:
                return await self._dialling.connect_tcp(address, port, **options)
            except (self._core.ConnectError, self._core.ConnectTimeout) as error:
                last = error
        raise last

    async def connect_unix_socket(self, path: str, *_: Any, **__: Any) -> Any:
        """Connect to nothing: no file of this machine is called."""
        raise AddressRefused(f"{path} is a socket of this machine, and no address")

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        await self._dialling.sleep(seconds)
