"""A parent that has read the programs' code and forks one for each line that it is told, in a tenth of the time.

What runs in a child is `worker.py` and `demo/company.py` as they are: their own main, their own way out. Importing
them is most of what a start costs, and these tests start more than a hundred. The other half is `hands.py`.
"""

import json
import os
import select
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

from temporalio.worker._worker import load_default_build_id

import demo.company
import demo.serve
import missions.incident_triage.correlate
import missions.incident_triage.draft
import missions.incident_triage.report
import missions.incident_triage.retrieve  # noqa: F401 (the worker loads the agents late, by name)
import worker

ALIVE: set[int] = set()


def run_worker(arguments: list[str]) -> None:
    worker.leave(worker.main(arguments, os.environ))


def run_company(arguments: list[str]) -> None:
    sys.argv = ["company", *arguments]
    os._exit(demo.company.main())


PROGRAMS: dict[str, Callable[[list[str]], None]] = {"worker": run_worker, "company": run_company}


def become(order: dict[str, Any]) -> None:
    """Be the program that was ordered, with a session, a log and an environment of its own."""
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    os.setsid()
    log = os.open(order["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(log, 1)
    os.dup2(log, 2)
    os.environ.clear()
    os.environ.update(order["environ"])
    PROGRAMS[order["program"]](order["arguments"])


def bear(line: str) -> int:
    """Fork one program and return its process id. The child never returns."""
    pid = os.fork()
    if pid == 0:
        try:
            become(json.loads(line))
        finally:
            sys.stderr.flush()
            os._exit(70)
    return pid


def bury() -> None:
    """Take note of children that have ended."""
    with suppress(ChildProcessError):
        while (pid := os.waitpid(-1, os.WNOHANG)[0]) > 0:
            ALIVE.discard(pid)


def orders() -> Iterator[str]:
    """Yield the lines that come, and bury in between.

    A handler would not do: a child that dies just before a read begins to wait would lie about until the next line.
    """
    ended, wake = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
    signal.set_wakeup_fd(wake)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    while True:
        ready, _, _ = select.select([sys.stdin, ended], [], [])
        if ended in ready:
            os.read(ended, 4096)
            bury()
        if sys.stdin in ready:
            if not (line := sys.stdin.readline()):
                return
            yield line


def main() -> None:
    # Every worker hashes all code that is loaded, and keeps the hash: made here, it is there in all children.
    load_default_build_id()
    print("ready", flush=True)
    for line in orders():
        pid = bear(line)
        ALIVE.add(pid)
        print(pid, flush=True)
    # Whoever ordered them is gone: nobody else would end them.
    for pid in tuple(ALIVE):
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


if __name__ == "__main__":
    main()
