"""What a command cannot do, in one sentence, and the exit code that says so.

Commands raise; only `starter/cli.py` prints and leaves. A `Problem` is never shown with a traceback.
"""

DONE = 0
REFUSED = 1
USAGE = 2
UNREACHABLE = 3


class Problem(Exception):
    """One clear sentence: what, where, and what to do instead."""

    code = REFUSED


class Refused(Problem):
    """It was asked for properly, and was refused or failed."""


class Usage(Problem):
    """It was asked for in a way that cannot be meant."""

    code = USAGE


class Unreachable(Problem):
    """A server, or what it takes to start one, is not there."""

    code = UNREACHABLE
