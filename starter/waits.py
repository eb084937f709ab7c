"""What the audit tells of waiting: for locks, and for the lifting of halts. `starter/chronicle.py` tells the rest."""

from typing import Any

from contracts.halt import WATCH_HALT, HaltWatch
from contracts.lock import ASK_LOCKS, RELEASE_LOCKS, Claim, Holder, Standing
from starter.history import Reader

WAITED = frozenset((ASK_LOCKS, RELEASE_LOCKS, WATCH_HALT))
STANDS = {
    "held": "locks taken",
    "waiting": "locks waited for",
    "yielded": "locks yielded",
    "unknown": "locks asked for",
}


class Waits:
    """The waits of one run. Remembers what was asked for, since answers do not say it again."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._asked: dict[int, Claim | HaltWatch] = {}

    async def begun(self, event_id: int, kind: str, payloads: Any) -> dict[str, Any] | None:
        """Tell of a halt that is met, and of locks that are given back. What is asked for is told with its answer."""
        if kind == RELEASE_LOCKS:
            holder = await self._reader.one(payloads, Holder)
            return {"what": "locks given back", "step": holder.path} if holder else None
        model: type[Claim | HaltWatch] = HaltWatch if kind == WATCH_HALT else Claim
        asked = await self._reader.one(payloads, model)
        if asked is not None:
            self._asked[event_id] = asked
        return _halted("halt waited for", asked) if isinstance(asked, HaltWatch) else None

    async def over(self, attributes: Any) -> dict[str, Any] | None:
        """Tell what an asking came to, or that a halt was lifted; nothing of other activities."""
        asked = self._asked.get(attributes.scheduled_event_id)
        if not isinstance(asked, Claim):
            return _halted("halt lifted", asked) if asked else None
        standing = await self._reader.one(attributes.result.payloads, Standing) or Standing()
        detail = {"locks": list(asked.names), "cause": standing.cause or "; ".join(map(str, standing.behind))}
        return {"what": STANDS[standing.state], "step": asked.holder.path, "detail": detail}


def _halted(what: str, watch: HaltWatch) -> dict[str, Any]:
    return {"what": what, "step": watch.path, "detail": {"halts": list(watch.targets)}}
