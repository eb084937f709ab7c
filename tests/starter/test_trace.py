"""One trace from the command line through the mission and its activities to the headers of each call of a tool."""

import sqlite3
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest
from launched import beside, ended
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from starter.ports import free_port


@pytest.fixture
def collector():
    """A place where spans are sent, as an OTLP collector takes them: `spans` is all that came."""
    spans = []

    class Taker(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            request = ExportTraceServiceRequest.FromString(body)
            spans.extend(span for r in request.resource_spans for s in r.scope_spans for span in s.spans)
            self.send_response(200)
            self.send_header("Content-Type", "application/x-protobuf")
            self.end_headers()

        def log_message(self, *args):
            """Keep quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Taker)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", spans
    server.shutdown()
    server.server_close()
    thread.join()


async def test_a_mission_is_one_trace_and_replays_emit_nothing_twice(tmp_path, collector):
    """With no workflow cached, every workflow task is a replay: a span that replays emitted would show here."""
    address, spans = collector
    ports = [f"--{name}={free_port()}" for name in ("port", "ui-port", "company-port")]
    told = {"ALERT": "internal_port_sweep", "DECIDE": "approve", "OTEL_EXPORTER_OTLP_ENDPOINT": address}
    code, out, err = await ended(await beside("demo", tmp_path, *ports, **told, GONOGO_MAX_CACHED_WORKFLOWS="0"))
    names = Counter(span.name for span in spans)
    traces = {span.trace_id.hex() for span in spans}
    with sqlite3.connect(tmp_path / "company.db") as database:
        headers = [row[0] for row in database.execute("SELECT traceparent FROM attempts")]
    database.close()

    assert 0 == code, out + err
    steps = ["incident_triage enrich", "incident_triage correlate", "incident_triage report"]
    assert 1 == names["start incident_triage"]
    # A mission that ran ahead for a query tells of a step once more; replays would at each task that follows.
    assert all(1 <= names[step] <= 2 for step in steps), names
    assert 1 == len(traces), names
    assert headers
    assert traces == {header.split("-")[1] for header in headers}
    parents = {span.span_id: span.parent_span_id for span in spans}
    [root] = [span for span in spans if not span.parent_span_id]
    assert "start incident_triage" == root.name
    assert all(parent in parents for parent in parents.values() if parent)
