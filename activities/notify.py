"""Tell people, by every channel of this worker's workspace: webhooks, mail, the terminal.

Law: what is told says where to decide and nothing that is decided on. A channel that has taken a notice is not given it
again when another is tried once more; one that may have, is, under the same id. Secrets are looked up when
they are needed, and no failure has an address or a secret in it. `contracts/notice.py` is what is told; the words are
`activities/wording.py`'s.
"""

import asyncio
import os
import sys
from collections.abc import Awaitable, Callable, Iterator, Mapping
from typing import Any

from temporalio import activity

from activities.books.database import Unreadable as NoDatabase
from activities.books.request import Requests, Telling
from activities.failure import failure
from activities.fatigue import USUAL
from activities.held import Held
from activities.mailbox import post
from activities.outward import OUTSIDE, Outward
from activities.people import Directory, Unreadable
from activities.statement import show
from activities.strongbox import Strongbox
from activities.undelivered import Undelivered
from activities.webhook import call
from activities.wording import Words, said, summed, worded
from contracts.channel import Mail, NotifyFile, Webhook
from contracts.notice import REQUESTS, SEND_NOTICE, Delivery, Notice
from contracts.workspace import AtMost

TERMINAL = "terminal"
INSTEAD: dict[Telling, str] = {"summary": "one notice told of all", "nothing": "a notice before told of all"}
Sending = Callable[[], Awaitable[None]]


class Notifier:
    """The activity that sends a notice. `web` wins over the address of the Web UI that the file has.

    `requests` keeps count of what approvers are told; without it each notice is told by itself.
    """

    def __init__(
        self,
        channels: NotifyFile,
        directory: Directory,
        *,
        web: str = "",
        requests: Requests | None = None,
        outward: Outward = OUTSIDE,
        environ: Mapping[str, str] = os.environ,
        strongbox: Strongbox | None = None,
        say: Callable[[str], None] = lambda line: print(line, file=sys.stderr, flush=True),
    ) -> None:
        self._channels = channels
        self._directory = directory
        self._web = web or channels.web
        self._requests = requests
        self._outward = outward
        self._held = Held(environ, strongbox)
        self._say = say

    @activity.defn(name=SEND_NOTICE)
    async def send(self, notice: Notice) -> Delivery:
        """Send a notice by each channel that it concerns. Raises for those worth another try, while there is one."""
        if notice.mission != activity.info().workflow_id:
            raise failure("refused", f"the notice speaks for {show(notice.mission)}, but another mission sends it")
        telling, at_most = await self._telling(notice)
        known = _so_far()
        if telling != "one":
            known = known.model_copy(update={"instead": f"one of more than {said(at_most)}: {INSTEAD[telling]}"})
        if telling == "nothing":
            return known
        words = worded(notice, self._web, activity.info().workflow_namespace or "default")
        if telling == "summary":
            words = summed(notice, said(at_most))
        channels = self._concerned(notice, words)
        pending = {name: send for name, send in channels.items() if name not in {*known.sent, *_names(known.failed)}}
        left = []
        for name, error in await _sent(pending):
            if error is None:
                known = known.model_copy(update={"sent": (*known.sent, name)})
            elif error.final or _last():
                known = known.model_copy(update={"failed": (*known.failed, f"{name}: {error}")})
            else:
                left.append(f"{name}: {error}")
        activity.heartbeat(known.model_dump(mode="json"))
        if left:
            raise failure("unavailable", "; ".join(left))
        return known

    async def _telling(self, notice: Notice) -> tuple[Telling, AtMost]:
        """Return how to tell of a notice. Where nobody can keep count it is told by itself: better often than never."""
        try:
            at_most = self._directory.people().at_most or USUAL
        except Unreadable:
            at_most = USUAL
        if self._requests is None or notice.about not in REQUESTS:
            return "one", at_most
        try:
            return await self._requests.take(notice.id, notice.to, at_most), at_most
        except NoDatabase:
            return "one", at_most

    def _concerned(self, notice: Notice, words: Words) -> dict[str, Sending]:
        """Return how to send a notice by each channel that it concerns."""
        names = {*notice.to, *self._holders(notice.to)}
        return dict(self._ways(notice, words, names))

    def _ways(self, notice: Notice, words: Words, names: set[str]) -> Iterator[tuple[str, Sending]]:
        for name, hook in self._channels.webhooks.items():
            if _about(hook, notice) and (not hook.to or names & set(hook.to)):
                yield name, lambda hook=hook: call(hook, words, self._held, self._outward)  # type: ignore[misc]
        for name, mail in self._channels.mail.items():
            addresses = sorted({one for who in names for one in mail.to.get(who, ())})
            if _about(mail, notice) and addresses:
                yield name, lambda mail=mail, to=addresses: post(mail, to, words, self._held, self._outward)  # type: ignore[misc]
        if self._channels.terminal:
            yield TERMINAL, lambda: self._print(words)

    def _holders(self, names: tuple[str, ...]) -> set[str]:
        """Return the people who hold one of the roles, as they are now."""
        try:
            people = self._directory.people().people
        except Unreadable:
            return set()
        return {name for name, person in people.items() if set(person.roles) & set(names)}

    async def _print(self, words: Words) -> None:
        self._say(words.line)


async def _sent(channels: dict[str, Sending]) -> list[tuple[str, Undelivered | None]]:
    """Send by several channels at once; return what came of each."""

    async def one(name: str, send: Sending) -> tuple[str, Undelivered | None]:
        try:
            await send()
        except Undelivered as error:
            return name, error
        except Exception as bug:
            # One channel keeps no other from its notice, and what a stranger's exception says is told to nobody.
            return name, Undelivered(f"it failed ({type(bug).__name__})", final=True)
        return name, None

    return list(await asyncio.gather(*(one(name, send) for name, send in channels.items())))


def _so_far() -> Delivery:
    """Return what earlier attempts have come to."""
    details: Any = activity.info().heartbeat_details
    return Delivery.model_validate(details[0]) if details else Delivery()


def _names(failed: tuple[str, ...]) -> set[str]:
    return {reason.partition(":")[0] for reason in failed}


def _last() -> bool:
    info = activity.info()
    return info.retry_policy is not None and info.attempt >= info.retry_policy.maximum_attempts > 0


def _about(channel: Webhook | Mail, notice: Notice) -> bool:
    return not channel.about or notice.about in channel.about
