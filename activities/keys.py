"""The key pairs that speak for people: made, kept, read.

Law: a private half never leaves its file, which only its owner may read, and a name never leads out of the folder.
`activities/public_key.py` knows the public halves, `activities/statement.py` signs and opens tokens with them,
`activities/people.py` reads who they are registered to. Services have keys of their own, `activities/service_keys.py`.
"""

import re
from contextlib import AbstractContextManager
from pathlib import Path

import yaml
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from activities import key_file, people, public_key, statement
from activities.public_key import KeyRefused, check_public_key, kid
from contracts.decision import Claims
from contracts.order import OrderClaims
from contracts.workspace import PeopleFile, Person
from language.name import nearest

__all__ = ["KeyRefused", "check_public_key", "create", "kid", "private", "registered", "remove", "sign"]

PEOPLE_FILE = "people.yaml"
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,63}")
ROLE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,63}")


def create(home: Path, name: str, roles: tuple[str, ...] = (), *, replace: bool = False) -> Person:
    """Make a key pair for a person and register its public half in `home`.

    With `replace` the new key is the person's only one in `home`; without it an existing key is refused.
    """
    path = private_path(home, name)
    check_roles(name, roles)
    with _registering(home):
        file = registered(home)
        _check_unlike(name, file)
        if path.exists() and not replace:
            raise KeyRefused(f"{name} already has a key at {path}; say so if it shall be replaced")
        key = Ed25519PrivateKey.generate()
        known = file.people.get(name, Person())
        kept = () if replace else known.keys
        person = Person(
            name=known.name,
            roles=tuple(dict.fromkeys(known.roles + roles)),
            keys=(*kept, public_key.spell(key.public_key())),
        )
        key_file.keep(path, key)
        _save(home, {**file.people, name: person}, file)
    return person


def remove(home: Path, name: str) -> None:
    """Take a person out of `home`: their keys count for nothing from now on. The key file stays where it is."""
    with _registering(home):
        file = registered(home)
        if name not in file.people:
            raise KeyRefused(f"nobody named {name!r} is registered in {home / PEOPLE_FILE}")
        _save(home, {other: person for other, person in file.people.items() if other != name}, file)


def sign(home: Path, name: str, claims: Claims | OrderClaims) -> str:
    """Sign a decision, or an order, with a person's own key file and return the compact JWS."""
    if claims.iss != name:
        raise KeyRefused(f"what {claims.iss!r} says cannot be signed with the key of {name!r}")
    key = private(home, name)
    return statement.seal(key, kid(public_key.spell(key.public_key())), claims)


def registered(home: Path) -> PeopleFile:
    """Return who is registered in `home`; nobody when there is no file yet."""
    try:
        return people.read(home / PEOPLE_FILE)
    except people.Unreadable as error:
        raise KeyRefused(str(error)) from None


def private_path(home: Path, name: str) -> Path:
    """Where a person's private key lies. A name that could lead elsewhere is refused."""
    if not NAME.fullmatch(name):
        raise KeyRefused(
            f"{name!r} is no name for a person: write at most 64 letters, digits or . _ @ -, a letter or digit first"
        )
    return home / "keys" / f"{name}.pem"


def private(home: Path, name: str) -> Ed25519PrivateKey:
    """Read a person's private key from a file that nobody else may read."""
    path = private_path(home, name)
    meant = nearest(path.stem, (key.stem for key in path.parent.glob("*.pem")))
    told = f"did you mean '{meant}'? Else " if meant and not path.exists() else ""
    return key_file.read(path, f"{told}make one with 'gonogo people add {name}'")


def check_roles(name: str, roles: tuple[str, ...]) -> None:
    """Refuse a role that is no plain word, or that equals the person's own name."""
    for role in roles:
        if not ROLE.fullmatch(role):
            raise KeyRefused(f"{role!r} is no name for a role: write letters, digits or . _ : -")
        if role.casefold() == name.casefold():
            raise KeyRefused(f"{name!r} cannot be both a person and their role; choose another name")


def _check_unlike(name: str, file: PeopleFile) -> None:
    """Refuse a name that differs from a known one by case only: one person could pass for two."""
    for known in file.people:
        if known != name and known.casefold() == name.casefold():
            raise KeyRefused(f"{name!r} differs from the registered {known!r} by case only; use that name")


def _registering(home: Path) -> AbstractContextManager[None]:
    return key_file.locked(home, home / "keys", home / "people.lock")


def _save(home: Path, registry: dict[str, Person], file: PeopleFile) -> None:
    document = file.model_copy(update={"people": registry}).model_dump(mode="json", exclude_defaults=True)
    # Every text in quotes: no reader of YAML may take a role or a key for a number.
    text = yaml.safe_dump(document or {"people": {}}, sort_keys=True, allow_unicode=True, default_style='"')
    key_file.write(home / PEOPLE_FILE, text.encode())
