"""What stands beside an event in the record: what policy answered, what was noticed, a receipt, and what it cost.

Workers send these along with answers and failures; the record has each as an entry of its own. The law: it is the same
event, so it has the same time, run and number; what was asked and noticed stands before what came of it.
"""

from collections.abc import Iterator
from typing import Any

from pydantic import ValidationError

from contracts.audit import AuditEntry
from contracts.base import digest
from contracts.policy import POLICY, Answer, wanted
from contracts.receipt import RECEIPT

EXECUTOR = "executor"
"""The service whose key signs receipts."""
OUTCOMES = {"allow": "policy allowed", "deny": "policy denied", "needs approval": "policy asked for approval"}


def apart(entry: AuditEntry) -> Iterator[AuditEntry]:
    """Yield an entry, with what stands beside it as entries around it."""
    if entry.topic == "end":
        yield entry
        return
    detail = dict(entry.detail)
    policy, receipt, cost = detail.pop(POLICY, None), detail.pop(RECEIPT, None), detail.pop("cost", None)
    noticed, proof = detail.pop("observations", 0), detail.pop("observations_digest", "")
    for answer in policy or ():
        yield _answered(entry, answer)
    if noticed:
        why = f"noticed before: {entry.what}"
        yield _beside(entry, what="observations noted", digest=proof, why=why, detail={"observations": noticed})
    yield entry.model_copy(update={"detail": detail})
    if receipt:
        yield _signed(entry, receipt)
    if cost:
        yield _beside(entry, what="cost counted", digest="", why=f"spent until: {entry.what}", detail={"cost": cost})


def _beside(entry: AuditEntry, **told: Any) -> AuditEntry:
    """Return an entry of the same event, about the same resource."""
    about = {name: entry.detail[name] for name in ("resource",) if name in entry.detail}
    return entry.model_copy(update={"token": "", **told, "detail": {**told["detail"], **about}})


def _answered(entry: AuditEntry, said: Any) -> AuditEntry:
    """Tell an answer of the policies. What cannot be read stands as it is."""
    try:
        answer = Answer.model_validate(said)
    except ValidationError:
        return _beside(entry, what="policy answered", digest="", why="nobody can read it", detail={POLICY: said})
    # All answers of an admission are of one version, which stands there once.
    answer = answer.model_copy(update={"version": answer.version or str(entry.detail.get("version", ""))})
    asked_for = f"{answer.outcome} by {wanted(answer.approval)}" if answer.approval else answer.outcome
    detail = {"verb": answer.verb, "about": answer.what, "decision": asked_for, "policies": list(answer.policies)}
    return _beside(
        entry,
        what=OUTCOMES[answer.outcome],
        who=answer.who,
        step=entry.step or answer.at,
        digest=answer.version,
        why=str(answer),
        detail={**detail, POLICY: answer.model_dump(mode="json", exclude_defaults=True)},
    )


def _signed(entry: AuditEntry, receipt: Any) -> AuditEntry:
    """Tell a receipt. The tool that it is of stands beside it, for whoever holds one against the other."""
    known: dict[str, Any] = {name: entry.detail[name] for name in ("key", "undoes") if name in entry.detail}
    detail: dict[str, Any] = {"tool": entry.who, **known, RECEIPT: receipt}
    why = f"vouches for: {entry.what} by {entry.who}"
    return _beside(entry, what="receipt signed", who=EXECUTOR, digest=digest(receipt), why=why, detail=detail)
