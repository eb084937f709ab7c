"""Nothing unasked, nothing unapproved: each effect against the history's calls and the signatures of people.

Signatures are verified here by plain Ed25519 and not by the code under test. The other laws are `proof/laws.py`.
"""

import json
from base64 import urlsafe_b64decode
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from contracts.base import digest
from contracts.call import ToolCall, idempotency_key
from contracts.decision import Claims
from contracts.workspace import PeopleFile
from proof.ledgers import At, Ledgers, Told


def unasked(ledgers: Ledgers) -> Iterator[str]:
    """Every effect is one that the history asked for, under the key that its place in the mission gives."""
    for effect in ledgers.effects:
        call = ledgers.call_of(effect)
        if call is None:
            yield f"unasked: no call in the history has the key and the payload of the effect {effect['tool']}"
        elif call[1].key != _key(call[1], ledgers.told):
            yield f"unasked: the key of {effect['tool']} is not the one of its step"
        elif effect["key"] not in {attempt["key"] for attempt in ledgers.attempts}:
            yield f"unasked: {effect['tool']} was committed, but nobody called it"


def _key(call: ToolCall, told: Told) -> str:
    what = digest(call.arguments)
    return idempotency_key(told.namespace, told.id, told.first_run, call.path, what, generation=call.generation)


def unapproved(ledgers: Ledgers) -> Iterator[str]:
    """Every effect of a tool that needs approval has it, from people who may give it, for exactly this, before it."""
    for effect in ledgers.effects:
        found = ledgers.call_of(effect)
        if found is not None and ledgers.tools[effect["tool"]].needs_approval():
            at, call = found
            names = {name for name in _approvers(call, at, effect, ledgers) if name}
            required = call.grant.subject.required if call.grant else 1
            if len(names) < max(1, required):
                yield f"unapproved: {call.path} ({call.tool}) had {len(names)} of {max(1, required)} approvals"


def _approvers(call: ToolCall, at: At, effect: Mapping[str, Any], ledgers: Ledgers) -> Iterator[str]:
    """Yield who really approved a call before it was asked for."""
    if not covers(call, ledgers.told) or call.grant is None:
        return
    subject = call.grant.subject
    for token in call.grant.tokens:
        claims = _verified(token, ledgers.people)
        if claims is None:
            continue
        person = ledgers.people.people[claims.iss]
        bound = (claims.mission, claims.run, claims.step, claims.nonce, claims.digest, claims.verb)
        wanted = (subject.mission, subject.first_run_id, subject.step, call.grant.nonce, subject.digest(), "approve")
        allowed = claims.iss in subject.approvers or set(person.roles) & set(subject.approvers)
        other = claims.iss.casefold() != ledgers.told.requested_by.casefold()
        if bound == wanted and allowed and other and _ruled(claims, at, effect, ledgers.told, subject.governance):
            yield claims.iss


def covers(call: ToolCall, told: Told) -> bool:
    """Whether the grant is for this call: its tool and its arguments, or what it undoes."""
    if call.grant is None:
        return False
    subject = call.grant.subject
    if (subject.mission, subject.first_run_id, subject.kind) != (told.id, told.first_run, "approval"):
        return False
    if call.undoes:
        wanted = [(call.undoes, call.tool, call.path)]
        return wanted == [
            (one.tool, one.compensation, f"{one.step}/undo")
            for one in subject.acts()
            if f"{one.step}/undo" == call.path
        ]
    wanted_acts = [(call.tool, call.arguments)]
    return wanted_acts == [(one.tool, one.arguments) for one in subject.acts() if one.step == call.path]


def _verified(token: str, people: PeopleFile) -> Claims | None:
    """Return what a token says if a registered key of its signer signed it."""
    head, body, signature = token.split(".")
    claims = Claims.model_validate_json(decoded(body))
    for key in people.people[claims.iss].keys if claims.iss in people.people else ():
        try:
            Ed25519PublicKey.from_public_bytes(decoded(key)).verify(decoded(signature), f"{head}.{body}".encode())
        except InvalidSignature:
            continue
        return claims
    return None


def decoded(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


def jti_in(token: str) -> str:
    """Return the id that a token says it has, whoever signed it; none of one that cannot be read."""
    try:
        return str(json.loads(decoded(token.split(".")[1]))["jti"])
    except (ValueError, IndexError, KeyError, TypeError):
        return ""


def _ruled(claims: Claims, at: At, effect: Mapping[str, Any], told: Told, rules: str) -> bool:
    """Whether the mission accepted it, unexpired, by the rules that it was asked under, before the effect."""
    return any(
        ruling.accepted
        and ruling.jti == claims.jti
        and (not rules or ruling.governance == rules)
        and ruled_at < at
        and ruling.received_at is not None
        and ruling.received_at.timestamp() < claims.exp
        and ruling.received_at <= datetime.fromisoformat(effect["at"])
        for ruled_at, ruling in told.rulings
    )


def unsigned(ledgers: Ledgers) -> Iterator[str]:
    """What counted was signed by a person of the directory, and by nobody else."""
    for _, ruling in ledgers.told.rulings:
        if not ruling.accepted or not ruling.token:
            continue
        claims = _verified(ruling.token, ledgers.people)
        if claims is None or claims.iss != ruling.person:
            yield f"let in: {ruling.jti} counted for {ruling.person!r}, who has not signed it"


def uninvited(ledgers: Ledgers) -> Iterator[str]:
    """What was done was permitted by the policy in force, and approved by those whom it asks."""
    answers = dict(ledgers.told.answers)
    for effect in ledgers.effects:
        found = ledgers.call_of(effect)
        if found is None or effect["key"] not in answers:
            continue
        at, call = found
        if ledgers.governed and not answers[effect["key"]]:
            yield f"let in: {call.path} ({call.tool}) was done, and policy was not asked"
        for answer in answers[effect["key"]]:
            if answer.outcome == "deny":
                yield f"let in: {call.path} ({call.tool}) was done, and policy denied it"
            names = set(_approvers(call, at, effect, ledgers))
            for who, number in answer.approval.items():
                able = {name for name in names if who == name or who in ledgers.people.people[name].roles}
                if len(able) < number:
                    said = f"had {len(able)} of {number} approvals that policy asks of {who}"
                    yield f"let in: {call.path} ({call.tool}) {said}"
