"""The connection: as profile and environment say, or one clear sentence within seconds."""

import asyncio
import time
from pathlib import Path

import pytest

from runtime.connection import Unreachable, connect
from runtime.settings import Settings


async def unreachable(settings: Settings, patience: float = 5.0, **environ: str) -> str:
    """Return what is said about a server that a profile in the workspace or the environment names."""
    profile = settings.workspace / "temporal.toml"
    profile.write_text('[profile.default]\naddress = "127.0.0.1:1"\n')
    with pytest.raises(Unreachable) as caught:
        await connect(settings, patience, {"TEMPORAL_CONFIG_FILE": str(profile), **environ})
    return str(caught.value)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(workspace=tmp_path, home=tmp_path)


async def test_the_profile_says_which_server(settings: Settings) -> None:
    assert "no Temporal server answers at 127.0.0.1:1: Connection refused" == await unreachable(settings)


async def test_the_environment_wins_over_the_profile(settings: Settings) -> None:
    said = await unreachable(settings, TEMPORAL_ADDRESS="127.0.0.1:2")

    assert "no Temporal server answers at 127.0.0.1:2: Connection refused" == said


async def test_a_server_that_we_started_wins_over_both(settings: Settings) -> None:
    ours = settings.model_copy(update={"address": "127.0.0.1:3"})

    said = await unreachable(ours, TEMPORAL_ADDRESS="127.0.0.1:2")

    assert "no Temporal server answers at 127.0.0.1:3: Connection refused" == said


async def test_a_server_that_says_nothing_is_given_up_in_time(settings: Settings) -> None:
    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    server = await asyncio.start_server(silent, "127.0.0.1", 0)
    address = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
    started = time.monotonic()

    said = await unreachable(settings.model_copy(update={"address": address}), patience=0.3)
    server.close()

    assert f"no Temporal server answers at {address}: it took too long" == said
    assert time.monotonic() - started < 3


async def test_a_profile_that_does_not_exist_is_named(settings: Settings) -> None:
    said = await unreachable(settings, TEMPORAL_PROFILE="cloud")

    assert said.startswith("the Temporal profile cannot be used: ")
    assert "cloud" in said
