"""Traces, for whoever collects them: exported over OTLP when the usual variables name a collector, and else nowhere.

Law: a replay emits nothing twice. The SDK's own provider sees to that; it must be installed before the first client
or worker is made. `runtime/connection.py` puts the plugin on the client, and workers take it from there.
"""

import os
from collections.abc import Mapping

from opentelemetry import trace
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import SpanProcessor
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF
from temporalio.contrib.opentelemetry import ReplaySafeTracerProvider, create_tracer_provider

SERVICE = "gonogo"
ENDPOINTS = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")


def install(processor: SpanProcessor | None = None, environ: Mapping[str, str] | None = None) -> None:
    """Install the one provider of this process, once. `processor` stands in for the exporter."""
    if isinstance(trace.get_tracer_provider(), ReplaySafeTracerProvider):
        return
    processor = processor or _exporter(os.environ if environ is None else environ)
    provider = create_tracer_provider(
        sampler=None if processor else ALWAYS_OFF,
        resource=Resource.create({"service.name": os.environ.get("OTEL_SERVICE_NAME", SERVICE)}),
        shutdown_on_exit=False,
    )
    if processor:
        provider.add_span_processor(processor)
    trace.set_tracer_provider(provider)


def shutdown() -> None:
    """Send what is still held back. Call it before the process ends: nothing does it at exit."""
    provider = trace.get_tracer_provider()
    if isinstance(provider, ReplaySafeTracerProvider):
        provider.shutdown()


def _exporter(environ: Mapping[str, str]) -> SpanProcessor | None:
    if not any(environ.get(name) for name in ENDPOINTS) or environ.get("OTEL_SDK_DISABLED", "").lower() == "true":
        return None
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

    return BatchSpanProcessor(OTLPSpanExporter())
