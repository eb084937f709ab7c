"""The one sandbox for workers, tests and replays.

Passed through is what is pure or native. What is passed through sees the real clock and real randomness without a
word, so of our workflow code only the interpreter and the governance are, which the build keeps from importing any:
loading them anew for each mission cost a third of the worker's time. The shell around them stays inside.
"""

from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner, SandboxRestrictions

PASSED_THROUGH = (
    "contracts",
    "language",
    "workflows.governance",
    "workflows.interpreter",
    "workflows.view",
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
