"""What a step yields beside its answer: files, kept by their digest, and the sources that it drew on.

The other halves: `activities/bench.py` for agents, `starter/artifacts.py` for people.
"""

import re

from contracts.base import Message

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
"""What a file may be called: never a way out of a folder, and no hidden file."""
MEDIA_TYPE = re.compile(r"[a-z0-9.+-]+/[a-z0-9.+-]+(?:; ?[a-z0-9-]+=[A-Za-z0-9._-]+)*")
MOST_BYTES = 20_000_000
MOST = 50


class Artifact(Message):
    """A file that a step has left. Its name, as all here, is data of whoever wrote it until it is checked."""

    name: str
    media_type: str
    digest: str
    size: int = 0


class Source(Message):
    """A passage of a document that an agent was shown; `digest` is of the whole document as it was then."""

    source: str
    title: str = ""
    digest: str = ""
