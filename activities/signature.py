"""Signed definitions and policies: who vouches for what may run, and who must.

Law: a signature counts while the person who gave it is registered with that key and holds what is asked for. Where
signatures are required, what is unsigned, was changed, or is signed by somebody who may not is refused.
`contracts/signed.py` says what is signed; `signatures.json` beside it keeps the envelopes.
"""

import base64
import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from activities import keys
from activities.chain import spelt
from activities.entitled import may_decide
from activities.envelope import NotSigned, seal, unseal
from contracts.plan import Plan
from contracts.signed import SIGNED_TYPE, Signed, content, of_mission
from contracts.workspace import PeopleFile
from language.signatures import FILE, read_signatures

Envelope = Mapping[str, Any]


def sign(home: Path, person: str, what: str, digest: str) -> dict[str, Any]:
    """Return a person's signature under what has this digest, with their own key."""
    said = Signed(what=what, digest=digest, by=person, at=datetime.now(UTC).isoformat(timespec="seconds"))
    return seal(spelt(said.model_dump(mode="json")), SIGNED_TYPE, keys.private(home, person))


def signers(envelopes: Iterable[Envelope], what: str, digest: str, people: PeopleFile) -> tuple[str, ...]:
    """Return whose signatures count under exactly this."""
    return tuple(name for one in envelopes if (name := _signer(one, what, digest, people)))


def why_unsigned(
    required: Sequence[str], envelopes: Iterable[Envelope], what: str, digest: str, people: PeopleFile
) -> str:
    """Return why something may not run that has to be signed by one of these roles or people; nothing where it may."""
    if not required:
        return ""
    given = tuple(envelopes)
    names = signers(given, what, digest, people)
    if any(may_decide(name, tuple(required), people) for name in names):
        return ""
    if names:
        return f"{what} is signed by {', '.join(names)}, and has to be by {' or '.join(required)}"
    known = "what is signed is something else, or by nobody who is registered" if given else "nobody has signed it"
    return f"{what} has to be signed by {' or '.join(required)}: {known}"


def why_plan_unsigned(required: Sequence[str], plan: Plan, people: PeopleFile) -> str:
    """Return why a plan may not run, of those that have to be signed; nothing where it may."""
    if not required:
        return ""
    definition = plan.definition
    what = of_mission(definition.mission, definition.version)
    return why_unsigned(required, plan.signatures, what, content(plan), people)


def keep(folder: Path, envelope: dict[str, Any], what: str, digest: str, people: PeopleFile) -> Path:
    """Add a signature to those beside a definition. Those that no longer fit, and one's own before, go."""
    said = _said(envelope)
    others = [
        one
        for one in read_signatures(folder)
        if (name := _signer(one, what, digest, people)) and said is not None and name != said.by
    ]
    path = folder / FILE
    path.write_text(json.dumps([*others, envelope], indent=2) + "\n", encoding="utf-8")
    return path


def _signer(envelope: Envelope, what: str, digest: str, people: PeopleFile) -> str:
    """Return who signed exactly this, by a key that is theirs and nobody else's; nothing where nobody did."""
    said = _said(envelope)
    person = people.people.get(said.by) if said is not None else None
    if said is None or person is None or (said.what, said.digest) != (what, digest):
        return ""
    own = [key for key in person.keys if sum(key in one.keys for one in people.people.values()) == 1]
    try:
        text = unseal(envelope, SIGNED_TYPE, own)
    except (NotSigned, keys.KeyRefused):
        return ""
    return said.by if text == spelt(said.model_dump(mode="json")) else ""


def _said(envelope: Envelope) -> Signed | None:
    """Return what an envelope says, not believed yet."""
    try:
        return Signed.model_validate_json(base64.b64decode(str(envelope.get("payload", ""))))
    except ValueError:
        return None
