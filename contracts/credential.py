"""What a step shows to a tool's server: a JWT for one call, signed by the service key `broker`.

The law: it is good for one tool with exactly these arguments under one idempotency key, for minutes, and once.
`activities/broker.py` issues it, the server checks it.
"""

from datetime import timedelta

from contracts.base import Message

TYPE = "gonogo-step+jwt"
ISSUER = "gonogo/broker"
LIFETIME = timedelta(minutes=2)
"""Long enough to be sent at once, and too short to be of use to whoever finds it."""


class StepCredential(Message):
    """Its claims. Times are seconds of Unix time."""

    iss: str = ISSUER
    aud: str
    """The server, as `tools.yaml` names it."""
    sub: str
    """The person on whose behalf: who asked for the mission."""
    iat: int
    exp: int
    jti: str
    namespace: str
    mission: str
    first_run: str
    step: str
    tool: str
    """As its server calls it."""
    resource: str = ""
    """What it acts on, where its contract says which argument names that."""
    arguments: str
    """The digest of the arguments."""
    key: str
    """The idempotency key."""
    approved_by: tuple[str, ...] = ()
    """The people whose approvals the executor has verified."""
