"""`gonogo approve`, `modify`, `facilitate`: show exactly what is signed, sign, send.

`starter/sign.py` does the work; the other decisions are in `starter/vote.py`.
"""

import json
from typing import TYPE_CHECKING, Annotated, Any

import typer

from starter.connect import operate
from starter.options import AnyMission, AnyStep, Comment, Json, MissionId, Person, Printed, Step
from starter.output import console, document, plain
from starter.problem import DONE, REFUSED, Refused, Usage

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from rich.console import Console
    from temporalio.client import Client

    from contracts.decision import Claims, Opening, Receipt
    from starter.beside import Told
    from starter.sign import Wish

Changes = Annotated[
    str,
    typer.Option(
        "--changes", metavar="FILE", help="JSON object with arguments to change; the others stay. - is stdin."
    ),
]
Unseen = Annotated[
    str,
    typer.Option("--unseen", metavar="DIGEST", help="Approve without what was cut: the digest's first 8 characters."),
]
Speech = Annotated[
    str, typer.Argument(metavar="interject|call_vote|end", help="What you do between two turns.", show_default=False)
]


def approve(
    mission: AnyMission = "",
    step: AnyStep = "",
    *,
    person: Person = "",
    comment: Comment = "",
    unseen: Unseen = "",
    printed: Printed = False,
    as_json: Json = False,
) -> int:
    """Approve what a step asks for, signed with your key.

    Without STEP: list what waits for you, and be asked about each; a single key approves what is routine.
    """
    from starter.sign import Wish

    if not step:
        return _approve_in_turn(mission, person, as_json=as_json, alone=bool(comment or unseen or printed))
    return decided(Wish("approve", comment), (mission, step), person, printed=printed, as_json=as_json, unseen=unseen)


def _approve_in_turn(mission: str, person: str, *, as_json: bool, alone: bool) -> int:
    if not person:
        raise Usage("who decides? gonogo approve --as PERSON, or set GONOGO_PERSON")
    if alone:
        raise Usage("--comment, --unseen and --print are for one gate: gonogo approve ID STEP")

    def work(client: "Client") -> "Coroutine[Any, Any, int]":
        from starter.inbox import inbox

        return inbox(client, person, mission, as_json=as_json)

    return operate(work)


def modify(
    mission: MissionId,
    step: Step,
    *,
    changes: Changes,
    person: Person = "",
    comment: Comment = "",
    printed: Printed = False,
    as_json: Json = False,
) -> int:
    """Ask for other arguments; the gate opens again with them.

    What was approved before is void.
    """
    from starter.document import read_document
    from starter.sign import Wish

    wish = Wish("modify", comment, _object(changes, read_document(changes)))
    return decided(wish, (mission, step), person, printed=printed, as_json=as_json)


def facilitate(
    mission: MissionId,
    step: Step,
    speech: Speech,
    *,
    person: Person = "",
    comment: Comment = "",
    printed: Printed = False,
    as_json: Json = False,
) -> int:
    """Speak in a party that talks, where you are its facilitator: say something, call for the vote, or end it."""
    from contracts.decision import SPEAKING
    from starter.sign import Wish

    verb = next((one for one in SPEAKING if one == speech), None)
    if verb is None:
        raise Usage(f"a facilitator can {', '.join(sorted(SPEAKING))}; {speech!r} is none of them")
    if verb == "interject" and not comment.strip():
        raise Usage("an interjection needs its words: --comment 'what you say'")
    return decided(Wish(verb, comment), (mission, step), person, printed=printed, as_json=as_json)


def _object(name: str, changes: Any) -> dict[str, Any]:
    if not isinstance(changes, dict) or not changes:
        raise Usage(f'{name} must hold an object with the arguments to change, as in {{"host": "web-02"}}')
    return changes


def decided(wish: "Wish", gate: tuple[str, str], person: str, *, printed: bool, as_json: bool, unseen: str = "") -> int:
    """Show a gate with what is wished, sign that, and send it or print it."""
    from contracts.decision import SPEAKING

    mission, step = gate
    if not person:
        verb = wish.verb.replace("_", "-")
        words = f"facilitate {mission} {step} {wish.verb}" if wish.verb in SPEAKING else f"{verb} {mission} {step}"
        raise Usage(f"who decides? gonogo {words} --as PERSON, or set GONOGO_PERSON")

    async def work(client: "Client") -> int:
        from starter.beside import tell
        from starter.seen import demand_seen
        from starter.sign import find_opening, prepare, send, signed

        opening = await find_opening(client, mission, step, person)
        claims = prepare(opening, wish, person)
        out = console(error=printed or as_json)
        told = await tell(client, opening, person)
        show(opening, told, claims, out)
        if wish.verb == "approve":
            await demand_seen(opening, told, unseen, out)
        token = signed(person, claims)
        if printed:
            print(json.dumps(token))
            return DONE
        return _tell(await send(client, claims, token), claims, as_json=as_json)

    return operate(work)


def show(opening: "Opening", told: "Told", claims: "Claims", out: "Console") -> None:
    """Show what is signed, what is told beside it, and what is said by signing it."""
    from starter import render, shown

    out.print(shown.context(opening, told=told))
    out.print(shown.opening(opening, told=told))
    out.print(render.indented(shown.claims(claims)))
    out.print()


def _tell(receipt: "Receipt", claims: "Claims", *, as_json: bool) -> int:
    from starter.escape import visible
    from starter.sign import AFTER

    if as_json:
        about = {"mission": claims.mission, "verb": claims.verb, "by": claims.iss, "jti": claims.jti}
        document({**plain(receipt), **about})
        return DONE if receipt.accepted else REFUSED
    if not receipt.accepted:
        raise Refused(f"refused: {receipt.reason}")
    console().print(f"[green]●[/green] accepted; {AFTER.get(receipt.state, visible(receipt.state))}")
    return DONE
