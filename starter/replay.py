"""`gonogo replay`: do the histories of missions still replay on this code? To be asked before a worker is replaced."""

import re
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from starter.connect import operate, quiet, settings
from starter.options import Json
from starter.output import console, document
from starter.problem import DONE, REFUSED, Refused, Usage

if TYPE_CHECKING:
    from temporalio.client import Client, WorkflowHistory

    Named = tuple[str, WorkflowHistory]

Files = Annotated[
    list[Path], typer.Argument(metavar="[FILE]...", help="Histories as JSON, from the CLI or the Web UI.")
]
Ids = Annotated[list[str], typer.Option("--id", metavar="ID", help="Every run of this mission; may be repeated.")]
Recent = Annotated[int, typer.Option("--recent", metavar="N", min=0, help="The N newest runs on the server.")]


def replay(files: Files = [], *, mission: Ids = [], recent: Recent = 0, as_json: Json = False) -> int:  # noqa: B006
    """Say whether histories replay on the code of this folder."""
    import asyncio

    from runtime.connection import namespace

    if not files and not mission and not recent:
        raise Usage("name histories: gonogo replay FILE…, --id ID or --recent N")
    quiet()
    outcomes = asyncio.run(_judged(_from_files(files), namespace())) if files else []
    if mission or recent:
        outcomes += operate(lambda client: _judged(_from_server(client, mission, recent), client.namespace))
    return _tell(outcomes, as_json=as_json)


async def _from_files(files: list[Path]) -> "AsyncIterator[Named]":
    from temporalio.client import WorkflowHistory

    for file in files:
        try:
            history = WorkflowHistory.from_json(file.stem, file.read_text())
            # Replayed under the id that it had: those of its children are made from it.
            started = history.events[0].workflow_execution_started_event_attributes
            yield file.stem, replace(history, workflow_id=started.workflow_id or file.stem)
        except OSError as error:
            raise Usage(f"cannot read {file}: {error.strerror}") from None
        except Exception as error:
            # Whatever the decoder raises, the file is no history.
            raise Usage(f"{file} is no history in JSON: {str(error).splitlines()[0]}") from None


async def _from_server(client: "Client", missions: list[str], recent: int) -> "AsyncIterator[Named]":
    from starter.history import runs_of

    for mission in missions:
        for history in await runs_of(client, mission):
            yield history.workflow_id, history
    if recent:
        async for run in client.list_workflows("MissionName IS NOT NULL", limit=recent):
            yield run.id, await client.get_workflow_handle(run.id, run_id=run.run_id).fetch_history()


async def _judged(histories: "AsyncIterator[Named]", namespace: str) -> list[tuple[str, str]]:
    """Return each history's name with the reason why it does not replay, or an empty text."""
    import logging

    from temporalio.worker import Replayer

    from runtime.codec import encrypted
    from runtime.payloads import CLEAR, data_converter, sealing
    from workflows.halts import Halts
    from workflows.locks import Locks
    from workflows.mission import Mission
    from workflows.runner import runner

    logging.getLogger("temporalio").setLevel(logging.CRITICAL)  # The reason is told below, once.
    place, seal = settings(), sealing(settings().payload_keys)
    outcomes = []
    async for name, history in histories:
        replayer = Replayer(
            workflows=[Mission, Locks, Halts],
            workflow_runner=runner(),
            data_converter=data_converter(place.contents(), seal if encrypted(history) else CLEAR),
            namespace=namespace,
        )
        result = await replayer.replay_workflow(history, raise_on_replay_failure=False)
        reason = _reason(str(result.replay_failure)) if result.replay_failure else ""
        outcomes.append((f"{name} {len(history.events)} events", reason))
    return outcomes


def _reason(failure: str) -> str:
    """Return what the SDK's core says, out of the structure that it wraps it in."""
    said = re.search(r'message: "((?:[^"\\]|\\.)*)"', failure)
    return (said[1] if said else failure).splitlines()[0]


def _tell(outcomes: list[tuple[str, str]], *, as_json: bool) -> int:
    failed = [name for name, reason in outcomes if reason]
    if as_json:
        document([{"history": name, "replays": not reason, "reason": reason} for name, reason in outcomes])
        return REFUSED if failed else DONE
    out = console()
    for name, reason in outcomes:
        told = f"{name}: does NOT replay: {reason}" if reason else f"{name}: replays"
        out.print(told, markup=False, soft_wrap=True)
    if not outcomes:
        raise Refused("there is no such history")
    return REFUSED if failed else DONE
