"""The one way to a Temporal server: profiles, TLS and API keys as `temporalio.envconfig` reads them."""

import asyncio
import re
from collections.abc import Mapping

from temporalio.client import Client
from temporalio.contrib.opentelemetry import OpenTelemetryPlugin
from temporalio.envconfig import ClientConfig, ClientConnectConfig
from temporalio.service import RPCError

from runtime import telemetry
from runtime.payloads import data_converter, sealing
from runtime.settings import Settings

PATIENCE = 5.0
"""Seconds to wait for a server before saying that it cannot be reached."""
HUNG_UP = re.compile(
    r"transport error|operation was canceled|broken pipe|connection reset|unexpected end", re.IGNORECASE
)
"""How it may look where a server ended the connection: by a word of TLS, or without one."""


class Unreachable(Exception):
    """No Temporal server answers, with the address that was tried and what to do."""


HUNG_UP = re.compile(
    r"transport error|operation was canceled|broken pipe|connection reset|unexpected end", re.IGNORECASE
)
"""How it may look where a server ended the connection: by a word of TLS, or without one."""


async def connect(settings: Settings, patience: float = PATIENCE, environ: Mapping[str, str] | None = None) -> Client:
    """Connect as settings, environment and profile say, the first wins.

    Raises `Unreachable` within `patience` seconds, and `SettingRefused` where the keys of payloads cannot be used.
    """
    telemetry.install(discreet=settings.payload_keys is not None)
    config = _config(environ)
    address = config["target_host"] = settings.address or config.get("target_host", "localhost:7233")
    converter = data_converter(settings.contents(), sealing(settings.payload_keys))
    try:
        async with asyncio.timeout(patience):
            return await Client.connect(**config, data_converter=converter, plugins=[OpenTelemetryPlugin()])
    except (TimeoutError, RuntimeError, RPCError) as error:
        raise Unreachable(f"no Temporal server answers at {address}: {_cause(error)}") from None


def namespace(environ: Mapping[str, str] | None = None) -> str:
    """Return the namespace that environment and profile name. Raises `Unreachable`."""
    return _config(environ).get("namespace", "default")


def _config(environ: Mapping[str, str] | None) -> ClientConnectConfig:
    try:
        return ClientConfig.load_client_connect_config(override_env_vars=None if environ is None else dict(environ))
    except (RuntimeError, ValueError, OSError) as error:
        raise Unreachable(f"the Temporal profile cannot be used: {_cause(error)}") from None


def _cause(error: BaseException) -> str:
    """Return the heart of an error that the SDK wraps many times."""
    if isinstance(error, TimeoutError):
        return "it took too long"
    text = str(error)
    doubted = re.search(r"InvalidCertificate\((\w+)", text)
    if doubted:
        return (
            f"its certificate is not to be trusted ({doubted[1]}); a Temporal profile says who signs it, and its name"
        )
    messages = re.findall(r'message: "([^"]+)"', text)
    if HUNG_UP.search(messages[-1] if messages else text):
        return "it hung up; where it wants TLS, or a certificate of yours, a Temporal profile says so"
    return (messages[-1] if messages else text.splitlines()[0] if text else type(error).__name__)[:200]
