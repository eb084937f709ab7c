"""What the audit says of notices: which were ordered for whom, and by which channels each went out."""

from collections.abc import Iterable
from typing import Any

from temporalio.api.common.v1 import Payload

from contracts.notice import Delivery, Notice
from starter.history import Reader


class Told:
    """The notices of one run, by the event that ordered each."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._notices: dict[int, Notice] = {}

    async def ordered(self, event: int, payloads: Iterable[Payload]) -> dict[str, Any] | None:
        notice = await self._reader.one(payloads, Notice)
        if notice is None:
            return None
        self._notices[event] = notice
        return _entry("notice ordered", notice, {"about": notice.about, "id": notice.id})

    async def sent(self, event: int, payloads: Iterable[Payload]) -> dict[str, Any] | None:
        """Say what came of a notice; nothing where the event is of something else."""
        notice, delivery = self._notices.get(event), None
        if notice is not None:
            delivery = await self._reader.one(payloads, Delivery)
        if notice is None or delivery is None:
            return None
        detail = {"about": notice.about, "by": list(delivery.sent), "cause": "; ".join(delivery.failed)}
        if delivery.instead:
            detail["instead"] = delivery.instead
        return _entry("notice sent" if delivery.sent or not delivery.failed else "notice failed", notice, detail)

    def failed(self, event: int, cause: str) -> dict[str, Any] | None:
        notice = self._notices.get(event)
        return _entry("notice failed", notice, {"about": notice.about, "cause": cause}) if notice else None


def _entry(what: str, notice: Notice, detail: dict[str, Any]) -> dict[str, Any]:
    return {"what": what, "who": ", ".join(notice.to), "step": notice.step, "detail": detail}
