"""The company as a program, and calls of its tools."""

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
from mcp.client.client import Client
from mcp_types import CallToolResult

KEY = "gonogo/idempotency-key"


async def use(client: Client, tool: str, key: str = "", **arguments: Any) -> CallToolResult:
    """Call a tool, with an idempotency key where one is given."""
    return await client.call_tool(tool, arguments, meta={KEY: key} if key else None)


async def ask(client: Client, tool: str, key: str = "", **arguments: Any) -> Any:
    """Call a tool that must answer well, and return its structured answer."""
    result = await use(client, tool, key, **arguments)
    assert not result.is_error, result.structured_content
    return result.structured_content


class Program:
    """The company as a process of its own, on a free port."""

    def __init__(self, database: Path, *options: str) -> None:
        self.database, self.options = database, options
        self.start(port=0)

    def start(self, port: int) -> None:
        command = [sys.executable, "-m", "demo.company", "--port", str(port), "--database", str(self.database)]
        command += self.options
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        assert self.process.stdout
        line = self.process.stdout.readline()
        assert line.startswith("company listens at http://127.0.0.1:"), line
        self.url = line.split()[-1]
        self.root = self.url.removesuffix("/mcp")

    @property
    def port(self) -> int:
        return httpx.URL(self.url).port or 0

    def get(self, path: str) -> Any:
        return httpx.get(self.root + path).raise_for_status().json()

    def order(self, **fault: Any) -> None:
        httpx.post(f"{self.root}/faults", json=fault).raise_for_status()

    def stop(self, how: signal.Signals = signal.SIGKILL) -> int:
        """End the process, wait for it, and return its exit code."""
        if self.process.poll() is None:
            os.kill(self.process.pid, how)
        code = self.process.wait(timeout=10)
        for stream in (self.process.stdout, self.process.stderr):
            if stream:
                stream.close()
        return code
