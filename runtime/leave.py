"""The one way out of a program that has imported temporalio: at once.

The interpreter's own can abort there, after all work is done, and the program would seem to have failed.
"""

import os
import sys
from typing import NoReturn

LOST = 1


def leave(code: int) -> NoReturn:
    """End the process with this exit code, once spans are sent and all that was printed is out."""
    if "runtime.telemetry" in sys.modules:
        sys.modules["runtime.telemetry"].shutdown()
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:  # Whoever read us has gone: nobody is left to tell.
            code = code or LOST
    os._exit(code)
