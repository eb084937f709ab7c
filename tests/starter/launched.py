"""`gonogo` as processes of their own: started on free ports, listened to, ended."""

import asyncio
import os
import subprocess
import sys
from contextlib import asynccontextmanager
from pathlib import Path

from starter import footprint
from starter.ports import free_port

ANSWERED = 90
"""Seconds after which nothing is coming any more. A whole demo takes ten on an idle machine; tests run side by side."""


@asynccontextmanager
async def dev(home, *arguments, sweep=True):
    """Run `gonogo dev` on free ports; it is ended with whatever it started, unless a test wants to find that."""
    ports = [free_port() for _ in range(3)]
    options = [f"--{name}={port}" for name, port in zip(("port", "ui-port", "company-port"), ports, strict=True)]
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "starter", "dev", *options, *arguments,
        env={**os.environ, "GONOGO_HOME": str(home), "GONOGO_WORKSPACE": str(Path("missions").resolve())},
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    process.ports = ports
    try:
        yield process
    finally:
        if process.returncode is None:
            process.terminate()
            await process.communicate()
        if sweep:
            with footprint.supervised(home) as alone:
                assert alone
                footprint.sweep(home)


async def line_with(stream, word):
    async with asyncio.timeout(ANSWERED):
        while word not in (line := (await stream.readline()).decode()):
            assert line, f"it ended before it said {word!r}"


async def ended(process):
    async with asyncio.timeout(ANSWERED):
        out, err = await process.communicate()
    return process.returncode, (out or b"").decode(), (err or b"").decode()


async def beside(verb, home, *options, **environment):
    """Start another gonogo with the same home; nobody is there to answer it."""
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "starter", verb, *options, env={**os.environ, "GONOGO_HOME": str(home), **environment},
        stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip


async def process(*arguments, **environment):
    """Run gonogo as a process of its own; return exit code, standard output, standard error."""
    started = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "starter",
        *arguments,
        env={**os.environ, "NO_COLOR": "1", **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    out, err = await started.communicate()
    return started.returncode, out.decode(), err.decode()
