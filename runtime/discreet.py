"""Logs and traces that tell where something failed, and not with what: for processes whose contents are encrypted.

The law: the text of an exception may hold anything that a mission knows, so neither a log nor a span gets it, and what
the code of agents and libraries logs is told by its place alone. An exception's type and the lines of code that it went
through stay; what it said is in the mission's history (`gonogo audit`).
"""

import logging
import traceback
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any

from opentelemetry.sdk.trace import Event, ReadableSpan, SpanProcessor
from opentelemetry.trace import Status

FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"
OURS = frozenset(("activities", "contracts", "language", "runtime", "starter", "temporalio", "worker", "workflows"))
"""Whose loggers say nothing but sentences of their own."""
TRACER = "gonogo"
AGENTS = "temporalio.activity"
"""The logger of that library which the code of agents uses."""
HIDDEN = frozenset(("exception.message", "exception.stacktrace"))
Raised = tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]


class Formatter(logging.Formatter):
    """Writes exceptions without their words."""

    def formatException(self, ei: Raised) -> str:  # noqa: N802 (logging's name)
        """Return the types of an exception and its causes, and where they were raised."""
        return "\n".join(_told(ei[1])) if ei[1] is not None else ""

    def format(self, record: logging.LogRecord) -> str:
        """Return a line; an exception among what it tells is told by its type, and nothing of what others say."""
        if record.name.partition(".")[0] not in OURS or record.name == AGENTS:
            record.msg, record.args = f"something, at {record.pathname}:{record.lineno}", ()
        arguments = record.args
        if isinstance(arguments, tuple):
            record.args = tuple(type(one).__name__ if isinstance(one, BaseException) else one for one in arguments)
        # What another handler has written of it is not taken over.
        record.exc_text = None
        return super().format(record)


class Spans(SpanProcessor):
    """Takes the words of exceptions out of spans, and all words of others. It stands before whatever sends them."""

    def on_end(self, span: ReadableSpan) -> None:
        """Leave the types of exceptions, and whether it went well; of others' spans, whose they are."""
        scope = span.instrumentation_scope.name if span.instrumentation_scope is not None else ""
        if scope != TRACER and not scope.startswith("temporalio."):
            span._name, span._attributes, span._events, span._links = scope, {}, [], []  # noqa: SLF001
        events = [Event(one.name, _without(one.attributes), one.timestamp) for one in span.events]
        span._events = events  # noqa: SLF001 (a span that has ended has no other way)
        span._status = Status(span.status.status_code)  # noqa: SLF001


def quiet_logs() -> None:
    """Have all that is logged from now on be written without the words of exceptions."""
    for handler in logging.getLogger().handlers:
        handler.setFormatter(Formatter(FORMAT))


def _told(error: BaseException) -> Iterator[str]:
    seen: set[int] = set()
    cause: BaseException | None = error
    while cause is not None and id(cause) not in seen:
        seen.add(id(cause))
        yield f"{type(cause).__module__}.{type(cause).__qualname__}, raised"
        for frame in traceback.extract_tb(cause.__traceback__):
            yield f"  in {_place(frame)}"
        cause = cause.__cause__ or (None if cause.__suppress_context__ else cause.__context__)


def _place(frame: traceback.FrameSummary) -> str:
    """Return where a line of code is; code that was made while it ran may be called anything."""
    return f"{frame.filename}:{frame.lineno}, {frame.name}" if Path(frame.filename).is_file() else "code of no file"


def _without(attributes: Any) -> dict[str, Any]:
    return {name: value for name, value in (attributes or {}).items() if name not in HIDDEN}
