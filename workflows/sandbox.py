"""The one sandbox for workers, tests and replays.

What is passed through sees the real clock and real randomness without a word. All our workflow code is, because loading
any of it anew for each mission cost more than running it; in exchange a test reads every line of it and finds whatever
asks the machine for anything (`tests/interpreter/test_purity.py`).
"""

from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner, SandboxRestrictions

PASSED_THROUGH = (
    "contracts",
    "language",
    "workflows",
    "pydantic",
    "pydantic_core",
    "annotated_types",
    "typing_extensions",
    "cel_expr_python",
    "google.protobuf",
    "jsonschema_rs",
    "yaml",
    "opentelemetry",
)


def sandbox() -> SandboxedWorkflowRunner:
    """Return the runner that every worker, test and replay uses."""
    return SandboxedWorkflowRunner(restrictions=SandboxRestrictions.default.with_passthrough_modules(*PASSED_THROUGH))
