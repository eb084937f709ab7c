"""The one sandbox for workers, tests and replays.

Passed through are what is pure or native: contracts, the language, and third-party code. Never our workflow code:
what is passed through sees the real clock and real randomness without a word.
"""

from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner, SandboxRestrictions

PASSED_THROUGH = (
    "contracts",
    "language",
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
