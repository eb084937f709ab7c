"""The real worker as somebody runs it who measures it: the SDK's metrics are there to be read, others are sent.

Our own workers measure nothing. What the code of agents measures by itself goes where whoever does this sends it.
"""

import os
import runpy
import sys

from opentelemetry import metrics
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from temporalio.runtime import PrometheusConfig, Runtime, TelemetryConfig

PERIOD = 500
"""Milliseconds between two exports: a worker leaves without a last one."""

metrics.set_meter_provider(
    MeterProvider([PeriodicExportingMetricReader(OTLPMetricExporter(), export_interval_millis=PERIOD)])
)
address = os.environ["CANARY_METRICS"]
Runtime.set_default(Runtime(telemetry=TelemetryConfig(metrics=PrometheusConfig(bind_address=address))))
sys.argv = ["worker.py"]
runpy.run_path("worker.py", run_name="__main__")
