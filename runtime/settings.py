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
KEYS = "payload_keys.yaml"
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
    embeddings: str = ""
    """The embedding model by which knowledge is searched, as `provider:name`, or its name at `model_url`."""
    model_for: frozenset[str] = frozenset()
    """The agents of code that it plays; all that have instructions where none is named."""
    address: str = ""
    """The server that this process started itself; by default the profile and the environment say which."""
    database: str = ""
    """The database beside Temporal, as SQLAlchemy has it; by default a file at home."""
    payloads: str = ""
    """Where contents lie that are too large for a history: a folder, or `s3://bucket/prefix`; else inside the home."""
    payload_keys: Path | None = None
    """The keys with which everything is encrypted that Temporal and the places beside it keep; None keeps it clear."""
    allow_hosts: tuple[str, ...] = ()
    """Hosts inside that may be called from here, beside those of the workspace's `security.yaml`."""
    max_cached_workflows: int | None = None
    """How many workflows a worker keeps in memory; None leaves it to the SDK."""

    @classmethod
    def read(cls, environ: Mapping[str, str] | None = None, here: Path | None = None) -> "Settings":
        """Read the environment, or raise `SettingRefused`."""
        environ = os.environ if environ is None else environ
        here = here or Path.cwd()
        home = here / (environ.get("GONOGO_HOME") or ".gonogo")
        return cls(
            workspace=here / (environ.get("GONOGO_WORKSPACE") or _shipped(here)),
            home=home,
            person=environ.get("GONOGO_PERSON", ""),
            company_url=environ.get("GONOGO_COMPANY_URL") or COMPANY_URL,
            web=environ.get("GONOGO_WEB", ""),
            database=_database(environ.get("GONOGO_DATABASE", "")),
            **_model(environ),
            payloads=_place(environ, here),
            payload_keys=_keys(environ.get("GONOGO_PAYLOAD_KEYS", ""), here, home),
            allow_hosts=_hosts(environ.get("GONOGO_ALLOW_HOSTS", "")),
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
    meaning = environ.get("GONOGO_EMBEDDINGS", "").strip()
    if meaning and not url and ":" not in meaning:
        said = "write 'provider:name', or say in GONOGO_MODEL_URL where it is"
        raise SettingRefused(f"GONOGO_EMBEDDINGS is {meaning!r}; {said}")
    return {"model": name, "model_url": url, "model_key": SecretStr(key), "model_for": agents, "embeddings": meaning}


def _keys(text: str, here: Path, home: Path) -> Path | None:
    """Return the file of keys that is named, or that lies at home."""
    if text:
        return here / text
    own = home / KEYS
    return own if own.exists() else None


def _place(environ: Mapping[str, str], here: Path) -> str:
    text = environ.get("GONOGO_PAYLOADS", "")
    scheme, apart, rest = text.partition("://")
    if not apart:
        return str(here / text) if text else ""
    if scheme != "s3" or not rest.strip("/"):
        raise SettingRefused(f"GONOGO_PAYLOADS is {text!r}; write a folder, or s3://BUCKET/PREFIX")
    return text


def _hosts(text: str) -> tuple[str, ...]:
    hosts = tuple(part.strip() for part in text.split(",") if part.strip())
    if not hosts:
        return ()
    # Slow to load, and every command reads its settings before it says a word.
    from language.security import is_host

    for host in hosts:
        if not is_host(host):
            raise SettingRefused(f"GONOGO_ALLOW_HOSTS has {host!r}; write hosts as 'name' or 'name:port', with commas")
    return hosts


def _count(environ: Mapping[str, str], name: str) -> int | None:
    text = environ.get(name, "")
    if not text:
        return None
    if not text.isascii() or not text.isdigit():
        raise SettingRefused(f"{name} is {text!r}; write a whole number, 0 or more")
    return int(text)
