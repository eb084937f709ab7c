"""docker-compose.yml and Dockerfile as Docker reads them: rendered by docker-compose itself, which needs no engine."""

import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(sys.executable).parent
FILE = ROOT / "docker-compose.yml"
PASSWORDS = {
    "POSTGRES_PASSWORD": "letters0and1digits",
    "BOOKS_PASSWORD": "others2and3digits",
    "RECORDER_PASSWORD": "more4and5digits",
    "WORKER_PASSWORD": "again6and7digits",
}
Service = Mapping[str, Any]


def compose(text: str, *arguments: str, **variables: str) -> "subprocess.CompletedProcess[str]":
    """Run `docker-compose config` over a text: it is checked against the Compose specification's schema."""
    line = [BIN / "docker-compose", "--project-directory", ROOT, "--file", "-", "--profile", "*", "config", *arguments]
    return subprocess.run(
        line, input=text, env={"PATH": os.defpath, **variables}, capture_output=True, text=True, check=False
    )


def render(text: str) -> dict[str, Any]:
    """Return what Docker makes of a text: anchors, merges and variables resolved."""
    done = compose(text, "--format", "json", **PASSWORDS)
    assert done.returncode == 0, done.stderr
    # Docker renders what it can read again: a dollar that it would hand over stays doubled.
    return json.loads(done.stdout.replace("$$", "$"))


def words(service: Service) -> list[str]:
    """Return the command line of a service."""
    return [*(service.get("entrypoint") or ()), *(service.get("command") or ())]


def scripts(service: Service) -> Iterator[str]:
    """Return what a service hands to a shell: its command, its health check."""
    line = words(service)
    if line[:1] == ["/bin/sh"]:
        yield line[-1]
    test = service.get("healthcheck", {}).get("test", [])
    if test[:1] == ["CMD-SHELL"]:
        yield test[1]


def commands(script: str, program: str) -> Iterator[list[str]]:
    """Return the simple commands of a shell script that run a program."""
    for part in re.split(r"\|\||&&|[;|\n]|\bdo\b", script):
        line = shlex.split(part.partition(">")[0])
        if line[:1] == [program]:
            yield line[1:]


def instructions(text: str) -> Iterator[tuple[str, str]]:
    """Return a Dockerfile's instructions: the word in front, and the rest on one line."""
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    for line in re.sub(r"\\\n\s*", "", "\n".join(lines)).splitlines():
        if line.strip():
            word, _, rest = line.strip().partition(" ")
            yield word.upper(), rest.strip()
