"""What a channel or a sink is called with, that stands in no file: by the name of a secret, or in a variable.

The law: it is looked up when it is used. A variable that is set wins; what cannot be had is said by its name.
"""

from collections.abc import Mapping

from activities.strongbox import NoSecret, Strongbox
from activities.undelivered import Undelivered


class Held:
    """Where addresses, secrets and logins are looked up."""

    def __init__(self, environ: Mapping[str, str], strongbox: Strongbox | None = None) -> None:
        self._environ = environ
        self._strongbox = strongbox or Strongbox(environ)

    async def value(self, text: str, variable: str) -> str:
        """Return what a variable holds, or a text with the secrets that it names. Raises `Undelivered`."""
        if variable and (value := self._environ.get(variable)):
            return value
        if not text:
            raise Undelivered(f"the variable {variable or 'of the login'} is not set", final=True)
        try:
            return await self._strongbox.filled(text)
        except NoSecret as error:
            raise Undelivered(str(error), final=error.code != "unavailable") from None
