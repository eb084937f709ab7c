"""What stands ready beside an agent's tools: a place for the files that it leaves, and knowledge that it may search.

Law: deny by default. It may search what both its workspace and its plan name for it. What it leaves is kept by digest,
under a name that leads nowhere. `contracts/artifact.py` is what the record gets.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from activities.content import ContentLost, ContentStore
from activities.failure import failure
from activities.knowledge import Library
from contracts.artifact import MEDIA_TYPE, MOST, MOST_BYTES, NAME, Artifact, Source
from contracts.workspace import Tool

SEARCH = "search_knowledge"
CONTRACT = Tool(
    description="Search the documents that you may read. Each passage comes with its source: cite it.",
    server="",
    effect="read",
    input={
        "type": "object",
        "required": ["query"],
        "additionalProperties": False,
        "properties": {
            "query": {"type": "string", "minLength": 1, "maxLength": 400},
            "limit": {"type": "integer", "minimum": 1, "maximum": 20},
        },
    },
)
EXCERPT = 200


@dataclass(frozen=True)
class Stores:
    """What a worker has: where content lies, and its workspace's knowledge."""

    content: ContentStore | None = None
    library: Library | None = None


NO_STORES = Stores()


class Bench:
    """One attempt's: what it has left, and what it was shown."""

    def __init__(self, stores: Stores, knowledge: frozenset[str], observe: Callable[..., None]) -> None:
        self._stores = stores
        self._knowledge = knowledge
        self._observe = observe
        self._artifacts: dict[str, Artifact] = {}
        self._sources: dict[str, Source] = {}

    def searches(self) -> bool:
        return bool(self._knowledge) and self._stores.library is not None

    def keeps(self) -> bool:
        """Whether there is a place for files."""
        return self._stores.content is not None

    def left(self) -> dict[str, Any]:
        """Return what the result says of it."""
        return {"artifacts": tuple(self._artifacts.values()), "sources": tuple(self._sources.values())}

    async def leave(self, name: str, media_type: str, data: str | bytes) -> dict[str, Any]:
        """Keep a file. The last of a name counts."""
        content = data.encode() if isinstance(data, str) else bytes(data)
        _demand(name, media_type, content)
        if name not in self._artifacts and len(self._artifacts) >= MOST:
            raise ValueError(f"a step leaves at most {MOST} files")
        if self._stores.content is None:
            raise ValueError("this worker has no place for files")
        try:
            digest = await self._stores.content.put(content)
        except ContentLost as lost:
            raise failure("unavailable", str(lost)) from None
        kept = Artifact(name=name, media_type=media_type, digest=digest, size=len(content))
        self._artifacts[name] = kept
        self._observe(f"{name}, {media_type}, {len(content)} bytes", digest, "artifact")
        return kept.model_dump()

    async def search(self, query: str, limit: int = 5) -> dict[str, Any]:
        """Return passages with their sources, the best first."""
        if self._stores.library is None:
            raise PermissionError("this worker has no knowledge")
        found = await self._stores.library.search(self._knowledge, query, limit)
        for one in found.passages:
            self._sources[one.source] = Source(source=one.source, title=one.title, digest=one.digest)
            self._observe(one.text[:EXCERPT], one.source, "citation")
        passages = [{"source": one.source, "title": one.title, "text": one.text} for one in found.passages]
        return {"passages": passages, "left_out": list(found.left_out)}


def _demand(name: str, media_type: str, content: bytes) -> None:
    if not NAME.fullmatch(name):
        raise ValueError(f"{name[:100]!r} is no name for a file: letters, digits, '.', '_' and '-', at most 100")
    if not MEDIA_TYPE.fullmatch(media_type):
        raise ValueError(f"{media_type[:100]!r} is no media type: write one such as 'text/markdown'")
    if len(content) > MOST_BYTES:
        raise ValueError(f"{name} has {len(content)} bytes; at most {MOST_BYTES} are kept")
