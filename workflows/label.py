"""What an activity is called on the server, which everybody there can read: its step's path, its items veiled."""

from temporalio import workflow

from contracts.veil import veiled


def label(name: str) -> str:
    """Return an activity's id as the server is told it."""
    return veiled(name, getattr(workflow.instance(), "veil", ""))
