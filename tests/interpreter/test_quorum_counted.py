"""Quorums and the decisions beside yes and no: what the votes of an opening come to, and what each leads to."""

from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.decision import Ruling
from contracts.quorum import empty_seats
from contracts.workspace import Tool
from tests.interpreter.fakes import TOOLS, FakePorts, Run, carry, failing, plan_of, rehearse, scope_of
from workflows.governance.tally import Gatebook, standing
from workflows.interpreter.ending import Suspended
from workflows.interpreter.walk import run_steps

ROLES = {"lea": ("lead",), "lou": ("lead",), "cleo": ("chief",), "both": ("lead", "chief")}


def ruling(opening, said, number=0):
    person, verb, *more = said.split(" ", 2)
    return Ruling(
        accepted=True,
        person=person,
        roles=ROLES[person],
        verb=verb,
        step=opening.subject.step,
        nonce=opening.nonce,
        digest=opening.digest,
        jti=f"{opening.nonce}-{person}-{verb}-{number}",
        comment=" ".join(more),
        token=f"{person} says {verb} at {opening.nonce}",
    )


def saying(*rounds, **more):
    """People who say the words of each round at one opening after the other; then nobody says anything."""
    left = list(rounds)

    def speak(opening):
        for number, said in enumerate(left.pop(0) if left else ()):
            ports.book.count(ruling(opening, said, number))

    ports = FakePorts(people=speak, **more)
    return ports


def gate(**more):
    asked = {"approvers": ["lead", "chief"], "timeout": "1h", "on_reject": "continue", **more}
    return {"kind": "gate", "step": "ask", "output": "said", "gate": asked}


async def said(*words, **more):
    """Return what a gate comes to at which people say these words."""
    run = await rehearse(plan_of([gate(**more)]), saying(words))
    return run.scope.variables.values["said"]


SEATED = {"from": {"lead": 1, "chief": 1}}
TWO, TWO_NO = {"required": 2}, {"reject_quorum": 2}
COMES_TO = [
    ("one of one", {}, ["lea approve"], "approved"),
    ("one of two", TWO, ["lea approve"], "timed_out"),
    ("two of two", TWO, ["lea approve", "lou approve"], "approved"),
    ("both seats", SEATED, ["lea approve", "cleo approve"], "approved"),
    ("one seat twice", SEATED, ["lea approve", "lou approve"], "timed_out"),
    ("one person for two seats", SEATED, ["both approve"], "timed_out"),
    ("whoever fits the seat that is left", SEATED, ["both approve", "lea approve"], "approved"),
    ("the other way round", SEATED, ["lea approve", "both approve"], "approved"),
    ("seats and more", {**SEATED, "required": 3}, ["lea approve", "cleo approve"], "timed_out"),
    ("seats and one more", {**SEATED, "required": 3}, ["lea approve", "cleo approve", "lou approve"], "approved"),
    ("a rejection", TWO, ["lea approve", "lou reject"], "rejected"),
    ("one of two rejections", TWO_NO, ["lea reject"], "timed_out"),
    ("a yes after one of two no's", TWO_NO, ["lea reject", "lou approve"], "approved"),
    ("two rejections", TWO_NO, ["lea reject", "lou reject"], "rejected"),
    ("two who want changes", TWO_NO, ["lea request_changes a", "lou request_changes b"], "changes_requested"),
    ("one who wants changes and one who wants it not", TWO_NO, ["lea reject", "lou request_changes b"], "rejected"),
    ("an abstention", {}, ["lea abstain"], "timed_out"),
    ("an abstention and a yes", {}, ["lea abstain", "lou approve"], "approved"),
    ("all abstain", {}, ["lea abstain", "lou abstain", "cleo abstain", "both abstain"], "timed_out"),
    ("a delegation", {}, ["lea delegate"], "timed_out"),
    ("a delegation and a yes", {}, ["lea delegate", "lou approve"], "approved"),
    ("a withdrawal", TWO, ["lea approve", "lea withdraw", "lou approve"], "timed_out"),
    ("a withdrawal and a yes", TWO, ["lea approve", "lea withdraw", "lou approve", "lea approve"], "approved"),
    ("a withdrawal and a no", TWO, ["lea approve", "lea withdraw", "lea reject"], "rejected"),
]  # fmt: skip


@pytest.mark.parametrize(("more", "words", "decision"), [one[1:] for one in COMES_TO], ids=[one[0] for one in COMES_TO])
async def test_what_people_say_comes_to(more, words, decision):
    assert decision == (await said(*words, **more))["decision"]


UP = {"timeout": "1h", "on_timeout": "escalate"}
LEADS, CHIEF = ["lea approve", "lou approve"], {"from": {"chief": 1}}
LADDERS = [
    ("a rung that says nothing asks for as many", SEATED, {"approvers": ["lead"]}, LEADS, "timed_out"),
    ("a rung that asks for one", SEATED, {"approvers": ["lead"], "required": 1}, ["lea approve"], "approved"),
    ("other seats", SEATED, {"approvers": ["lead"], "from": {"lead": 2}}, LEADS, "approved"),
    ("other seats, half taken", SEATED, {"approvers": ["lead"], "from": {"lead": 2}}, ["lea approve"], "timed_out"),
    ("more people", {}, {"approvers": ["lead"], "required": 2}, ["lea approve"], "timed_out"),
    ("seats of its own and no more", {"required": 3}, {"approvers": ["chief"], **CHIEF}, ["cleo approve"], "approved"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("own", "rung", "words", "decision"), [one[1:] for one in LADDERS], ids=[one[0] for one in LADDERS]
)
async def test_a_rung_may_ask_for_a_quorum_of_its_own(own, rung, words, decision):
    ladder = [{"timeout": "1h", **rung}]
    run = await rehearse(plan_of([gate(**own, **UP, escalation=ladder)]), saying([], words))

    assert decision == run.scope.variables.values["said"]["decision"]


async def test_a_rung_asks_for_no_fewer_than_the_contract_of_the_tool():
    twice = TOOLS["isolate"].model_copy(update={"approvals": 2})
    plan = plan_of([isolate_on_a_ladder()]).model_copy(update={"tools": {**TOOLS, "isolate": twice}})
    run = await rehearse(plan, saying([], ["lea approve"]))

    assert [2, 2] == [opening.subject.required for opening in run.ports.openings]
    assert "skipped" == run.statuses()["act"]


def isolate_on_a_ladder():
    ladder = [{"approvers": ["lead"], "required": 1, "timeout": "1h"}]
    asked = {"approvers": ["chief"], **UP, "escalation": ladder, "on_reject": "continue"}
    return {"kind": "action", "step": "act", "action": "isolate", "with": {"host": "a"}, "approval": asked}


async def test_an_answer_names_those_whose_word_it_is():
    more = {"required": 2}
    words = ["lea approve", "both abstain", "lea withdraw", "lou approve yes", "lea approve then yes"]

    assert ["lou", "lea"] == (await said(*words, **more))["by"]
    assert "yes; then yes" == (await said(*words, **more))["comment"]
    assert ["lea", "lou"] == (await said("lea reject", "cleo abstain", "lou reject", reject_quorum=2))["by"]


async def test_a_withdrawn_approval_is_not_handed_to_the_executor():
    action = {"kind": "action", "step": "act", "action": "isolate", "with": {"host": "a"}}
    action |= {"approval": {"approvers": ["lead"], "required": 2, "timeout": "1h", "on_timeout": "refuse"}}
    ports = saying(["lea approve", "lea withdraw", "cleo approve", "both abstain", "lou approve"])

    run = await rehearse(plan_of([action]), ports)

    assert ("cleo says approve at nonce-1", "lou says approve at nonce-1") == run.journal.get("act").grant.tokens
    verbs = [one.verb for one in run.journal.get("act").decisions]
    assert ["approve", "withdraw", "approve", "abstain", "approve"] == verbs


async def test_only_approvals_that_stand_keep_the_tokens_that_are_handed_on():
    left = []
    ports = saying(["lea approve", "lea withdraw", "cleo abstain", "lou approve"])
    walk = ports.wait

    async def watching(ready, until, summary):
        done = await walk(ready, until, summary)
        left.extend(ports.book.openings())
        return done

    ports.wait = watching
    await rehearse(plan_of([gate(required=2)]), ports)

    tokens = {vote.verb + vote.person: vote.token for vote in left[0].votes}
    assert {
        "approvelea": "",
        "withdrawlea": "",
        "abstaincleo": "",
        "approvelou": "lou says approve at nonce-1",
    } == tokens


async def test_nothing_is_withdrawn_once_the_quorum_is_met():
    book = Gatebook()
    told = []

    def speak(opening):
        for number, words in enumerate(("lea approve", "lea withdraw")):
            told.append(ports.book.count(ruling(opening, words, number)))

    ports = FakePorts(people=speak, book=book)
    run = await rehearse(plan_of([gate()]), ports)

    assert "approved" == run.scope.variables.values["said"]["decision"]
    assert [True, False] == [receipt.accepted for receipt in told]
    assert "this gate has been settled meanwhile" == told[1].reason


def test_a_seat_is_for_one_person_however_many_roles_they_hold():
    people = {"a": ("x",), "b": ("x", "y"), "c": ("x", "y", "z")}

    assert () == empty_seats({"z": 1, "y": 1, "x": 1}, people)
    assert () == empty_seats({"x": 1, "y": 1, "z": 1}, people)
    assert ("y",) == empty_seats({"x": 1, "z": 1, "y": 2}, people | {"d": ("x",)})
    assert ("x", "x") == empty_seats({"x": 2}, {})


@given(
    st.dictionaries(st.sampled_from("xyz"), st.integers(1, 2)),
    st.dictionaries(st.sampled_from("abcdef"), st.sets(st.sampled_from("xyz"))),
)
def test_seats_are_filled_whenever_there_is_any_way_to_fill_them(seats, people):
    """Held against every way to put people on seats."""
    wanted = [role for role, count in seats.items() for _ in range(count)]
    ways = permutations(people, len(wanted))
    some = any(all(role in people[who] for role, who in zip(wanted, way, strict=True)) for way in ways)

    assert some == (empty_seats(seats, people) == ())


# what cannot be undone


def irreversible(approvals):
    return TOOLS | {"isolate": Tool(server="s", effect="irreversible", approvals=approvals)}


def paid(**more):
    asked = {"approvers": ["lead"], "timeout": "1h", "on_timeout": "refuse", **more}
    return {"kind": "action", "step": "pay", "action": "isolate", "with": {"host": "a"}, "approval": asked}


@pytest.mark.parametrize(("approvals", "required"), [(2, 2), (3, 3), (None, 1)])
async def test_a_tool_s_own_contract_asks_for_more_people_than_the_mission(approvals, required):
    """A contract that was frozen before it could say so asks as it did then; the executor refuses what is too few."""
    ports = saying(["lea approve"])
    plan = plan_of([paid()]).model_copy(update={"tools": irreversible(approvals)})

    run = await rehearse(plan, ports)

    assert required == ports.openings[0].subject.required
    assert ("completed" if required == 1 else "refused") == run.state


async def test_a_mission_may_ask_for_more_people_than_the_contract():
    ports = saying(["lea approve"])

    await rehearse(plan_of([paid(required=4)]).model_copy(update={"tools": irreversible(2)}), ports)

    assert 4 == ports.openings[0].subject.required


async def test_a_group_asks_for_as_many_as_the_strictest_of_its_actions():
    act = {"kind": "action", "action": "file", "with": {}}
    inner = {"kind": "group", "step": "inner", "steps": [{**act, "step": "b", "action": "isolate"}]}
    together = {"kind": "group", "step": "g", "steps": [{**act, "step": "a"}, inner]}
    together |= {"approval": {"approvers": ["lead"], "timeout": "1h"}}
    ports = saying(["lea approve"])

    run = await rehearse(plan_of([together]).model_copy(update={"tools": irreversible(2)}), ports)

    assert (2, "refused", []) == (ports.openings[0].subject.required, run.state, ports.world)


async def test_what_undoes_an_action_asks_for_its_own_number_of_people():
    tools = TOOLS | {"release": Tool(server="s", effect="irreversible", approvals=2)}
    ports = saying(["lea approve"])
    action = {**paid(), "compensate": {"tool": "release"}}

    await rehearse(plan_of([action]).model_copy(update={"tools": tools}), ports)

    assert 2 == ports.openings[0].subject.required


# changes that people ask for

MEND = {"kind": "agent", "step": "mend", "agent": "ben", "output": "draft"}
MEND |= {"task": "Mend it: ${{ steps.ask.output.comment }} (${{ steps.ask.output.by[0] }})"}
DRAFT = {"kind": "agent", "step": "write", "agent": "ann", "task": "write", "output": "draft"}


def told(calls):
    """Answer with a number that grows, and note the task."""

    def answer(call):
        calls.append(call.task)
        return {"n": len(calls)}

    return answer


async def test_without_a_way_asking_for_changes_is_a_rejection_and_its_words_go_on():
    later = {"kind": "agent", "step": "later", "agent": "ben", "task": "${{ said.decision }}: ${{ said.comment }}"}
    tasks = []
    ports = saying(["lea request_changes name the host"], agents={"ben": told(tasks)})

    run = await rehearse(plan_of([gate(), later]), ports)

    assert ("completed", ["changes_requested: name the host"]) == (run.state, tasks)
    assert not run.scope.variables.values["said"]["approved"]


async def test_without_a_way_and_with_an_abort_the_mission_ends_with_the_words():
    run = await rehearse(plan_of([gate(on_reject="abort")]), saying(["lea request_changes name the host"]))

    assert ("refused", "ask was sent back for changes: name the host") == (run.state, run.error.reason)


async def test_changes_are_made_with_the_words_and_people_are_asked_anew():
    tasks = []
    ports = saying(
        ["lea request_changes name the host"],
        ["lou request_changes shorter"],
        ["lea approve"],
        agents={"ann": {"n": 0}, "ben": told(tasks)},
    )

    asked = gate(on_changes=[MEND], context=["draft"], message="Draft ${{ draft.n }}?")
    run = await rehearse(plan_of([DRAFT, asked]), ports)

    assert ["Mend it: name the host (lea)", "Mend it: shorter (lou)"] == tasks
    assert ["Draft 0?", "Draft 1?", "Draft 2?"] == [opening.subject.message for opening in ports.openings]
    assert [{"draft": {"n": n}} for n in range(3)] == [opening.context for opening in ports.openings]
    assert 3 == len({opening.nonce for opening in ports.openings} & {"nonce-1", "nonce-2", "nonce-3"})
    assert {"ask"} == {opening.subject.step for opening in ports.openings}
    assert ["lea"] == run.scope.variables.values["said"]["by"]
    statuses = run.statuses()
    assert "succeeded" == statuses["ask/changes[1]"] == statuses["ask/changes[2]/mend"] == statuses["ask"]
    assert ["request_changes"] == [one.verb for one in run.journal.get("ask/changes[1]").decisions]


async def test_an_action_s_arguments_are_made_anew_and_only_what_was_approved_runs():
    action = paid(on_changes=[{**MEND, "task": "x"}]) | {"with": {"host": "${{ draft.n }}"}}
    tasks = []
    ports = saying(["lea request_changes no"], ["lea approve"], agents={"ann": {"n": 0}, "ben": told(tasks)})

    run = await rehearse(plan_of([DRAFT, action]), ports)

    assert [{"host": 0}, {"host": 1}] == [opening.subject.arguments for opening in ports.openings]
    assert [{"host": 1}] == [arguments for _, _, arguments in ports.world]
    assert ("lea says approve at nonce-2",) == run.journal.get("pay").grant.tokens


async def test_an_approval_before_changes_were_made_counts_no_more():
    ports = saying(["lea approve", "lou request_changes no"], ["lou approve"], agents={"ben": {"n": 1}})

    run = await rehearse(plan_of([gate(required=2, on_changes=[{**MEND, "task": "x"}])]), ports)

    assert ("timed_out", ["lou"]) == tuple(run.scope.variables.values["said"][key] for key in ("decision", "by"))


async def test_asking_for_changes_has_an_end():
    words = [["lea request_changes again"]] * 20
    ports = saying(*words, agents={"ben": {"n": 1}})

    run = await rehearse(plan_of([gate(on_changes=[{**MEND, "task": "x"}])]), ports)

    assert (11, "changes_requested") == (len(ports.openings), run.scope.variables.values["said"]["decision"])
    assert 10 == sum(record.kind == "changes" for record in run.journal.records())


async def test_changes_that_fail_fail_the_gate():
    ports = saying(["lea request_changes no"], tools={"once": failing()})
    action = {"kind": "action", "step": "mend", "action": "once"}

    run = await rehearse(plan_of([gate(on_changes=[action])]), ports)

    assert ("failed", "failed") == (run.state, run.statuses()["ask"])


@pytest.mark.parametrize("every", [1, 2, 3])
async def test_changes_are_made_once_however_often_the_mission_is_handed_over(every):
    again, after = ({**DRAFT, "step": name, "agent": "cid"} for name in ("again", "after"))
    later = [{**after, "output": "end"}, {**after, "step": "last", "output": "end"}]
    plan = plan_of([DRAFT, gate(on_changes=[MEND, again], context=["draft"]), *later])
    words = [["lea request_changes a"], ["lea request_changes b"], ["lea approve"]]
    done, carried, seen = [], None, []

    def count(call):
        done.append(call.path)
        return {"n": len(done)}

    for _ in range(50):
        ports = saying(*words[len({one.nonce for one in seen}) :], agents=dict.fromkeys(("ann", "ben", "cid"), count))
        ports.stop_after, ports.nonces = every, len(seen)
        scope = scope_of(plan, ports, {}, carried)
        try:
            await run_steps(plan.definition.steps, "", scope)
            break
        except Suspended:
            carried = carry(scope)
        finally:
            seen += [one for one in ports.openings if one.nonce not in {known.nonce for known in seen}]
    run = Run("completed", scope, ports)

    rounds = [f"ask/changes[{number}]/{name}" for number in (1, 2) for name in ("mend", "again")]
    assert ["write", *rounds, "after", "last"] == done
    assert [1, 3, 5] == [opening.context["draft"]["n"] for opening in seen]
    assert {"n": 5} == run.scope.variables.values["draft"]
    assert "approved" == run.scope.variables.values["said"]["decision"]


# asked again is another opening

PLACES = {
    "loop": {
        "kind": "loop",
        "step": "l",
        "loop": {"do": [gate()], "until": "iteration == 3", "max_iterations": 3},
    },
    "map": {"kind": "map", "step": "m", "map": {"over": "[1, 2, 3]", "do": [gate()]}},
    "branches": {
        "kind": "parallel",
        "step": "p",
        "parallel": [{**gate(), "step": name} for name in ("a", "b", "c")],
    },
    "retries": {
        "kind": "group",
        "step": "g",
        "retry": {"attempts": 3, "first": "1s"},
        "steps": [gate(), {"kind": "action", "step": "fail", "action": "once"}],
    },
    "chain": {"kind": "group", "step": "g", "steps": [{**gate(), "step": name} for name in ("a", "b", "c")]},
    "modified": gate(),
    "a race": {
        "kind": "race",
        "step": "r",
        "good": "has(result.never)",
        "race": [{**gate(), "step": name} for name in ("a", "b", "c")],
    },
}


@pytest.mark.parametrize("place", PLACES)
async def test_a_gate_that_is_asked_again_is_a_new_opening(place):
    verbs = ["modify", "modify", "approve"] if place == "modified" else ["approve"] * 3
    ports = saying(*([f"lea {verb}"] for verb in verbs), tools={"once": failing(applied="no")})

    await rehearse(plan_of([PLACES[place]]), ports)

    assert 3 == len(ports.openings)
    assert 3 == len({opening.nonce for opening in ports.openings})
    assert all(len(opening.votes) == 0 for opening in ports.openings)


async def test_a_compensation_that_fails_again_is_asked_about_in_a_new_opening():
    action = {"kind": "action", "step": "act", "action": "isolate", "with": {}, "compensate": {"tool": "release"}}
    fails = {"kind": "action", "step": "fail", "action": "once"}
    ports = saying(*[["cleo approve"]] * 3, tools={"once": failing(applied="no"), "release": [*[failing()] * 3, {}]})

    run = await rehearse(plan_of([action, fails]), ports)

    assert [f"act/undo[{number}]" for number in (1, 2, 3)] == [opening.subject.step for opening in ports.openings]
    assert 3 == len({opening.nonce for opening in ports.openings})
    assert "done" == run.journal.get("act").effect.undo_status


async def test_a_party_that_talks_again_is_spoken_in_anew():
    talk = {"topic": "x", "members": ["ann", "ben"], "rounds": 1, "tokens": 9_000, "facilitator": ["lead"]}
    party = {"kind": "party", "step": "talk", "party": talk}
    loop = {"do": [party], "until": "iteration == 2", "max_iterations": 2}
    stance = {"position": "yes", "reasons": ["so"], "confidence": 1.0}
    seen = []
    ports = FakePorts()
    ports.agents = dict.fromkeys(("ann", "ben"), lambda _: seen.extend(ports.book.openings()) or stance)

    await rehearse(plan_of([{"kind": "loop", "step": "l", "loop": loop}]), ports)

    assert {"l[1]/talk", "l[2]/talk"} == {opening.subject.step for opening in seen}
    assert 2 == len({opening.nonce for opening in seen})


async def test_a_vote_of_one_opening_is_none_in_the_next():
    ports = saying(["lea approve", "lou reject"], [])
    loop = {"do": [gate(required=2)], "until": "iteration == 2", "max_iterations": 2}

    run = await rehearse(plan_of([{"kind": "loop", "step": "l", "loop": loop}]), ports)

    first, second = (run.journal.get(f"l[{number}]/ask").answer for number in (1, 2))
    assert ("rejected", "timed_out", []) == (first["decision"], second["decision"], second["by"])
    assert "open" == standing(ports.openings[1])
