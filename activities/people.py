"""Who may decide: the people of the workspace and the keys registered at this place, read again when a file changes.

Law: a key that was added or revoked counts at once, and a file that cannot be read lets nobody decide. Nor may anybody
while a person has the key of a service: what acts would approve itself.
`activities/keys.py` writes the registered half; `activities/identity.py` judges by what is read here.
"""

import unicodedata
from pathlib import Path

from activities import service_keys
from activities.public_key import KeyRefused
from contracts.workspace import PeopleFile
from language.document import read_document

Stamp = tuple[int, int, int] | None


class Unreadable(Exception):
    """A people file that cannot be trusted, with the sentence that says why."""


def read(path: Path) -> PeopleFile:
    """Read one people file; nobody is in it when it does not exist."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return PeopleFile()
    except (OSError, ValueError) as error:
        raise Unreadable(f"{path} cannot be read: {error}") from None
    document, _, findings = read_document(PeopleFile, text, str(path))
    if findings or document is None:
        raise Unreadable(str(findings[0]))
    return document


def same_person(one: str, other: str) -> bool:
    """Whether two names are one person's: case, width and invisible characters make nobody somebody else."""
    return folded(one) == folded(other)


def folded(name: str) -> str:
    """Return a name as it is compared."""
    plain = unicodedata.normalize("NFKC", name).casefold()
    return "".join(letter for letter in plain if unicodedata.category(letter) != "Cf").strip()


class Directory:
    """The people files merged into one, as they are on disk now."""

    def __init__(self, *paths: Path) -> None:
        self._paths = paths
        self._services = [path.with_name(service_keys.FILE) for path in paths[-1:]]
        self._stamps: tuple[Stamp, ...] | None = None
        self._people = PeopleFile()

    def people(self) -> PeopleFile:
        """Return everybody. `Unreadable` when a file is broken: then nobody may decide."""
        stamps = tuple(stamp(path) for path in (*self._paths, *self._services))
        if stamps != self._stamps:
            merged = PeopleFile()
            for path in self._paths:
                merged = merged.merged(read(path))
            self._demand_apart(merged)
            self._people, self._stamps = merged, stamps
        return self._people

    def _demand_apart(self, people: PeopleFile) -> None:
        try:
            for path in self._services:
                known = {name: person.keys for name, person in people.people.items()}
                service_keys.demand_apart(service_keys.read(path), known)
        except KeyRefused as error:
            raise Unreadable(str(error)) from None


def stamp(path: Path) -> Stamp:
    """Return what changes when a file is written, replaced, or may be read by others than before."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_ctime_ns, status.st_size, status.st_ino
