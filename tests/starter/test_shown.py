"""What a person sees of a gate: nothing hidden in it, nobody's words that look like ours, and what is cut says so."""

import contextlib
import io
import unicodedata
from datetime import UTC, datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console
from stage import plan

from activities.fatigue import Request, Summary
from contracts.call import Observation
from contracts.decision import Action, Claims, Opening, Ruling, Subject
from contracts.record import Effect, Failure, Record
from contracts.risk import Facts, Reading
from contracts.view import MissionState, MissionView, Waiting
from language.briefing import Briefing
from language.risk import RISKS
from starter import output, shown
from starter.beside import Told
from starter.escape import command
from starter.page import page
from starter.quoted import BEGINS, CUT, GOES_ON, folded, shortened
from starter.render import bars
from starter.waiting import print_queue
from workflows.interpreter.journal import Journal
from workflows.view import details

SLOWLY = settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
NOW = datetime(2026, 1, 1, tzinfo=UTC)
HIDDEN = {"Cc", "Cf", "Co", "Cs", "Cn", "Zl", "Zp"}
"""Kinds of characters, said again here: what the house takes for hidden must not shrink unseen."""
SNEAKY = "\x00\x07\x1b\x9b\u00ad\u061c\u180b\u180e\u200b\u200d\u200e\u200f\u202a\u202e\u2060\u2066\u2069\ufe0f\ufeff"
SNEAKY += "\U000e0041\U000e0100\u2028\u2029\ud800"
HOSTILE = st.text(st.one_of(st.sampled_from(SNEAKY + "\r\n\t [](){}\"'`$|│↪"), st.characters()), max_size=60)
VALUE = st.recursive(HOSTILE, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(HOSTILE, inner, max_size=3))
ACTION = st.builds(
    Action,
    step=HOSTILE,
    tool=HOSTILE,
    arguments=st.dictionaries(HOSTILE, VALUE, max_size=3),
    compensation=st.none() | HOSTILE,
)


def on_screen(*what: object, width: int = 100) -> str:
    console = Console(width=width, force_terminal=False, file=io.StringIO())
    with console.capture() as captured:
        for one in what:
            console.print(one)
    return captured.get()


def hidden(text: str) -> set[str]:
    return {f"U+{ord(one):04X}" for one in text if one != "\n" and _is_hidden(one)}


def _is_hidden(letter: str) -> bool:
    return unicodedata.category(letter) in HIDDEN or "VARIATION SELECTOR" in unicodedata.name(letter, "")


@st.composite
def openings(draw: st.DrawFn) -> Opening:
    subject = Subject(
        mission=draw(HOSTILE),
        first_run_id="r",
        name=draw(HOSTILE),
        step=draw(HOSTILE) + draw(st.sampled_from(["", "/plan[1]"])),
        kind=draw(st.sampled_from(["approval", "escalation", "compensation", "review", "facilitation"])),
        message=draw(HOSTILE),
        approvers=tuple(draw(st.lists(HOSTILE, min_size=1, max_size=2))),
        tool=draw(st.none() | HOSTILE),
        arguments=draw(st.none() | st.dictionaries(HOSTILE, VALUE, max_size=3)),
        compensation=draw(st.none() | HOSTILE),
        actions=tuple(draw(st.lists(ACTION, max_size=3))),
        context_digest=draw(HOSTILE),
        requested_by=draw(HOSTILE),
    )
    vote = Ruling(accepted=True, person=draw(HOSTILE), verb="approve")
    context = draw(st.dictionaries(HOSTILE, VALUE, max_size=3))
    return Opening(
        subject=subject,
        digest=draw(HOSTILE),
        nonce=draw(HOSTILE),
        opened_at=NOW,
        context=context,
        votes=(vote,),
        risk=draw(HOSTILE),
    )


@st.composite
def views(draw: st.DrawFn) -> MissionView:
    said = {"approved": draw(st.booleans()), "decision": draw(HOSTILE), "by": [draw(HOSTILE)], "comment": draw(HOSTILE)}
    records = tuple(
        Record(
            path=f"{draw(HOSTILE)}{number}",
            kind=draw(st.sampled_from(["agent", "action", "gate", "turn", "judgement", "party", "plan"])),
            status=draw(st.sampled_from(["running", "succeeded", "failed", "skipped"])),
            actor=draw(HOSTILE),
            started_at=NOW,
            ended_at=NOW,
            output=draw(st.none() | st.just(said) | VALUE),
            answer=draw(st.none() | st.just(said)),
            observations=(Observation(number=number, at=NOW, text=draw(HOSTILE), source=draw(HOSTILE)),),
            failure=draw(st.none() | st.builds(Failure, code=HOSTILE, step=HOSTILE, actor=HOSTILE, cause=HOSTILE)),
            effect=draw(st.none() | st.builds(Effect, tool=HOSTILE, undo_error=HOSTILE, undo_status=st.just("failed"))),
        )
        for number in range(2)
    )
    waiting = Waiting(
        step=draw(HOSTILE),
        kind=draw(st.sampled_from(["approval", "review", "facilitation"])),
        approvers=(draw(HOSTILE),),
        required=1,
        tool=draw(HOSTILE),
        opened_at=NOW,
    )
    refused = Ruling(accepted=False, person=draw(HOSTILE), reason=draw(HOSTILE), step=draw(HOSTILE), received_at=NOW)
    return MissionView(
        id=draw(HOSTILE),
        name=draw(HOSTILE),
        version=draw(HOSTILE),
        state=draw(st.sampled_from(["waiting", "failed"])),
        verdict=draw(HOSTILE),
        reason=draw(HOSTILE),
        requested_by=draw(HOSTILE),
        started_at=NOW,
        waiting=(waiting,),
        records=records,
        refusals=(refused,),
    )


@st.composite
def briefings(draw: st.DrawFn) -> Told:
    words = draw(st.dictionaries(HOSTILE, st.tuples(HOSTILE), max_size=2))
    briefing = Briefing(
        risk=draw(st.sampled_from(RISKS)),
        approve=draw(HOSTILE),
        reject=draw(HOSTILE),
        deadline=draw(HOSTILE),
        back=(draw(HOSTILE),),
        estimated=draw(HOSTILE),
        words=words,
        context=words,
    )
    return Told(draw(st.none() | st.just(briefing)))


@SLOWLY
@given(openings(), briefings(), st.integers(20, 140), st.sampled_from([None, 60, shown.ROOM]))
def test_nothing_hidden_in_a_gate_reaches_the_terminal(gate, told, width, room):
    claims = Claims(
        iss=gate.digest, jti="", iat=0, exp=0, mission="", run="", step="", nonce=gate.nonce, digest=gate.digest,
        verb="modify", comment=gate.subject.message, changes=gate.subject.arguments,
    )  # fmt: skip
    text = on_screen(
        shown.context(gate, room, told),
        shown.opening(gate, NOW, room, told),
        shown.short(gate, told),
        shown.claims(claims),
        width=width,
    )

    assert set() == hidden(text)


@SLOWLY
@given(views())
def test_nothing_hidden_in_a_mission_reaches_the_terminal(view):
    assert set() == hidden(on_screen(page(view, ()), bars(view)))


@SLOWLY
@given(views(), st.lists(openings(), max_size=2))
def test_nothing_hidden_reaches_the_page_in_the_web_ui(view, gates):
    definition = plan().definition.model_copy(update={"mission": view.name, "version": view.version})

    assert set() == hidden(details(definition, MissionState.WAITING, Journal(view.records), tuple(gates)))


@SLOWLY
@given(st.lists(openings(), max_size=3), HOSTILE)
def test_nothing_hidden_in_the_queue_or_in_a_problem_reaches_the_terminal(gates, reason):
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        requests = [Request(gate, gate.subject.approvers, NOW, None, gate.risk) for gate in gates]
        print_queue(gates, [Summary((reason,), tuple(requests))], [(reason, reason)])
        output.problem(reason)

    assert (set(), set()) == (hidden(out.getvalue()), hidden(err.getvalue()))


@SLOWLY
@given(st.dictionaries(st.text("ab", min_size=1, max_size=9), VALUE, min_size=1, max_size=2), st.integers(20, 140))
def test_what_others_wrote_stands_behind_a_bar_on_every_line_however_narrow_the_screen_is(context, width):
    subject = Subject(mission="m", first_run_id="r", name="n", step="s", approvers=("lead",))
    gate = Opening(subject=subject, digest="d", nonce="n", opened_at=NOW, context=context)
    lines = [line for line in on_screen(shown.context(gate), width=width).split("\n") if line.strip()]

    ours = [line for line in lines if not line.startswith((BEGINS, GOES_ON, CUT))]
    assert list(context) == [line.rstrip() for line in ours]


def test_a_long_line_that_goes_on_cannot_pass_for_the_next_one():
    padded = "harmless" + " " * 25 + 'host: "db-01"'
    lines = on_screen(shown.data({"reason": padded, "host": "web-01"}), width=44).split("\n")

    assert [BEGINS + 'host: "web-01"'] == [line.rstrip() for line in lines if line.lstrip("│↪ ").startswith('host: "')][
        -1:
    ]
    assert any(line.startswith(GOES_ON) for line in lines)
    assert 1 == sum(line.startswith(BEGINS + "host:") for line in lines)


def test_what_is_cut_says_how_much_and_is_counted():
    subject = Subject(mission="m", first_run_id="r", name="n", step="s", approvers=("lead",), message="x" * 100)
    gate = Opening(subject=subject, digest="d", nonce="n", opened_at=NOW, context={"a": "y" * 100, "b": list(range(9))})
    text = on_screen(shown.context(gate, 80), shown.opening(gate, NOW, 80))

    assert "cut here: 20 of 100 characters are not shown" in text
    assert "cut here: 22 of 102 characters are not shown" in text
    assert "cut here: 35 of 35 characters are not shown" in text
    assert 20 + 22 + 35 == shown.cut(gate, 80)
    assert 0 == shown.cut(gate)


@given(st.text("ab\n", max_size=200), st.integers(0, 200))
def test_a_text_and_what_is_cut_of_it_are_the_whole_text(text, room):
    kept, cut = shortened(text, room)

    assert (True, len(text)) == (text.startswith(kept), len(kept) + cut)
    assert (text, 0) == shortened(text, None)


@given(st.text("ab 日́", max_size=60), st.integers(2, 20))
def test_a_line_that_is_folded_loses_nothing_and_fits(line, width):
    parts = list(folded(line, width))

    assert line == "".join(parts)
    assert all(cell_len(part) <= width for part in parts)


@pytest.mark.parametrize("path", ["hosts[web-01]/patch", "hosts[$(reboot)]", "a; rm -rf /", "it's"])
def test_a_command_that_is_shown_can_be_pasted_whatever_a_step_is_called(path):
    import shlex

    assert ["gonogo", "approve", "m", path] == shlex.split(command("approve", "m", path))


def test_a_score_is_shown_with_what_it_is_made_of_and_the_facts_that_it_was_weighed_by():
    facts = Facts(before={"wipe": 2}, confidence=0.256, at=NOW)
    reading = Reading(score=72, level="grave", people=2, points={"effect": 60, "time": 12}, facts=facts)
    subject = Subject(mission="m", first_run_id="r", name="n", step="s", approvers=("ops",), tool="wipe", risk=reading)
    opening = Opening(subject=subject, digest=subject.digest(), nonce="n", opened_at=NOW)

    assert "72 of 100, grave: asks for 2" in on_screen(shown.opening(opening, NOW))
    lines = on_screen(*(row for _, row in shown.risk(opening))).splitlines()
    assert "effect 60, time 12" == lines[1]
    assert "weighed by confidence 0.256, wipe 2 times before in this mission, Thursday 00:00 UTC" == lines[2]

    failed = reading.model_copy(update={"errors": ("size: \x1b[2Jthere is no field 'x'",), "facts": Facts()})
    broken = opening.model_copy(update={"subject": subject.model_copy(update={"risk": failed})})
    told = on_screen(*(row for _, row in shown.risk(broken)))
    assert "cannot be weighed: size: " in told
    assert "\x1b" not in told
    assert "weighed by no confidence that agents told" in told
