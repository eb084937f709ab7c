"""A secret is found in whatever it is left in the clear: in each channel's place, in any spelling."""

import base64
import json
import logging
import sqlite3
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from temporalio.api.common.v1 import Memo, Payload
from temporalio.api.history.v1 import HistoryEvent

from tests.canaries.search import found

WORD = "canary7f3a9d"
Place = Callable[[Path, str], None]


def in_row(folder: Path, secret: str, value: object = None) -> None:
    with closing(sqlite3.connect(folder / "books.db")) as db, db:
        db.execute("CREATE TABLE kept (id INTEGER PRIMARY KEY, value)")
        db.execute("INSERT INTO kept VALUES (1, ?)", (secret if value is None else value,))


def in_write_ahead_log(folder: Path, secret: str) -> None:
    """Leave it where nothing has taken it over into the database, as a server that was killed does."""
    with closing(sqlite3.connect(folder / "live.db", isolation_level=None)) as db:
        db.execute("PRAGMA journal_mode=WAL")
        db.execute("CREATE TABLE kept (value)")
        db.execute("INSERT INTO kept VALUES (?)", (secret,))
        for name in ("books.db", "books.db-wal"):
            (folder / name).write_bytes((folder / name.replace("books", "live")).read_bytes())
    (folder / "live.db").unlink()


def over_pages(folder: Path, secret: str) -> None:
    """Leave it in a row so long that a page's end cuts it, wherever that is."""
    in_row(folder, secret, "".join(f"{number:04}{secret} " for number in range(2_000)))


def in_event(folder: Path, secret: str) -> None:
    data = json.dumps({"said": secret}).encode()
    event = HistoryEvent(event_id=7)
    event.workflow_execution_started_event_attributes.memo.CopyFrom(Memo(fields={"said": Payload(data=data)}))
    in_row(folder, secret, event.SerializeToString())


def in_plain_cause(folder: Path, secret: str) -> None:
    event = HistoryEvent(event_id=7)
    event.workflow_execution_cancel_requested_event_attributes.cause = secret
    in_row(folder, secret, event.SerializeToString())


def in_activity_id(folder: Path, secret: str) -> None:
    event = HistoryEvent(event_id=7)
    event.activity_task_scheduled_event_attributes.activity_id = f"each[{secret}]/look"
    in_row(folder, secret, event.SerializeToString())


def in_header(folder: Path, secret: str) -> None:
    event = HistoryEvent(event_id=7)
    carried = event.workflow_execution_signaled_event_attributes.header.fields["baggage"]
    carried.CopyFrom(Payload(data=f'"said={secret}"'.encode()))
    in_row(folder, secret, event.SerializeToString())


def in_log(folder: Path, secret: str, *, raised: bool = False) -> None:
    handler = logging.FileHandler(folder / "worker.log")
    try:
        raise ValueError(secret)
    except ValueError:
        record = ("leaks", logging.WARNING, __file__, 1, "it said %s", (secret if not raised else "no",))
        handler.emit(logging.LogRecord(*record, sys.exc_info() if raised else None))
    handler.close()


def in_span(folder: Path, secret: str) -> None:
    kept = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(kept))
    with provider.get_tracer("leaks").start_as_current_span("asked", attributes={"said": secret}):
        pass
    (folder / "traces").write_bytes(encode_spans(kept.get_finished_spans()).SerializeToString())


def in_file(name: str, text: str = "{}") -> Place:
    return lambda folder, secret: _write(folder / name.format(secret), text.format(secret).encode())


def spelt(spell: Callable[[bytes], bytes]) -> Place:
    return lambda folder, secret: _write(folder / "output", b"x " + spell(f"so {secret}!".encode()) + b" y")


def _write(file: Path, data: bytes) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(data)


CHANNELS: dict[str, Place] = {
    "input": in_event,
    "output": in_row,
    "header": in_header,
    "signal": in_event,
    "update": in_event,
    "query": in_log,
    "memo": in_event,
    "summary": in_event,
    "map-key": in_activity_id,
    "cancel-reason": in_plain_cause,
    "exception": lambda folder, secret: in_log(folder, secret, raised=True),
    "stack-trace": in_file("worker.log", 'File "{}", line 1, in look'),
    "heartbeat": in_write_ahead_log,
    "large-answer": over_pages,
    "log": in_log,
    "span": in_span,
    "metric": in_file("metrics", 'asked_total{{said="{}"}} 1'),
    "event": in_file("events", '{{"data":{{"step":"{}"}}}}'),
    "artifact-name": in_file("payloads/{}.txt", "nothing"),
    "artifact-content": in_file("payloads/ab/abcdef"),
    "command-output": in_file("output", "asked for {}\n"),
    "in-base-sixty-four": spelt(base64.b64encode),
    "in-base-sixty-four-of-addresses": spelt(base64.urlsafe_b64encode),
    "in-base-sixty-four-further-on": spelt(lambda text: base64.b64encode(b"." + text)),
    "in-base-sixty-four-still-further-on": spelt(lambda text: base64.b64encode(b".." + text)),
    "in-hexadecimal": spelt(lambda text: text.hex().encode()),
    "in-wide-letters": spelt(lambda text: text.decode().encode("utf-16-le")),
}


@pytest.mark.parametrize("channel", CHANNELS)
def test_a_secret_that_is_left_in_the_clear_is_found(tmp_path: Path, channel: str) -> None:
    before = found(WORD, tmp_path)
    CHANNELS[channel](tmp_path, f"{WORD}-{channel}")
    said = {secret for secrets in found(WORD, tmp_path).values() for secret in secrets}

    assert {} == before
    assert any(secret.startswith(channel) for secret in said), said


def test_what_is_given_beside_a_folder_is_searched_too(tmp_path: Path) -> None:
    assert {"metrics": {"metric"}} == found(WORD, tmp_path, {"metrics": f"x {WORD}-metric".encode(), "traces": b"no"})
