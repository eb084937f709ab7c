"""Run the demo company: `python -m demo.company --port 8765 --database PATH`.

Law: whatever keeps it from starting is one line on stderr and exit code 3, and said before anything slow is imported.
It says on stdout where it listens, once it does; port 0 takes a free one. The other half is `serve.py`.
"""

import argparse
import os
import socket
import sqlite3
import sys
from pathlib import Path

from demo.seed import fill
from demo.store import Store

UNAVAILABLE = 3


class CannotStartError(Exception):
    """Why the company cannot start, in one line."""


def main() -> int:
    """Read the command line, open the books, listen until told to stop."""
    options = _read_options(sys.argv[1:])
    try:
        listener = _listen(options.host, options.port)
        with listener:
            store = _open_store(options.database)
            from demo.credential import Gatekeeper
            from demo.serve import serve

            keeper = Gatekeeper(options.credentials) if options.credentials else None
            serve(store, listener, options.host, keeper)
    except CannotStartError as error:
        print(f"company: {error}", file=sys.stderr)
        return UNAVAILABLE
    except KeyboardInterrupt:
        return 0
    return 0


def _read_options(arguments: list[str]) -> argparse.Namespace:
    environment = os.environ
    parser = argparse.ArgumentParser(prog="company", description="The demo company, speaking MCP at /mcp.")
    parser.add_argument("--host", default=environment.get("GONOGO_COMPANY_HOST", "127.0.0.1"))
    parser.add_argument("--port", type=int, default=environment.get("GONOGO_COMPANY_PORT", "8765"))
    parser.add_argument(
        "--database", type=Path, default=environment.get("GONOGO_COMPANY_DATABASE", ".gonogo/company.db")
    )
    parser.add_argument(
        "--credentials",
        type=Path,
        default=environment.get("GONOGO_COMPANY_CREDENTIALS"),
        metavar="FILE",
        help="the keys of the broker, without whose credential nothing is changed (services.yaml)",
    )
    return parser.parse_args(arguments)


def _listen(host: str, port: int) -> socket.socket:
    # The protocol is named because asyncio switches Nagle's algorithm off only where it reads TCP: 40 ms a call.
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(256)
    except (OSError, OverflowError) as error:
        listener.close()
        why = getattr(error, "strerror", None) or error
        raise CannotStartError(f"cannot listen on {host}:{port}: {why}; choose another with --port") from error
    return listener


def _open_store(path: Path) -> Store:
    try:
        store = Store(path)
        fill(store)
    except (OSError, sqlite3.Error) as error:
        raise CannotStartError(f"cannot use the database {path}: {error}; choose another with --database") from error
    return store


if __name__ == "__main__":
    sys.exit(main())
