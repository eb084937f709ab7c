"""TCP ports on this machine: which are free, and whether a given one is."""

import socket

from starter.problem import Unreachable

HOST = "127.0.0.1"


def free_port() -> int:
    """Return a port that is free now. Somebody else may take it before you do."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def is_free(port: int) -> bool:
    """Whether a server could listen on the port."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def demand_free(port: int, purpose: str, remedy: str) -> None:
    """Raise `Unreachable` when the port is taken, saying what wanted it and what to do."""
    if not is_free(port):
        raise Unreachable(f"port {port} ({purpose}) is in use: {remedy}")
