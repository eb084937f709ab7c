"""Agents talk until they agree, or long enough; a named person may speak between their turns."""

import asyncio

import pytest

from contracts.call import AgentResult, Usage
from contracts.decision import Ruling
from contracts.party import tokens
from tests.interpreter.fakes import FakePorts, carry, failing, plan_of, rehearse, scope_of
from tests.interpreter.test_steps import agent, saying
from workflows.interpreter.ending import Suspended
from workflows.interpreter.walk import run_steps

MEMBERS = ("ann", "ben", "cid")


def party(**more):
    known = {"topic": "Shall we?", "members": list(MEMBERS), "rounds": 4, "tokens": 100_000}
    return {"kind": "party", "step": "talk", "output": "said", "party": {**known, **more}}


def stance(position, confidence=0.9, **more):
    return {"position": position, "reasons": [f"{position} is best"], "confidence": confidence, **more}


def after(number, first, then):
    """An agent that holds one position, and from a round on another."""
    return lambda call: stance(then if about(call)["round"] == "vote" or about(call)["round"] >= number else first)


def about(call):
    return call.context["party"]


def all_say(*positions):
    return {name: stance(position) for name, position in zip(MEMBERS, positions, strict=True)}


def speak(book, person, verb, text=""):
    """Let a facilitator speak as the inbox does: with a ruling that was accepted."""
    [opening] = book.openings()
    ruling = Ruling(
        accepted=True,
        person=person,
        verb=verb,
        step=opening.subject.step,
        nonce=opening.nonce,
        digest=opening.digest,
        jti=f"{person}-{len(opening.votes)}",
        comment=text,
        token="signed",
    )
    assert book.count(ruling).accepted


def speaking(ports, number, person, verb, text=""):
    """Let a facilitator speak once so many turns have begun."""

    def heard(call):
        if len(ports.calls) == number:
            speak(ports.book, person, verb, text)
        return call

    return heard


def said(run):
    return run.scope.variables.values["said"]


@pytest.mark.parametrize(
    ("rule", "positions", "recommendation", "agreed", "dissent"),
    [
        ({"consensus": "unanimous"}, ("yes", "yes", "Yes "), "yes", list(MEMBERS), []),
        ({"consensus": "majority"}, ("yes", "no", "yes"), "yes", ["ann", "cid"], ["ben"]),
        ({"consensus": "threshold", "threshold": 0.6}, ("no", "no", "yes"), "no", ["ann", "ben"], ["cid"]),
    ],
)
async def test_enough_who_agree_end_the_party(rule, positions, recommendation, agreed, dissent):
    run = await rehearse(plan_of([party(**rule)]), FakePorts(agents=all_say(*positions)))

    result = said(run)
    assert (True, rule["consensus"], 1) == (result["reached"], result["by"], result["rounds"])
    assert (recommendation, agreed) == (result["recommendation"], result["agreed"])
    assert dissent == [one["agent"] for one in result["dissent"]]
    assert ["talk[1]/ann", "talk[1]/ben", "talk[1]/cid"] == run.ports.calls


@pytest.mark.parametrize(
    ("rule", "positions"),
    [
        ({"consensus": "unanimous"}, ("yes", "yes", "no")),
        ({"consensus": "majority"}, ("yes", "no", "later")),
        ({"consensus": "threshold", "threshold": 0.7}, ("yes", "yes", "no")),
    ],
)
async def test_without_enough_who_agree_nothing_is_recommended(rule, positions):
    run = await rehearse(plan_of([party(**rule)]), FakePorts(agents=all_say(*positions)))

    result = said(run)
    assert (None, False, "rounds", 4) == tuple(result[key] for key in ("recommendation", "reached", "by", "rounds"))
    assert list(MEMBERS) == [one["agent"] for one in result["dissent"]]
    assert [[f"{position} is best"] for position in positions] == [one["reasons"] for one in result["dissent"]]


async def test_each_hears_those_who_spoke_before_and_may_be_moved():
    heard = {}

    def listening(call):
        heard[call.path] = [one["by"] for one in about(call)["transcript"]]
        return stance("yes" if len(heard[call.path]) > 2 else call.name)

    run = await rehearse(plan_of([party()]), FakePorts(agents=dict.fromkeys(MEMBERS, listening)))

    assert {"talk[1]/ann": [], "talk[1]/ben": ["ann"], "talk[1]/cid": ["ann", "ben"]}.items() <= heard.items()
    assert ["ann", "ben", "cid"] == heard["talk[2]/ann"]
    assert ("yes", 2) == (said(run)["recommendation"], said(run)["rounds"])


async def test_who_answers_at_once_has_heard_only_the_rounds_before():
    heard = {}

    def listening(call):
        heard[call.path] = {one["by"] for one in about(call)["transcript"]}
        return stance("yes" if heard[call.path] else call.name)

    run = await rehearse(plan_of([party(turns="all")]), FakePorts(agents=dict.fromkeys(MEMBERS, listening)))

    assert [set(), set(), set()] == [heard[f"talk[1]/{name}"] for name in MEMBERS]
    assert (set(MEMBERS), 2) == (heard["talk[2]/cid"], said(run)["rounds"])


async def test_a_moderator_names_who_is_next_and_what_they_are_asked():
    asked = []

    def next_(call):
        return {"next": MEMBERS[about(call)["round"] - 1], "question": f"What of it, {about(call)['round']}?"}

    def answer(call):
        asked.append(about(call)["transcript"][-1])
        return stance("yes")

    ports = FakePorts(agents={"dot": next_, **dict.fromkeys(MEMBERS, answer)})
    run = await rehearse(plan_of([party(turns="moderator", moderator="dot")]), ports)

    assert ["talk[1]/dot", "talk[1]/ann", "talk[2]/dot", "talk[2]/ben", "talk[3]/dot", "talk[3]/cid"] == ports.calls
    assert {"round": 2, "by": "dot", "next": "ben", "question": "What of it, 2?"} == asked[1]
    assert ("yes", 3) == (said(run)["recommendation"], said(run)["rounds"])


async def test_a_judge_is_asked_after_each_round_until_it_is_settled():
    def judge(call):
        settled = about(call)["round"] == 2
        return {"recommendation": "later", "reasons": ["they come near"], "settled": settled, "agreed": ["ben"]}

    ports = FakePorts(agents={**all_say("yes", "no", "no"), "dot": judge})
    run = await rehearse(plan_of([party(consensus="judge", judge="dot")]), ports)

    result = said(run)
    assert ("later", "judge", 2) == (result["recommendation"], result["by"], result["rounds"])
    assert (["ben"], ["ann", "cid"]) == (result["agreed"], [one["agent"] for one in result["dissent"]])
    assert ["they come near"] == result["reasons"]


async def test_with_options_who_agrees_with_a_judge_is_who_holds_what_it_recommends():
    verdict = {"recommendation": "no", "reasons": ["r"], "settled": True}
    ports = FakePorts(agents={**all_say("yes", "no", "no"), "dot": verdict})
    plan = plan_of([party(consensus="judge", judge="dot", options=["yes", "no"])])

    assert ["ben", "cid"] == said(await rehearse(plan, ports))["agreed"]


async def test_where_words_are_free_who_agrees_with_another_holds_their_position():
    agents = {
        "ann": stance("buy it"),
        "ben": stance("well, why not", answers="ann", stand="agree"),
        "cid": stance("as ben", answers="ben", stand="agree"),
    }
    run = await rehearse(plan_of([party()]), FakePorts(agents=agents))

    assert ("buy it", list(MEMBERS)) == (said(run)["recommendation"], said(run)["agreed"])
    assert "as ben" == said(run)["stances"]["cid"]["position"]


async def test_with_options_a_position_counts_for_itself():
    agents = all_say("yes", "yes", "no")
    agents["cid"] |= {"answers": "ann", "stand": "agree"}
    plan = plan_of([party(options=["yes", "no"])])

    assert not said(await rehearse(plan, FakePorts(agents=agents)))["reached"]


async def test_each_turn_is_held_against_the_schema_of_a_stance():
    schemas = {}

    def keep(call):
        schemas[call.name] = call.agent.output
        return stance("yes")

    await rehearse(plan_of([party(options=["yes", "no"])]), FakePorts(agents=dict.fromkeys(MEMBERS, keep)))

    assert {"enum": ["yes", "no"]} == schemas["ann"]["properties"]["position"]
    assert {"enum": ["ben", "cid"]} == schemas["ann"]["properties"]["answers"]


async def test_agreement_before_the_least_rounds_ends_nothing():
    run = await rehearse(plan_of([party(least_rounds=3)]), FakePorts(agents=all_say("yes", "yes", "yes")))

    assert ("yes", 3) == (said(run)["recommendation"], said(run)["rounds"])


@pytest.mark.parametrize(("stall", "rounds"), [(1, 2), (2, 3)])
async def test_a_party_in_which_nobody_moves_ends(stall, rounds):
    run = await rehearse(plan_of([party(stall=stall), agent("after")]), FakePorts(agents=all_say("a", "b", "c")))

    assert ("completed", "stall", rounds, False) == (
        run.state,
        said(run)["by"],
        said(run)["rounds"],
        said(run)["reached"],
    )


async def test_a_confidence_that_goes_far_is_a_stance_that_moves():
    def wavering(call):
        return stance("c", 0.9 - 0.2 * about(call)["round"])

    agents = {**all_say("a", "b", "c"), "cid": wavering}
    run = await rehearse(plan_of([party(stall=1)]), FakePorts(agents=agents))

    assert "rounds" == said(run)["by"]


@pytest.mark.parametrize(("verb", "state"), [("approve", "completed"), ("reject", "refused")])
async def test_a_stall_asks_people_where_the_author_says_so(verb, state):
    ports = FakePorts(agents=all_say("a", "b", "c"), people=saying(verb))
    run = await rehearse(plan_of([party(stall=1, on_stall="escalate"), agent("after")]), ports)

    assert state == run.state
    assert ["a", "b", "c"] == [one["position"] for one in ports.openings[-1].context["said"]["dissent"]]


async def test_no_turn_is_begun_that_the_tokens_do_not_reach_for():
    run = await rehearse(plan_of([party(tokens=500)]), FakePorts(agents=all_say("a", "b", "c")))

    spent = sum(record.usage.tokens for record in run.journal.records())
    assert ("tokens", False) == (said(run)["by"], said(run)["reached"])
    assert 0 < spent <= 500
    assert 0 < len(run.ports.calls) < 12


async def test_an_agent_gets_the_newest_turns_that_fit_its_window():
    seen = []

    def long(call):
        seen.append(about(call))
        return stance("x" * 200 + call.path)

    ports = FakePorts(agents=dict.fromkeys(MEMBERS, long))
    await rehearse(plan_of([party(window=250)]), ports)

    assert all(tokens(one["transcript"]) <= 251 for one in seen)
    assert ["cid", "ann"] == [one["by"] for one in seen[4]["transcript"]]
    assert 2 == seen[4]["left_out"]


async def test_what_the_facilitator_says_is_heard_by_all_who_come_after_and_never_left_out():
    ports = FakePorts()
    word = speaking(ports, 2, "noor", "interject", "Mind the deadline")
    heard = {}

    def long(call):
        word(call)
        heard[call.path] = [one.get("text") for one in about(call)["transcript"] if one.get("facilitator")]
        return stance(call.path + "x" * 400)

    ports.agents = dict.fromkeys(MEMBERS, long)
    run = await rehearse(plan_of([party(window=50, facilitator=["noor"])]), ports)

    assert ([], ["Mind the deadline"]) == (heard["talk[1]/ben"], heard["talk[1]/cid"])
    assert ["Mind the deadline"] == heard["talk[4]/cid"]
    assert [{"by": "noor", "verb": "interject", "text": "Mind the deadline"}] == said(run)["interjections"]
    assert () == ports.book.openings()


async def test_a_word_that_nobody_has_answered_is_answered_before_the_party_agrees():
    ports = FakePorts()
    word = speaking(ports, 3, "noor", "interject", "Think again")
    ports.agents = dict.fromkeys(MEMBERS, lambda call: word(call) and stance("yes"))
    run = await rehearse(plan_of([party(facilitator=["noor"])]), ports)

    assert ("yes", 2) == (said(run)["recommendation"], said(run)["rounds"])


async def test_the_facilitator_may_end_it_between_turns():
    ports = FakePorts()
    word = speaking(ports, 2, "noor", "end", "Enough")
    ports.agents = dict.fromkeys(MEMBERS, lambda call: word(call) and stance("yes"))
    run = await rehearse(plan_of([party(facilitator=["noor"]), agent("after")]), ports)

    assert ["talk[1]/ann", "talk[1]/ben", "after"] == ports.calls
    assert ("facilitator", False, None) == (said(run)["by"], said(run)["reached"], said(run)["stances"]["cid"])


@pytest.mark.parametrize(("then", "by", "reached"), [("yes", "unanimous", True), ("other", "vote", False)])
async def test_the_facilitator_may_call_for_the_vote(then, by, reached):
    ports = FakePorts()
    word = speaking(ports, 2, "noor", "call_vote")

    def voting(call):
        word(call)
        last = then if call.name == "cid" else "yes"
        return stance(last if about(call)["round"] == "vote" else call.name)

    ports.agents = dict.fromkeys(MEMBERS, voting)
    run = await rehearse(plan_of([party(facilitator=["noor"])]), ports)

    assert ["talk[1]/ann", "talk[1]/ben", "talk/vote/ann", "talk/vote/ben", "talk/vote/cid"] == ports.calls
    assert (by, reached) == (said(run)["by"], said(run)["reached"])


async def test_a_member_who_fails_fails_the_party_and_the_floor_is_closed():
    agents = {**all_say("yes", "yes", "yes"), "ben": failing()}
    ports = FakePorts(agents=agents)
    run = await rehearse(plan_of([party(facilitator=["noor"])]), ports)

    assert ("failed", "talk[1]/ben") == (run.state, run.error.failure.step)
    assert () == ports.book.openings()


async def test_a_party_may_be_tried_again_from_its_beginning():
    agents = {**all_say("yes", "yes", "yes"), "ben": [failing(), stance("yes")]}
    run = await rehearse(plan_of([{**party(), "retry": {"attempts": 2}}]), FakePorts(agents=agents))

    assert "yes" == said(run)["recommendation"]
    assert ["talk#1[1]/ann", "talk#1[1]/ben", "talk#2[1]/ann"] == run.ports.calls[:3]


@pytest.mark.parametrize("turns", ["round_robin", "all", "moderator"])
@pytest.mark.parametrize("every", [1, 2, 3, 5])
async def test_over_hand_overs_nobody_speaks_twice_and_it_comes_to_the_same(turns, every):
    def chair(call):
        return {"next": MEMBERS[(about(call)["round"] - 1) % 3]}

    more = {"moderator": "dot"} if turns == "moderator" else {}
    step = party(turns=turns, rounds=9, facilitator=["noor"], **more)
    plan = plan_of([step, agent("after", agent="eva", context=["said"])])
    agents = {**{name: after(3, name, "yes") for name in MEMBERS}, "dot": chair, "eva": {}}
    whole = await rehearse(plan, FakePorts(agents=agents))
    carried, calls = None, []
    for _ in range(60):
        ports = FakePorts(agents=agents, stop_after=every)
        scope = scope_of(plan, ports, {}, carried)
        try:
            await run_steps(plan.definition.steps, "", scope)
        except Suspended:
            calls += ports.calls
            carried = carry(scope)
        else:
            calls += ports.calls
            break

    assert said(whole) == scope.variables.values["said"]
    assert sorted(whole.ports.calls) == sorted(calls)
    assert len(calls) == len(set(calls))


async def test_words_that_wait_at_a_hand_over_are_heard_in_the_next_run():
    plan = plan_of([party(facilitator=["noor"])])
    ports = FakePorts(agents={name: stance(name) for name in MEMBERS}, stop_after=2)
    scope = scope_of(plan, ports, {})
    with pytest.raises(Suspended):
        await run_steps(plan.definition.steps, "", scope)
    # The run is about to hand over, and decisions are still ruled on.
    speak(scope.gates, "noor", "interject", "One word more")
    speak(scope.gates, "noor", "call_vote", "Let us decide")
    later = FakePorts(agents=all_say("yes", "yes", "yes"))
    carried = carry(scope)
    scope = scope_of(plan, later, {}, carried)
    await run_steps(plan.definition.steps, "", scope)

    assert 0 == later.nonces
    assert ["talk/vote/ann", "talk/vote/ben", "talk/vote/cid"] == later.calls
    assert [("noor", "interject", "One word more"), ("noor", "call_vote", "Let us decide")] == [
        (one["by"], one["verb"], one["text"]) for one in scope.variables.values["said"]["interjections"]
    ]


async def test_a_word_in_the_last_turn_of_all_holds_nothing_up():
    ports = FakePorts()
    word = speaking(ports, 3, "noor", "interject", "Think again")
    ports.agents = dict.fromkeys(MEMBERS, lambda call: word(call) and stance("yes"))
    run = await rehearse(plan_of([party(facilitator=["noor"], rounds=1)]), ports)

    assert ("yes", 1) == (said(run)["recommendation"], said(run)["rounds"])


async def test_nothing_older_is_read_than_a_turn_that_does_not_fit():
    seen = []

    def talking(call):
        seen.append(about(call))
        return stance("long " * 100 if call.name == "ben" else "short")

    await rehearse(plan_of([party(window=100)]), FakePorts(agents=dict.fromkeys(MEMBERS, talking)))

    assert (["cid"], 2) == ([one["by"] for one in seen[3]["transcript"]], seen[3]["left_out"])


async def test_a_party_that_takes_too_long_fails_and_its_floor_is_closed():
    async def never(_):
        await asyncio.Event().wait()

    ports = FakePorts(agents={**all_say("yes", "yes", "yes"), "ben": never})
    run = await rehearse(plan_of([{**party(facilitator=["noor"]), "timeout": "10m"}]), ports)

    assert ("failed", "timed_out") == (run.state, run.error.failure.code)
    assert ("succeeded", "cancelled") == (run.statuses()["talk[1]/ann"], run.statuses()["talk[1]/ben"])
    assert () == ports.book.openings()


async def test_who_is_asked_again_costs_twice():
    agents = all_say("yes", "yes", "yes")
    once = await rehearse(plan_of([party()]), FakePorts(agents=agents))
    misfit = AgentResult(errors=("position is missing",), usage=Usage(agent_runs=1))
    again = await rehearse(plan_of([party()]), FakePorts(agents={**agents, "ann": [misfit, agents["ann"]]}))

    cost, both = (run.journal.get("talk[1]/ann").usage.tokens for run in (once, again))
    assert cost < both < 2 * cost


async def test_what_an_agent_reports_of_its_tokens_is_what_counts():
    told = AgentResult(output=stance("yes"), usage=Usage(agent_runs=1, tokens=7_000))
    run = await rehearse(plan_of([party(tokens=10_000)]), FakePorts(agents=dict.fromkeys(MEMBERS, told)))

    assert (["talk[1]/ann", "talk[1]/ben"], "tokens") == (run.ports.calls, said(run)["by"])


async def test_a_party_inside_a_map_is_each_item_s_own():
    step = {"kind": "map", "step": "each", "output": "all", "map": {"over": "['a', 'b']", "do": [party()]}}
    run = await rehearse(plan_of([step]), FakePorts(agents=all_say("yes", "yes", "no")))

    assert ["rounds", "rounds"] == [one["talk"]["by"] for one in run.scope.variables.values["all"]["results"]]
    assert 2 * 4 * 3 == len(run.ports.calls)


async def test_a_party_that_ended_is_not_held_again_when_the_mission_is_walked_again():
    plan = plan_of(
        [
            party(facilitator=["noor"], stall=1, on_stall=[agent("sum_up", output="sum")]),
            agent("after", context=["sum", "said"]),
        ]
    )
    first = await rehearse(plan, FakePorts(agents={**all_say("a", "b", "c"), "dot": {"n": 1}}))
    ports = FakePorts(agents=all_say("a", "b", "c"))
    again = await rehearse(plan, ports, carried=carry(first.scope))

    assert ("completed", [], 0) == (again.state, ports.calls, ports.nonces)
    assert first.scope.variables.values == again.scope.variables.values
