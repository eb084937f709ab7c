"""The symmetric keys that contents are encrypted with: one that is current, and those before it, which still open.

Law: only its owner may read the file, and no symbolic link leads to it. It is read again when it changes, so a new key
counts for missions that run; what cannot be read opens and seals nothing. `activities/seal.py` uses the keys.
"""

import base64
import re
import secrets
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import yaml
from pydantic import AwareDatetime, SecretStr

from activities import key_file
from activities.people import Stamp, stamp
from activities.public_key import KeyRefused
from contracts.base import Document
from language.document import read_document

ID = re.compile(r"[A-Za-z0-9_-]{1,32}")
BYTES = 32


class KeysFile(Document):
    """The file: the id of the key that seals, and all that open (base64url, 32 bytes), by their ids.

    `since` is when the first of them was made: what began before that began in the clear.
    """

    current: str
    since: AwareDatetime | None = None
    keys: dict[str, SecretStr]


class Keys:
    """The keys as they are on disk now."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._stamp: Stamp = None
        self._current = ""
        self._since: datetime | None = None
        self._keys: Mapping[str, bytes] = {}

    def current(self) -> tuple[str, bytes]:
        """Return the id and the key that seals. Raises `KeyRefused`."""
        self._read_again()
        return self._current, self._keys[self._current]

    def all(self) -> tuple[bytes, ...]:
        """Return every key, the one that seals first. Raises `KeyRefused`."""
        _, first = self.current()
        return (first, *(key for key in self._keys.values() if key != first))

    def find(self, name: str) -> bytes | None:
        """Return a key by its id. Raises `KeyRefused`."""
        self._read_again()
        return self._keys.get(name)

    def since(self) -> datetime | None:
        """Return when the first key was made, where the file says so. Raises `KeyRefused`."""
        self._read_again()
        return self._since

    def _read_again(self) -> None:
        now = stamp(self.path)
        if now is None or now != self._stamp:
            file = read_file(self.path)
            self._current, self._keys, self._since = file.current, _opened(self.path, file), file.since
            self._stamp = now


def read(path: Path) -> tuple[str, Mapping[str, bytes]]:
    """Return a file's current key's id and all its keys, or raise `KeyRefused`."""
    file = read_file(path)
    return file.current, _opened(path, file)


def read_file(path: Path) -> KeysFile:
    """Return what a file says, or raise `KeyRefused`."""
    data = key_file.read_private(path, f"there are no payload keys at {path}; 'gonogo codec rotate' makes the first")
    try:
        text = data.decode()
    except UnicodeDecodeError:
        raise KeyRefused(f"{path} is no text") from None
    file, _, findings = read_document(KeysFile, text, str(path))
    if findings or file is None:
        raise KeyRefused(str(findings[0]))
    return file


def _opened(path: Path, file: KeysFile) -> Mapping[str, bytes]:
    keys = {name: _key(path, name, secret.get_secret_value()) for name, secret in file.keys.items()}
    if file.current not in keys:
        raise KeyRefused(f"{path}: the current key {file.current[:40]!r} is not among the keys")
    if len(set(keys.values())) < len(keys):
        raise KeyRefused(f"{path}: two keys are the same")
    return keys


def rotate(path: Path) -> str:
    """Add a key and make it the current one; the file, where there is none. Return the new key's id."""
    with key_file.locked(path.parent, path.parent, path.with_name(f".{path.name}.lock")):
        there = read_file(path) if path.exists() else None
        known = dict(_opened(path, there)) if there is not None else {}
        since = there.since if there is not None else datetime.now(UTC).replace(microsecond=0)
        name = secrets.token_hex(4)
        known[name] = secrets.token_bytes(BYTES)
        spelt = {one: base64.urlsafe_b64encode(key).decode() for one, key in known.items()}
        said = {"current": name, **({"since": since.isoformat()} if since is not None else {}), "keys": spelt}
        document = yaml.safe_dump(said, sort_keys=False, default_style='"')
        key_file.write(path, document.encode())
    return name


def _key(path: Path, name: str, text: str) -> bytes:
    if not ID.fullmatch(name):
        raise KeyRefused(f"{path}: {name[:40]!r} is no id of a key: at most 32 letters, digits, '_' and '-'")
    try:
        key = base64.b64decode(text, altchars=b"-_", validate=True)
    except ValueError:
        key = b""
    if len(key) != BYTES or not any(key):
        raise KeyRefused(f"{path}: the key {name} is not {BYTES} bytes in base64url")
    return key
