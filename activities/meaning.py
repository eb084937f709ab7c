"""What texts mean, as vectors of an embedding model: what is said in other words is found as well.

Law: it helps a search and decides nothing. Where nobody embeds, words alone are searched for, and the answer says so.
The library that reaches models loads slowly, so it is loaded when the first text is embedded.
"""

import asyncio
from array import array
from collections.abc import Iterable, Sequence
from contextlib import nullcontext
from math import sqrt
from operator import mul
from typing import Any

from activities.failure import explained

BATCH = 64
WORDS_ALONE = "only words were searched for"
PATIENCE = 30.0
"""Seconds for which one batch is waited for."""


class NoMeaning(Exception):
    """Nobody embeds, with the sentence that says why."""


class Meaning:
    """One embedding model: `provider:name`, or its name at the address of the worker's own model."""

    def __init__(self, model: str, url: str = "", key: str = "") -> None:
        self._model = model
        self._url, self._key = url, key
        self._embedder: Any = None

    async def of(self, texts: Sequence[str], *, query: bool = False) -> list[bytes]:
        """Return a vector of length one for each text. Raises `NoMeaning`."""
        try:
            if self._embedder is None:
                self._embedder = await asyncio.to_thread(_embedder, self._model, self._url, self._key)
            ask = self._embedder.embed_query if query else self._embedder.embed_documents
            found: list[bytes] = []
            # Whoever has entered it keeps its connections; they are closed with the last.
            async with getattr(self._embedder.model, "_provider", None) or nullcontext():
                for start in range(0, len(texts), BATCH):
                    async with asyncio.timeout(PATIENCE):
                        result = await ask(list(texts[start : start + BATCH]))
                    found += [_unit(vector) for vector in result.embeddings]
        except Exception as error:  # Whatever a stranger's library does, words are still there.
            raise NoMeaning(f"{self._model} embeds nothing: {explained(error)}; {WORDS_ALONE}") from None
        if len(found) != len(texts) or len({len(one) for one in found}) > 1:
            raise NoMeaning(f"{self._model} gives no vector for each text; {WORDS_ALONE}")
        return found


def likeness(one: bytes, other: bytes) -> float:
    """Return how alike two vectors are, from -1 to 1; those of different models are not alike at all."""
    if len(one) != len(other):
        return -1.0
    return float(sum(map(mul, _read(one), _read(other))))


def fused(*ranked: Iterable[Any]) -> list[Any]:
    """Return what stands in several orders in one: what is near the top of any of them comes first."""
    points: dict[Any, float] = {}
    for order in ranked:
        for place, one in enumerate(order):
            points[one] = points.get(one, 0.0) + 1.0 / (60 + place)
    return sorted(points, key=lambda one: -points[one])


def _unit(vector: Sequence[float]) -> bytes:
    length = sqrt(sum(part * part for part in vector)) or 1.0
    return array("f", (part / length for part in vector)).tobytes()


def _read(vector: bytes) -> "array[float]":
    return array("f", vector)


def _embedder(model: str, url: str, key: str) -> Any:
    from pydantic_ai import Embedder
    from pydantic_ai.embeddings import infer_embedding_model
    from pydantic_ai.embeddings.openai import OpenAIEmbeddingModel
    from pydantic_ai.providers.openai_compatible import OpenAICompatibleProvider

    from activities.runtimes.reach import NO_KEY

    if url and ":" not in model:
        there = OpenAICompatibleProvider("gonogo", base_url=url, api_key=key or NO_KEY)
        return Embedder(OpenAIEmbeddingModel(model, provider=there))
    return Embedder(infer_embedding_model(model))
