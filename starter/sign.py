"""Sign a decision for an open gate, and send it.

The law: nothing is signed that was not shown. What the mission says its digests are is not believed but computed again
from what is on the screen. `activities/identity.py` judges what is sent here.
"""

import time
import uuid
from dataclasses import dataclass
from typing import Any

from opentelemetry.trace import get_tracer
from temporalio.client import Client

from activities import keys
from activities.entitled import misanswered, misfits
from contracts.base import digest
from contracts.decision import DECIDE, Claims, Opening, Receipt, Subject, Verb
from contracts.veil import marked
from runtime.reading import kind_of
from starter.connect import PATIENCE, described, settings, understood
from starter.problem import Refused
from starter.reading import Reading
from starter.state import read_gates, read_receipt

VALID_SECONDS = 300
"""How long a signed decision may travel. Printed ones are pasted by hand, so minutes and not seconds."""
AFTER = {
    "open": "the gate waits for more decisions",
    "approved": "the gate is approved",
    "rejected": "the gate is rejected",
    "modified": "the gate is open again with the changed arguments",
    "changes_requested": "the gate is closed until the changes are made, or for good where nothing makes them",
    "answered": "the step goes on with your answer",
    "heard": "it takes effect when the turns that run now have ended",
}


@dataclass(frozen=True)
class Wish:
    """What somebody wants to decide, and why.

    `changes` are laid over the shown arguments; `to` is who takes over; `answer` is what a task is answered with.
    """

    verb: Verb
    comment: str = ""
    changes: dict[str, Any] | None = None
    to: str = ""
    answer: Any = None


async def find_opening(client: Client, mission: str, step: str, person: str = "") -> Opening:
    """Return the open gate at a step, named by its path or, where that is clear, by its last part.

    Only somebody who may decide there, or read the mission, is shown it: by default `GONOGO_PERSON`.
    """
    description = await described(client, mission)
    if description.close_time is not None and description.status:
        ended = description.status.name.lower().replace("_", " ")
        raise Refused(f"mission {mission} has ended ({ended}): it waits for no decision any more")
    first_run = description.raw_description.workflow_execution_info.first_run_id
    gates = {gate.subject.step: gate for gate in await read_gates(client, mission)}
    opening = gates[_path(list(gates), mission, step)]
    if (opening.subject.mission, opening.subject.first_run_id) != (mission, first_run):
        raise Refused(f"the gate at {step} says that it belongs to another mission. Nothing was signed")
    if why := Reading(person).why_no_gate(opening.subject, kind_of(description)):
        raise Refused(why)
    return opening


def _path(paths: list[str], mission: str, step: str) -> str:
    if step in paths:
        return step
    alike = sorted(path for path in paths if path.rsplit("/", 1)[-1] == step)
    if len(alike) == 1:
        return alike[0]
    if alike:
        raise Refused(f"{step!r} may be {' or '.join(alike)}: write the whole path")
    waiting = f"it waits at {', '.join(sorted(paths))}" if paths else "it waits for no decision now"
    raise Refused(f"no gate is open at step {step!r} of mission {mission}: {waiting}")


def prepare(opening: Opening, wish: Wish, person: str) -> Claims:
    """Return the claims to sign. Refuses an opening that is not what it shows, and changes that do not fit the tool."""
    demand_honest(opening)
    subject, now = opening.subject, int(time.time())
    if wish.verb == "answer" and subject.kind == "task" and (wrong := misanswered(opening, wish.answer)):
        raise Refused(wrong)
    return Claims(
        iss=person,
        jti=str(uuid.uuid4()),
        iat=now,
        exp=now + VALID_SECONDS,
        mission=subject.mission,
        run=subject.first_run_id,
        step=subject.step,
        nonce=opening.nonce,
        digest=subject.digest(),
        verb=wish.verb,
        comment=wish.comment,
        changes=_merged(opening, wish.changes) if wish.changes is not None else None,
        to=wish.to,
        answer=wish.answer,
    )


def demand_honest(opening: Opening) -> None:
    """Refuse to sign for an opening whose digests are not those of what it shows."""
    subject = opening.subject
    if digest(opening.context) != subject.context_digest:
        cut = list(opening.context) == ["cut"]
        why = "it is too large to be shown" if cut else "it is not what the gate was opened with"
        raise Refused(f"the context shown at {subject.step} cannot be trusted: {why}. Nothing was signed")
    if subject.digest() != opening.digest:
        raise Refused(f"the digest of {subject.step} is not that of what is shown. Nothing was signed")


def _merged(opening: Opening, changes: dict[str, Any]) -> dict[str, Any]:
    subject = opening.subject
    shown: dict[str, Any] | None = {one.step: one.arguments for one in subject.actions} or subject.arguments
    if shown is None or opening.input_schema is None:
        raise Refused(f"there is nothing to modify at {subject.step}: approve or reject it")
    merged = _of_actions(subject, changes) if subject.actions else {**shown, **changes}
    if all(name in shown and shown[name] == value for name, value in merged.items()):
        raise Refused("the changes change nothing: approve it instead")
    if wrong := misfits(opening, merged):
        raise Refused(f"the changed arguments do not fit {subject.tool or 'the tools'}: {'; '.join(wrong[:3])}")
    return merged


def _of_actions(subject: Subject, changes: dict[str, Any]) -> dict[str, Any]:
    """Return the new arguments of those actions, of several, that changes name: by their paths or the ends of these."""
    merged: dict[str, Any] = {}
    for name, given in changes.items():
        found = [one for one in subject.actions if f"/{one.step}".endswith(f"/{name}")]
        if len(found) != 1 or not isinstance(given, dict):
            known = ", ".join(one.step.removeprefix(f"{subject.step}/") for one in subject.actions)
            raise Refused(f'{name!r} and its value change no action here: write {{"NAME": {{…}}}} for one of {known}')
        merged[found[0].step] = {**found[0].arguments, **given}
    return merged


def signed(person: str, claims: Claims) -> str:
    """Sign with a person's own key."""
    try:
        return keys.sign(settings().home, person, claims)
    except keys.KeyRefused as error:
        raise Refused(str(error)) from None


def _called(claims: Claims) -> str:
    """Name a decision for traces, which everybody may read who collects them."""
    return f"{claims.verb} {marked(claims.step, lambda _: '')}"


async def send(client: Client, claims: Claims, token: str) -> Receipt:
    """Send a decision and wait for its receipt. Once sent it is the mission's, whether we wait or not."""
    handle = client.get_workflow_handle(claims.mission)
    with understood(claims.mission), get_tracer("gonogo").start_as_current_span(_called(claims)):
        await handle.signal(DECIDE, token, rpc_timeout=PATIENCE)
    receipt = await read_receipt(client, claims.mission, token)
    if receipt is None:
        late = f"the decision has reached {claims.mission}, which has not ruled on it yet"
        raise Refused(f"{late}: see with `gonogo audit {claims.mission}` what becomes of it")
    return receipt
