"""Check the ledgers of missions that were kept in a folder: `python -m proof FOLDER`.

Prints the seed and the commit of the run, then each mission; exits 1 at the first that breaks a law, 2 where there is
nothing to check. The laws are `proof/laws.py`, what a folder holds is `proof/folder.py`.
"""

import argparse
import asyncio
import os
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from temporalio.converter import WorkflowSerializationContext

from proof.check import commit, everything
from proof.folder import Incomplete, kept, namespace_of, opened
from proof.plain import told
from runtime.codec import encrypted
from runtime.leave import leave
from runtime.payloads import CLEAR, data_converter, sealing
from runtime.settings import Settings


def main(arguments: Sequence[str]) -> int:
    """Check every mission in a folder."""
    parser = argparse.ArgumentParser(prog="python -m proof", description="Check what must always hold.")
    parser.add_argument("folder", type=Path, help="where the ledgers were kept, a folder for each mission")
    parser.add_argument("--secret", action="append", default=[], help="what was planted and may be nowhere; repeatable")
    parser.add_argument("--seed", default=os.environ.get("GONOGO_SEED", "none"), help="the seed of the run")
    given = parser.parse_args(arguments)
    missions = sorted(path.parent for path in given.folder.rglob("place.json"))
    print(f"seed {given.seed}, commit {commit()}, missions {len(missions)}")
    if not missions:
        print(f"{given.folder} holds no ledgers: name the folder that they were kept in", file=sys.stderr)
        return 2
    for own in missions:
        try:
            found = asyncio.run(_checked(own, tuple(given.secret)))
        except Incomplete as incomplete:
            print(incomplete, file=sys.stderr)
            return 2
        print("\n".join(f"{own.name}: {breach}" for breach in found or ["every law holds"]))
        if found:
            return 1
    return 0


async def _checked(own: Path, secrets: tuple[str, ...]) -> list[str]:
    histories = kept(own)
    place = Settings.read()
    seal = sealing(place.payload_keys) if any(encrypted(one) for one in histories) else CLEAR
    converter, namespace = data_converter(place.contents(), seal), namespace_of(own)
    context = WorkflowSerializationContext(namespace=namespace, workflow_id=histories[0].workflow_id)
    read = await told(histories, converter.with_context(context), namespace)
    return await everything(replace(opened(own, read)[0], secrets=secrets), histories, converter)


if __name__ == "__main__":
    leave(main(sys.argv[1:]))
