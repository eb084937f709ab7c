"""A party: how it loads, what its result is known to be, what it may take, how it is shown and compared."""

from desk import findings, load, mission, workspace

from contracts.party import Party, judge_schema, moderator_schema, stance_schema
from language.diagram import words
from language.difference import difference
from language.estimate import Span, estimate
from language.freeze import freeze
from language.loader import load_text
from language.named import named
from language.schema import check_schema, errors

GOOD = """
steps:
  - step: debate
    party:
      topic: 'Shall we? ${{ requirements_document }}'
      members: [architect, security_engineer]
      context: alert
      options: [build, buy]
      turns: moderator
      moderator: cost_analyst
      consensus: judge
      judge: reviewer
      least_rounds: 2
      rounds: 6
      tokens: 50000
      window: 2000
      facilitator: [ada, director]
      stall: 3
      on_stall: escalate
    timeout: 1h
    output: advice
"""
TALK = """
steps:
  - step: talk
    party: {topic: T, members: [architect, reviewer, cost_analyst], rounds: 3, tokens: 9000, %s}
    output: advice
  - {step: use, agent: architect, task: '${{ advice.recommendation }} ${{ advice.dissent[0].reasons }}'}
"""


def party(more="", **fields):
    return load(TALK % more, **fields).steps[0].party


def test_the_form_loads_as_written():
    [debate] = load(GOOD).steps

    expected = Party(
        topic="Shall we? ${{ requirements_document }}",
        members=("architect", "security_engineer"),
        context=("alert",),
        options=("build", "buy"),
        turns="moderator",
        moderator="cost_analyst",
        consensus="judge",
        judge="reviewer",
        least_rounds=2,
        rounds=6,
        tokens=50_000,
        window=2_000,
        facilitator=("ada", "director"),
        stall=3,
        on_stall="escalate",
    )
    assert expected == debate.party
    assert ({"architect", "security_engineer", "cost_analyst", "reviewer"}, set()) == named(load(GOOD))


def test_what_it_lacks_is_what_is_usual():
    talk = party("stall: 2")

    usual = (talk.turns, talk.consensus, talk.least_rounds, talk.window, talk.facilitator, talk.on_stall)
    assert ("round_robin", "unanimous", 1, 4_000, (), "continue") == usual


def test_what_it_yields_is_known_to_the_field():
    text = TALK % "options: [build, buy]"
    wrong = text.replace("advice.dissent[0].reasons", "advice.stances.reviewr.position")

    assert [] == findings(mission(text))
    assert ["'advice.stances' has no field 'reviewr'" in line for line in findings(mission(wrong))] == [True]


def test_where_a_stall_leads_may_read_where_they_stand():
    text = TALK % "stall: 1, on_stall: [{step: sum_up, agent: analyst, task: Sum up, context: advice}]"

    assert [] == findings(mission(text))


def test_its_agents_answer_by_schemas_that_can_be_used():
    free, bound = party("consensus: judge, judge: analyst"), party("options: [build, buy]")
    stance = {"position": "build", "reasons": ["r"], "confidence": 0.5}

    for schema in (stance_schema(free, "reviewer"), judge_schema(free), moderator_schema(free)):
        assert [] == check_schema(schema)
    assert [] == errors(stance_schema(bound, "reviewer"), stance)
    assert [] == errors(stance_schema(bound, "reviewer"), {**stance, "answers": "architect", "stand": "object"})
    for wrong in (
        {"position": "rent"},
        {"reasons": []},
        {"confidence": 1.5},
        {"answers": "architect"},
        {"stand": "agree"},
        {"answers": "reviewer", "stand": "agree"},
        {"more": 1},
    ):
        assert errors(stance_schema(bound, "reviewer"), {**stance, **wrong})


def taken(more=""):
    return estimate(freeze(load_text(mission(TALK % more), "m.yaml", workspace()), workspace()))


def test_it_takes_a_round_at_least_and_all_of_them_twice_at_most():
    assert Span(least=3 + 1, most=2 * 3 * 3 + 1) == taken("stall: 1").agents
    assert Span(least=6 + 1, most=2 * 3 * 3 + 1) == taken("least_rounds: 2").agents
    assert Span(least=0 + 1, most=2 * (3 * 3 + 3) + 1) == taken("facilitator: ada").agents
    assert Span(least=3 * 2 + 1, most=2 * 3 * 2 + 1) == taken("turns: moderator, moderator: security_engineer").agents
    judged = taken("consensus: judge, judge: security_engineer")
    assert Span(least=3 + 1 + 1, most=2 * 3 * 4 + 1) == judged.agents


def test_its_picture_says_who_talks_and_until_when():
    shown = words(load(GOOD).steps[0])

    expected = [
        "architect, security_engineer",
        "led by cost_analyst, until reviewer judges, at most 6 rounds",
        "facilitated by ada, director",
    ]
    assert expected == shown


def test_whoever_may_speak_in_it_is_a_matter_of_authority():
    before, after = load(GOOD), load(GOOD.replace("facilitator: [ada, director]", "facilitator: bob"))

    [change] = difference(before, after)
    assert ("authority", "party.facilitator", ["ada", "director"], ["bob"]) == (
        change.about,
        change.key,
        change.before,
        change.after,
    )
