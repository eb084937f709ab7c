"""Whether histories that this code writes replay on the release before it, so that a worker can be rolled back.

`python -m proof.before FOLDER` replays every history in a folder. The release before is the newest tag `v…` under the
commit that is checked out; `GONOGO_BEFORE` names another. Its packages are taken out of the repository into a folder
and run in a process of their own. Where nothing was released, or in a clone without it, nobody can tell: `Unknown` says
so, and nothing is taken for granted.
"""

import io
import os
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("contracts", "language", "activities", "workflows", "runtime")
"""What a replay imports."""
REPLAY = """
import asyncio, os, sys
from dataclasses import replace
from pathlib import Path
from temporalio.client import WorkflowHistory
from temporalio.worker import Replayer
import workflows.mission
from runtime.payloads import data_converter
from workflows.halts import Halts
from workflows.locks import Locks
from workflows.runner import runner

assert workflows.mission.__file__.startswith(os.getcwd()), "another release was imported"
converter = data_converter(sys.argv[1])
kinds = [workflows.mission.Mission, Locks, Halts]
replayer = Replayer(workflows=kinds, workflow_runner=runner(), data_converter=converter)

async def main():
    for path in map(Path, sys.argv[2:]):
        history = WorkflowHistory.from_json(path.stem, path.read_text())
        started = history.events[0].workflow_execution_started_event_attributes
        history = replace(history, workflow_id=started.workflow_id)
        failure = (await replayer.replay_workflow(history, raise_on_replay_failure=False)).replay_failure
        print(f"{path.name}: {failure}" if failure else f"{path.name}: replays", flush=True)

asyncio.run(main())
"""


class Unknown(Exception):
    """Nobody here knows the release before."""


def main(arguments: Sequence[str]) -> int:
    """Print how each history in a folder replays; exit 1 if one does not, 2 where there is nothing to ask."""
    files = sorted(Path(arguments[0]).rglob("*.json")) if arguments else []
    if not files:
        print("name the folder that holds the histories, each as JSON", file=sys.stderr)
        return 2
    try:
        release = before()
    except Unknown as unknown:
        print(unknown, file=sys.stderr)
        return 2
    print(f"on {release}")
    with tempfile.TemporaryDirectory() as folder:
        found = replayed(unpacked(release, Path(folder)), files, os.environ.get("GONOGO_PAYLOADS", folder))
    print("\n".join(found))
    return 0 if all(line.endswith(": replays") for line in found) else 1


def before() -> str:
    """Return the commit of the release before this code."""
    if named := os.environ.get("GONOGO_BEFORE"):
        return _asked("rev-parse", "--verify", f"{named}^{{commit}}")
    return _asked("describe", "--tags", "--match", "v*", "--abbrev=0", "HEAD^")


def _asked(*command: str) -> str:
    asked = subprocess.run(["git", "-C", str(ROOT), *command], capture_output=True, text=True, check=False)
    if asked.returncode:
        raise Unknown(f"git does not know the release before: {asked.stderr.strip()}")
    return asked.stdout.strip()


def unpacked(release: str, folder: Path) -> Path:
    """Take the packages of a release out of the repository."""
    packed = subprocess.run(["git", "-C", str(ROOT), "archive", release, *PACKAGES], capture_output=True, check=False)
    if packed.returncode:
        raise Unknown(f"{release} cannot be taken out of this clone: {packed.stderr.decode().strip()}")
    with tarfile.open(fileobj=io.BytesIO(packed.stdout)) as archive:
        archive.extractall(folder, filter="data")
    return folder


def replayed(folder: Path, files: Sequence[Path], contents: str) -> list[str]:
    """Return a line for each history: that it replays on the code in a folder, or how it fails to."""
    command = [sys.executable, "-c", REPLAY, contents, *(str(file.resolve()) for file in files)]
    environ = {**os.environ, "PYTHONPATH": str(folder), "PYTHONSAFEPATH": "1"}
    ran = subprocess.run(command, cwd=folder, env=environ, capture_output=True, text=True, check=False)
    found = [line for line in ran.stdout.splitlines() if line.partition(":")[0] in {file.name for file in files}]
    missing = len(files) - len(found)
    return found if not missing else [*found, f"{missing} were not replayed: {ran.stderr.strip().splitlines()[-1:]}"]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
