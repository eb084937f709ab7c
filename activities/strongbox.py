"""Secrets that definitions name: looked up when they are used, and taken out of whatever comes back.

Law: a value is in the memory of the worker that uses it, and in the request that it is for. Each text that leaves an
activity, an error above all, goes through `cleaned` first. Providers are one protocol; `activities/vault.py` is one.
"""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

from temporalio.exceptions import ApplicationError

from activities.failure import Code, failure
from activities.vault import Vault
from contracts.secret import Reference, split

FOLDER = "/run/secrets"
SHORTEST = 6
"""Characters that a secret has at least: shorter ones are guessed, and cannot be told from words that mean nothing."""
LIKE_A_KEY = 16
"""Characters from which on a key that no name stands for is hidden as well: shorter ones might be words."""
HIDDEN = "[secret]"


class NoSecret(Exception):
    """A secret that cannot be had: the code, and the sentence, which never holds a value."""

    def __init__(self, sentence: str, code: Code = "refused") -> None:
        super().__init__(sentence)
        self.code = code


class Provider(Protocol):
    """Where secrets are."""

    async def read(self, path: str, field: str) -> str:
        """Return a secret, or raise `LookupError` or `OSError` with why not."""
        ...


class Environment:
    """Variables of this process."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ

    async def read(self, path: str, field: str) -> str:
        """Return a variable's value."""
        if path not in self._environ:
            raise LookupError("that variable is not set")
        return _field(self._environ[path], field)


class Files:
    """Files in one folder, as container platforms lay secrets."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def read(self, path: str, field: str) -> str:
        """Return a file's text, or a field of its JSON."""
        try:
            return _field((self._folder / path).read_text(encoding="utf-8"), field)
        except UnicodeDecodeError:
            raise LookupError("the file holds no text") from None


class Strongbox:
    """Looks secrets up, and remembers the values that were used so as to know them again."""

    def __init__(self, environ: Mapping[str, str] | None = None) -> None:
        environ = os.environ if environ is None else environ
        self._providers: dict[str, Provider] = {
            "env": Environment(environ),
            "file": Files(Path(environ.get("GONOGO_SECRETS") or FOLDER)),
            "vault": Vault(environ),
        }
        self._used: set[str] = set()

    async def filled(self, text: str) -> str:
        """Return a text with the values of the secrets that it names, or raise `NoSecret`."""
        parts = [part if isinstance(part, str) else await self._value(part) for part in split(text)]
        return "".join(parts)

    async def key(self, text: str, who: str) -> str:
        """Return the key of an agent or a model, or raise the failure of whoever has none."""
        try:
            value = await self.filled(text)
        except NoSecret as error:
            raise failure(error.code, f"{who} is not asked: {error}") from None
        if len(value) >= LIKE_A_KEY:
            self.hide(value)
        return value

    def hide(self, value: str) -> None:
        """Know a value as a secret from now on."""
        self._used |= {value, json.dumps(value)[1:-1]}

    def forget(self, value: str) -> None:
        """Let go of a value that is of no use any more."""
        self._used.discard(value)

    def cleaned(self, value: Any) -> Any:
        """Return the same without any secret that was used here, wherever in it one stands."""
        match value:
            case str():
                for secret in sorted(self._used, key=len, reverse=True):
                    value = value.replace(secret, HIDDEN)
                return value
            case Mapping():
                return {self.cleaned(name): self.cleaned(one) for name, one in value.items()}
            case list() | tuple():
                return type(value)(self.cleaned(one) for one in value)
            case _:
                return value

    def cleaned_error(self, error: ApplicationError) -> ApplicationError:
        """Return a failure without any secret that was used here, nor what it came of, where one might be."""
        if not self._used:
            return error
        return ApplicationError(
            self.cleaned(error.message),
            *(self.cleaned(one) for one in error.details),
            type=error.type,
            non_retryable=error.non_retryable,
            next_retry_delay=error.next_retry_delay,
            category=error.category,
        )

    async def _value(self, name: Reference) -> str:
        try:
            value = (await self._providers[name.provider].read(name.path, name.field)).strip()
        except LookupError as error:
            raise NoSecret(f"the secret {name} cannot be had: {error.args[0]}") from None
        except OSError as error:
            why = error.strerror or str(error) or type(error).__name__
            raise NoSecret(f"the secret {name} cannot be had: {why}", "unavailable") from None
        if len(value) < SHORTEST or not value.isascii() or not value.isprintable():
            raise NoSecret(f"the secret {name} is none: it takes {SHORTEST} characters of one line of ASCII, or more")
        self.hide(value)
        return value


def _field(text: str, field: str) -> str:
    """Return a text, or one field of the JSON that it is."""
    if not field:
        return text
    try:
        value = json.loads(text)[field]
    except (ValueError, LookupError, TypeError):
        raise LookupError(f"it has no field {field!r}") from None
    return str(value)
