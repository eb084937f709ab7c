"""Files that hold private keys, and what is written beside them as a whole or not at all.

Law: only its owner may read a private key, and no symbolic link leads to one.
"""

import fcntl
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from activities.public_key import KeyRefused

PRIVATE = 0o600


def read(path: Path, otherwise: str) -> Ed25519PrivateKey:
    """Read a private key, or raise `KeyRefused`; `otherwise` says what to do where there is none."""
    try:
        key = load_pem_private_key(read_private(path, f"there is no key at {path}; {otherwise}"), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, Ed25519PrivateKey):
        raise KeyRefused(f"{path} holds no Ed25519 key; {otherwise}")
    return key


def keep(path: Path, key: Ed25519PrivateKey) -> None:
    """Write a private key where only its owner may read it."""
    write(path, key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))


def read_private(path: Path, missing: str) -> bytes:
    """Return what a file holds that nobody else may read; `missing` is the sentence where there is none."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
    except FileNotFoundError:
        raise KeyRefused(missing) from None
    except OSError as error:
        raise KeyRefused(f"the key at {path} cannot be read: {error.strerror}") from None
    with os.fdopen(handle, "rb") as file:
        mode = stat.S_IMODE(os.fstat(handle).st_mode)
        if mode != PRIVATE:
            raise KeyRefused(f"the key at {path} has mode {mode:04o}; only 0600 is safe: chmod 600 {path}")
        return file.read()


def write(path: Path, content: bytes) -> None:
    """Replace a file as a whole: whoever reads it sees the old content or the new one, never a part."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    temporary.unlink(missing_ok=True)
    try:
        handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE)
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(handle)
        temporary.replace(path)
    except OSError as error:
        raise KeyRefused(f"{path} cannot be written: {error.strerror}") from None


@contextmanager
def locked(home: Path, folder: Path, lock: Path) -> Iterator[None]:
    """Hold a folder's lock, so that two who write at once both end up in the file."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, PRIVATE)
    except OSError as error:
        raise KeyRefused(f"keys cannot be kept in {home}: {error.strerror}; set GONOGO_HOME elsewhere") from None
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)
