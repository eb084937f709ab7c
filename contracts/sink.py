"""Where events go: `events.yaml`, read by `language/workspace.py`, served by `activities/sinks.py`.

The law is that of `contracts/channel.py`: addresses belong to the workspace, and of secrets only names stand there.
"""

from pydantic import Field

from contracts.audit import Topic
from contracts.base import Document


class WebhookSink(Document):
    """An address that events are posted to, signed: `url` may name a secret, and `secret` does."""

    url: str = ""
    url_env: str = ""
    secret: str = ""
    secret_env: str = ""
    topics: tuple[Topic, ...] = ()
    """What it is told of; of everything that is told at all where nothing is said."""


class NatsSink(Document):
    """A NATS server with JetStream. Events go to `SUBJECT.TOPIC.MISSION`, which a stream there has to take."""

    url: str = ""
    url_env: str = ""
    token: str = ""
    token_env: str = ""
    subject: str = Field(default="gonogo", pattern=r"^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*$")
    topics: tuple[Topic, ...] = ()


class EventsFile(Document):
    """`events.yaml`."""

    webhooks: dict[str, WebhookSink] = Field(default_factory=dict)
    nats: dict[str, NatsSink] = Field(default_factory=dict)
