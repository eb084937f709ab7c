"""The one way in which workers, tests and replays run workflow code: plainly, in the worker's own interpreter.

Temporal's sandbox would load that code anew for each mission and enter a guarded world several times for each payload.
What it guards against, a test finds by reading every line (`tests/interpreter/test_purity.py`): no code of an author
or an agent ever runs in a workflow, so our own is all that there is to watch.
"""

from temporalio.worker import UnsandboxedWorkflowRunner


def runner() -> UnsandboxedWorkflowRunner:
    """Return the runner that every worker, test and replay uses."""
    return UnsandboxedWorkflowRunner()
