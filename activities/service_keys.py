"""The key pairs of services, each for one purpose: what acts, what lets act, and what writes down are different keys.

Law: a service's key speaks for no person, and none is a person's. The private half lies in `services/NAME.pem` of the
home of the one who uses it; the public halves stand in `services.yaml`, which verifiers get without the rest.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Literal, get_args

import yaml
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from pydantic import Field

from activities import key_file, public_key
from activities.public_key import KeyRefused
from contracts.base import Document
from language.document import read_document

Service = Literal["executor", "broker", "recorder"]
"""Who signs receipts of what was done; credentials for a step; heads of the record."""
SERVICES: tuple[Service, ...] = get_args(Service)
FILE = "services.yaml"


class ServicesFile(Document):
    """`services.yaml`: the public keys (base64url, 32 bytes) of each service. Several count while keys change."""

    services: dict[Service, tuple[str, ...]] = Field(default_factory=dict)


def make(
    home: Path, name: Service, *, replace: bool = False, people: Mapping[str, Iterable[str]] | None = None
) -> None:
    """Make a service's key where there is none, and register its public half.

    With `replace` there is a new key, and what the old one has signed still verifies. Where the key is also another
    service's, or one of those `people`, nothing is written.
    """
    path = private_path(home, name)
    with key_file.locked(home, home / "services", home / "services.lock"):
        known = public(home)
        there = path.exists() and not replace
        key = private(home, name) if there else Ed25519PrivateKey.generate()
        spelt = public_key.spell(key.public_key())
        registered = {**known, name: tuple(dict.fromkeys((*known.get(name, ()), spelt)))}
        demand_apart(registered, people or {})
        if not there:
            key_file.keep(path, key)
        if registered != known:
            _save(home, registered)


def private(home: Path, name: Service) -> Ed25519PrivateKey:
    """Return a service's private key, or raise `KeyRefused`."""
    path = private_path(home, name)
    return key_file.read(path, f"'gonogo keys make {name}' makes one for the service {name!r}")


def private_path(home: Path, name: Service) -> Path:
    """Where a service's private key lies."""
    return home / "services" / f"{name}.pem"


def public(home: Path) -> Mapping[Service, tuple[str, ...]]:
    """Return the registered public keys of each service; none where there is no file."""
    return read(home / FILE)


def read(path: Path) -> Mapping[Service, tuple[str, ...]]:
    """Return the public keys that a file names, each of them strong, or raise `KeyRefused`."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise KeyRefused(f"{path} cannot be read: {error}") from None
    document, _, findings = read_document(ServicesFile, text, str(path))
    if findings or document is None:
        raise KeyRefused(str(findings[0]))
    for name, keys in document.services.items():
        for key in keys:
            _demand_strong(key, f"{path}: a key of {name} cannot be used")
    return document.services


def demand_apart(services: Mapping[Service, Iterable[str]], people: Mapping[str, Iterable[str]]) -> None:
    """Refuse a key that two services share, or a service and a person: who acts would approve, or vouch for it."""
    owner: dict[str, str] = {}
    named = {f"the service {name}": keys for name, keys in services.items()}
    for name, keys in (*named.items(), *people.items()):
        for key in keys:
            if owner.setdefault(key, name) != name:
                raise KeyRefused(f"{owner[key]} and {name} have the same key: each needs its own")


def _demand_strong(key: str, where: str) -> None:
    try:
        public_key.load(key)
    except KeyRefused as error:
        raise KeyRefused(f"{where}: {error}") from None


def _save(home: Path, services: Mapping[Service, tuple[str, ...]]) -> None:
    document = ServicesFile(services=dict(services)).model_dump(mode="json")
    key_file.write(home / FILE, yaml.safe_dump(document, sort_keys=True, default_style='"').encode())
