"""Where this process finds its workspace, its home and its neighbours: read once from the environment.

How Temporal is reached is not said here: `runtime/connection.py` leaves that to Temporal's own profiles and variables.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from contracts.base import Document

COMPANY_URL = "http://127.0.0.1:8765/mcp"

FILE = "gonogo.db"
DRIVERS = {"sqlite": "sqlite+aiosqlite", "postgresql": "postgresql+asyncpg", "postgres": "postgresql+asyncpg"}


class SettingRefused(Exception):
    """A variable that cannot be used, with the sentence that says what to write instead."""


class Settings(Document):
    """What the environment says. Paths are absolute."""

    workspace: Path
    home: Path
    person: str = ""
    company_url: str = COMPANY_URL
    web: str = ""
    """The address of the Web UI, for links to it; by default what `notify.yaml` says."""
    model: str = ""
    """The language model that plays agents, as `provider:name`, or its name at `model_url`."""
    model_url: str = ""
    model_key: SecretStr = SecretStr("")
    model_for: frozenset[str] = frozenset()
    """The agents of code that it plays; all that have instructions where none is named."""
    address: str = ""
    """The server that this process started itself; by default the profile and the environment say which."""
    database: str = ""
    """The database beside Temporal, as SQLAlchemy has it; by default a file at home."""
    payloads: str = ""
    """Where contents lie that are too large for a history: a folder, or `s3://bucket/prefix`; else inside the home."""
    max_cached_workflows: int | None = None
    """How many workflows a worker keeps in memory; None leaves it to the SDK."""

    @classmethod
    def read(cls, environ: Mapping[str, str] | None = None, here: Path | None = None) -> "Settings":
        """Read the environment, or raise `SettingRefused`."""
        environ = os.environ if environ is None else environ
        here = here or Path.cwd()
        return cls(
            workspace=here / (environ.get("GONOGO_WORKSPACE") or _shipped(here)),
            home=here / (environ.get("GONOGO_HOME") or ".gonogo"),
            person=environ.get("GONOGO_PERSON", ""),
            company_url=environ.get("GONOGO_COMPANY_URL") or COMPANY_URL,
            web=environ.get("GONOGO_WEB", ""),
            database=_database(environ.get("GONOGO_DATABASE", "")),
            **_model(environ),
            payloads=_place(environ, here),
            max_cached_workflows=_count(environ, "GONOGO_MAX_CACHED_WORKFLOWS"),
        )

    def books(self) -> str:
        """Return where the database beside Temporal is."""
        return self.database or f"{DRIVERS['sqlite']}:///{self.home / FILE}"

    def contents(self) -> str:
        """Return the folder or bucket of contents that are known by their digest."""
        return self.payloads or str(self.home / "payloads")

    def people_files(self) -> tuple[Path, Path]:
        """Return the two files that say who may decide: names and roles, then the keys registered here."""
        return self.workspace / "people.yaml", self.home / "people.yaml"


def _shipped(here: Path) -> Path:
    """Return the missions of the folder we stand in, or else those that came with the code."""
    missions = here / "missions"
    return missions if missions.is_dir() else Path(__file__).resolve().parents[1] / "missions"


def _database(text: str) -> str:
    """Return a database's address with the driver that it takes."""
    kind, found, rest = text.partition("://")
    if not text or (found and kind in DRIVERS.values()):
        return text
    if not found or kind not in DRIVERS:
        # What was written may hold a password.
        said = "write 'postgresql://USER:PASSWORD@HOST/NAME' or 'sqlite:////FILE'"
        raise SettingRefused(f"GONOGO_DATABASE is no address of a database that is known; {said}")
    return f"{DRIVERS[kind]}://{rest}"


def _model(environ: Mapping[str, str]) -> dict[str, Any]:
    """Return what is said of a model. An address alone, or a key alone, would leave open what is asked there."""
    name, url = environ.get("GONOGO_MODEL", "").strip(), environ.get("GONOGO_MODEL_URL", "").strip()
    key = environ.get("GONOGO_MODEL_KEY", "").strip()
    if not name and (url or key):
        stray = "GONOGO_MODEL_URL" if url else "GONOGO_MODEL_KEY"
        raise SettingRefused(f"GONOGO_MODEL is not set, and {stray} is: name the model there")
    if url and not url.startswith(("http://", "https://")):
        raise SettingRefused(f"GONOGO_MODEL_URL is {url!r}; write an address such as 'http://127.0.0.1:11434/v1'")
    if name and not url and ":" not in name:
        raise SettingRefused(f"GONOGO_MODEL is {name!r}; write 'provider:name', or say in GONOGO_MODEL_URL where it is")
    named = environ.get("GONOGO_MODEL_FOR", "").split(",")
    agents = frozenset(part.strip() for part in named if part.strip())
    return {"model": name, "model_url": url, "model_key": SecretStr(key), "model_for": agents}


def _place(environ: Mapping[str, str], here: Path) -> str:
    text = environ.get("GONOGO_PAYLOADS", "")
    scheme, apart, rest = text.partition("://")
    if not apart:
        return str(here / text) if text else ""
    if scheme != "s3" or not rest.strip("/"):
        raise SettingRefused(f"GONOGO_PAYLOADS is {text!r}; write a folder, or s3://BUCKET/PREFIX")
    return text


def _count(environ: Mapping[str, str], name: str) -> int | None:
    text = environ.get(name, "")
    if not text:
        return None
    if not text.isascii() or not text.isdigit():
        raise SettingRefused(f"{name} is {text!r}; write a whole number, 0 or more")
    return int(text)
