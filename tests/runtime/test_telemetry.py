"""Traces: sent to the collector that the environment names before the process ends, and to nobody else."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from runtime import telemetry

PROGRAM = """
import os
from opentelemetry.trace import get_tracer
from runtime import telemetry
telemetry.install()
telemetry.install()
with get_tracer("test").start_as_current_span("incident_triage enrich"):
    pass
telemetry.shutdown()
os._exit(0)
"""


class Collector(HTTPServer):
    """An OTLP collector that keeps what it is sent."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.received: list[tuple[str, ExportTraceServiceRequest]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    server: Collector

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        assert "gzip" != self.headers["content-encoding"]
        self.server.received.append((self.path, ExportTraceServiceRequest.FromString(body)))
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Stay quiet."""


@pytest.fixture
def collector() -> Iterator[Collector]:
    with Collector() as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def run(**environ: str) -> float:
    """Run a program that makes one span; return how many seconds its whole life took."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("OTEL_")}
    started = time.monotonic()
    root = Path(__file__).parents[2]
    subprocess.run([sys.executable, "-c", PROGRAM], env={**clean, **environ}, cwd=root, check=True, capture_output=True)
    return time.monotonic() - started


def test_spans_reach_the_collector_before_the_process_ends(collector: Collector) -> None:
    run(OTEL_EXPORTER_OTLP_ENDPOINT=collector.url)

    [(path, request)] = collector.received
    [resource] = request.resource_spans
    assert "/v1/traces" == path
    assert "gonogo" == {one.key: one.value.string_value for one in resource.resource.attributes}["service.name"]
    assert ["incident_triage enrich"] == [span.name for scope in resource.scope_spans for span in scope.spans]


def test_a_collector_that_is_gone_holds_nobody_up() -> None:
    """Without a limit the exporter tries again for ten seconds."""
    assert run(OTEL_EXPORTER_OTLP_TRACES_ENDPOINT="http://127.0.0.1:9/v1/traces") < 7


def test_a_provider_with_a_processor_records_every_span() -> None:
    memory = InMemorySpanExporter()
    provider = telemetry.provider(SimpleSpanProcessor(memory), {"OTEL_SERVICE_NAME": "night shift"})

    with provider.get_tracer("test").start_as_current_span("enrich"):
        pass

    [span] = memory.get_finished_spans()
    assert ("enrich", "night shift") == (span.name, span.resource.attributes["service.name"])


def test_a_provider_without_a_processor_records_nothing() -> None:
    with telemetry.provider(None, {}).get_tracer("test").start_as_current_span("enrich") as span:
        assert not span.is_recording()


@pytest.mark.parametrize(
    "environ",
    [
        {},
        {"OTEL_EXPORTER_OTLP_ENDPOINT": ""},
        {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:4318", "OTEL_SDK_DISABLED": "TRUE"},
    ],
)
def test_nothing_is_sent_unless_a_collector_is_named(environ: dict[str, str]) -> None:
    assert None is telemetry.exporter(environ)
