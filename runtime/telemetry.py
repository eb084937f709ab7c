"""Traces, for whoever collects them: exported over OTLP when the usual variables name a collector, and else nowhere.

Law: a replay emits nothing twice. The SDK's own provider sees to that; it must be installed before the first client
or worker is made. `runtime/connection.py` puts the plugin on the client, and workers take it from there.
"""

import os
from collections.abc import Mapping
from threading import Thread

from opentelemetry import trace
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import SpanProcessor
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF
from temporalio.contrib.opentelemetry import ReplaySafeTracerProvider, create_tracer_provider

from runtime.discreet import Spans

SERVICE = "gonogo"
ENDPOINTS = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
PATIENCE = 2.0
"""Seconds that a collector which does not answer may keep a process from ending."""


def install(*, discreet: bool = False) -> None:
    """Install the one provider of this process; the second time it does nothing.

    A `discreet` one sends no words of exceptions.
    """
    if not isinstance(trace.get_tracer_provider(), ReplaySafeTracerProvider):
        trace.set_tracer_provider(provider(exporter(os.environ), os.environ, discreet=discreet))


def provider(
    processor: SpanProcessor | None, environ: Mapping[str, str], *, discreet: bool = False
) -> ReplaySafeTracerProvider:
    """Return a provider that is safe on replay. Without a processor it records nothing."""
    made = create_tracer_provider(
        sampler=None if processor else ALWAYS_OFF,
        resource=Resource.create({"service.name": environ.get("OTEL_SERVICE_NAME") or SERVICE}),
        shutdown_on_exit=False,
    )
    if processor:
        if discreet:
            made.add_span_processor(Spans())
        made.add_span_processor(processor)
    return made


def exporter(environ: Mapping[str, str]) -> SpanProcessor | None:
    """Return what sends spans to the collector that the environment names, or None when it names none."""
    if not any(environ.get(name) for name in ENDPOINTS) or environ.get("OTEL_SDK_DISABLED", "").lower() == "true":
        return None
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

    return BatchSpanProcessor(OTLPSpanExporter())


def shutdown() -> None:
    """Send what is still held back, within `PATIENCE` seconds. Call it at the end: nothing does it at exit."""
    installed = trace.get_tracer_provider()
    if isinstance(installed, ReplaySafeTracerProvider):
        sending = Thread(target=installed.shutdown, daemon=True)
        sending.start()
        sending.join(PATIENCE)
