"""Where people are told: `notify.yaml`, read by `language/workspace.py`.

The law: addresses belong to the worker's workspace, never to a plan; of secrets nothing but names stands in a file, or
the variable that has one (`…_env`, which wins when it is set). `activities/held.py` looks them up.
The other halves: `contracts/notice.py` is what is told, `activities/notify.py` sends it.
"""

from pydantic import Field

from contracts.base import Document
from contracts.notice import About


class Webhook(Document):
    """An address that notices are posted to, signed: `url` may name a secret, and `secret` does.

    `to` are the roles and people whose notices it gets, `about` what of: all, where nothing is said.
    """

    url: str = ""
    url_env: str = ""
    secret: str = ""
    secret_env: str = ""
    to: tuple[str, ...] = ()
    about: tuple[About, ...] = ()


class Mail(Document):
    """A mail server, and the addresses of roles and people. A role's notice goes to those who hold it as well."""

    host: str
    port: int = Field(default=587, ge=1, le=65_535)
    starttls: bool = True
    user: str = ""
    user_env: str = ""
    password: str = ""
    password_env: str = ""
    sender: str
    to: dict[str, tuple[str, ...]]
    about: tuple[About, ...] = ()


class NotifyFile(Document):
    """`notify.yaml`. `web` is the address of the Web UI; `terminal` has the worker write on its standard error."""

    web: str = ""
    webhooks: dict[str, Webhook] = Field(default_factory=dict)
    mail: dict[str, Mail] = Field(default_factory=dict)
    terminal: bool = False

    def has_channels(self) -> bool:
        """Whether anybody is told anything."""
        return bool(self.webhooks or self.mail or self.terminal)
