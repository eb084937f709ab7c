"""The forms of the language load exactly as they are written."""

from datetime import timedelta

from desk import load, mission, workspace

from contracts.definition import (
    ActionStep,
    AgentStep,
    Compensation,
    Condition,
    ConditionStep,
    GateStep,
    GroupStep,
    Loop,
    LoopStep,
    ParallelStep,
)
from contracts.gate import Gate, Rung
from contracts.step import Fallback, Place, Retry
from language.loader import load_text
from language.steps import by_name, called_names

FIVE_FORMS = """
steps:
- step: draft_architecture
  agent: architect
  task: 'Review requirements and draft system architecture'
  context:
    - requirements_document
    - existing_system_overview
  output: architecture_draft
- step: parallel_review
  parallel:
    - agent: security_engineer
      task: 'Review architecture for security concerns'
    - agent: cost_analyst
      task: 'Review architecture for cost implications'
  output: combined_reviews
- step: architecture_approval
  gate:
    type: approval
    approvers: [tech_lead, architect]
    context: architecture_draft
    timeout: 48h
    on_timeout: escalate
- step: complexity_check
  condition:
    if: 'architecture_draft.complexity_score > 8'
    then: detailed_review
    else: standard_review
- step: refine_until_approved
  loop:
    do: refine_draft
    until: 'review_result.approved == true'
    max_iterations: 5
    on_max: escalate_to_human
- step: detailed_review
  agent: reviewer
  task: Look closely
  context: [architecture_draft]
- step: standard_review
  agent: reviewer
  task: Look
- step: refine_draft
  agent: architect
  task: Refine
  output: review_result
"""


def at(line: int, column: int = 3) -> Place:
    return Place(file="m.yaml", line=line, column=column)


def test_the_five_forms_load_as_written():
    steps = load(FIVE_FORMS).steps[:5]

    assert steps == (
        AgentStep(
            step="draft_architecture",
            agent="architect",
            task="Review requirements and draft system architecture",
            context=("requirements_document", "existing_system_overview"),
            output="architecture_draft",
            place=at(2),
        ),
        ParallelStep(
            step="parallel_review",
            parallel=(
                AgentStep(
                    step="security_engineer",
                    agent="security_engineer",
                    task="Review architecture for security concerns",
                    place=at(11, 7),
                ),
                AgentStep(
                    step="cost_analyst",
                    agent="cost_analyst",
                    task="Review architecture for cost implications",
                    place=at(13, 7),
                ),
            ),
            output="combined_reviews",
            place=at(9),
        ),
        GateStep(
            step="architecture_approval",
            gate=Gate(
                approvers=("tech_lead", "architect"),
                context=("architecture_draft",),
                timeout=timedelta(hours=48),
                on_timeout="escalate",
            ),
            place=at(16),
        ),
        ConditionStep(
            step="complexity_check",
            condition=Condition(
                if_="architecture_draft.complexity_score > 8", then="detailed_review", else_="standard_review"
            ),
            place=at(23),
        ),
        LoopStep(
            step="refine_until_approved",
            loop=Loop(do="refine_draft", until="review_result.approved == true", max_iterations=5, on_max="escalate"),
            place=at(28),
        ),
    )


def test_a_step_that_another_names_stays_where_it_was_written_and_is_known_as_called():
    definition = load(FIVE_FORMS)

    assert called_names(definition) == {"detailed_review", "standard_review", "refine_draft"}
    assert by_name(definition)["refine_draft"] == definition.steps[7]


def test_an_action_with_everything():
    (action,) = load("""
        steps:
          - step: save
            action: write_file
            with: {name: '${{ alert.id }}.txt', size: 3}
            compensate: {tool: delete_file, with: {name: '${{ result.name }}'}}
            approval:
              approvers: tech_lead
              required: 2
              message: Write ${{ alert.id }}?
              context: alert
              timeout: 1h30m
              on_timeout: escalate
              escalation:
                - {approvers: [director, ada], timeout: 2d}
              on_reject: continue
            retry: {attempts: 5, first: 250ms, factor: 1.5, most: 10s}
            timeout: 30s
            output: file
        """).steps

    assert action == ActionStep(
        step="save",
        action="write_file",
        with_={"name": "${{ alert.id }}.txt", "size": 3},
        compensate=Compensation(tool="delete_file", with_={"name": "${{ result.name }}"}),
        approval=Gate(
            approvers=("tech_lead",),
            required=2,
            message="Write ${{ alert.id }}?",
            context=("alert",),
            timeout=timedelta(minutes=90),
            on_timeout="escalate",
            escalation=(Rung(approvers=("director", "ada"), timeout=timedelta(days=2)),),
            on_reject="continue",
        ),
        retry=Retry(attempts=5, first=timedelta(milliseconds=250), factor=1.5, most=timedelta(seconds=10)),
        timeout=timedelta(seconds=30),
        output="file",
        place=Place(file="m.yaml", line=2, column=5),
    )


def test_compensate_may_be_the_tool_alone():
    (action,) = load("""
        steps:
          - {step: file, action: open_ticket, compensate: close_ticket}
        """).steps

    assert isinstance(action, ActionStep)
    assert action.compensate == Compensation(tool="close_ticket")


def test_steps_may_stand_inline_where_a_name_stands():
    (check,) = load("""
        steps:
          - step: check
            condition:
              if: alert.severe
              then:
                - {agent: architect, task: Think}
                - {agent: architect, task: Think again}
                - steps: [{step: inner, agent: reviewer, task: Look}]
              else: abort
        """).steps

    assert isinstance(check, ConditionStep)
    assert isinstance(check.condition.then, tuple)
    assert [step.step for step in check.condition.then] == ["architect", "architect-2", "steps"]
    assert check.condition.else_ == "abort"


def test_a_made_up_name_never_takes_one_that_an_author_gave():
    definition = load("""
        steps:
          - step: both
            parallel:
              - {agent: architect, task: One}
          - {step: architect, agent: architect, task: Two}
        """)

    assert [step.step for step in by_name(definition).values()] == ["both", "architect-2", "architect"]


def test_needs_make_a_task_graph():
    group = load("""
        steps:
          - step: all
            steps:
              - {step: a, agent: architect, task: A, output: one}
              - {step: b, agent: architect, task: B, needs: a, context: one}
              - {step: c, agent: architect, task: C, needs: [a, b]}
        """).steps[0]

    assert isinstance(group, GroupStep)
    assert [step.needs for step in group.steps] == [None, ("a",), ("a", "b")]


def test_the_definition_says_where_it_comes_from():
    definition = load_text(
        mission("steps: [{step: a, agent: architect, task: A}]"), "try_out/mission.yaml", workspace()
    )

    assert definition.source == "try_out/mission.yaml"
    assert (definition.mission, definition.version, definition.team) == ("try_out", "1.0", "platform")
    assert definition.verdict.one_of == ("good", "bad")
    assert list(definition.inputs["properties"]) == ["requirements_document", "existing_system_overview", "alert"]


def test_a_definition_survives_its_journey_as_json():
    definition = load(FIVE_FORMS)

    assert type(definition).model_validate_json(definition.model_dump_json()) == definition


def test_a_round_of_a_loop_may_read_what_the_round_before_has_set():
    definition = load("""
        steps:
          - step: refine
            loop:
              do:
                - {agent: reviewer, task: 'Round ${{ iteration }}', output: review}
                - step: again
                  condition: {if: 'iteration > 1 && draft.weak', then: abort}
                - {agent: architect, task: Improve, context: review, output: draft, default: {weak: false}}
              until: review.approved && iteration > 2
              max_iterations: 3
        """)

    assert [step.step for step in by_name(definition).values()] == ["refine", "reviewer", "again", "architect"]


def test_a_called_step_may_read_what_only_one_of_its_callers_has_if_there_is_a_default():
    definition = load("""
        steps:
          - step: early
            condition: {if: alert.known, then: report}
          - {step: think, agent: architect, task: Think, output: draft, default: null}
          - step: late
            condition: {if: draft.good, then: report}
          - {step: report, agent: reviewer, task: Report, context: draft}
        """)

    assert called_names(definition) == {"report"}


def test_an_agent_below_its_floor_leads_to_steps_that_know_its_answer():
    definition = load("""
        steps:
          - {step: think, agent: analyst, task: Think, output: draft, below_floor: ask}
          - step: ask
            gate: {approvers: director, context: draft}
        """)

    assert called_names(definition) == {"ask"}


def test_what_every_step_may_have():
    steps = """
    steps:
      - step: a
        agent: architect
        task: T
        when: has(alert.host)
        timeout: 5m
        on_failure:
          timed_out: continue
          refused: {agent: reviewer}
          any:
            - {step: mend, agent: cost_analyst, task: T, output: mended, default: nothing}
      - step: b
        steps: [{step: c, agent: reviewer, task: '${{ mended }}'}]
        timeout: 1h
        on_failure: escalate_to_human
    """
    first, second = load(steps).steps

    assert ("has(alert.host)", timedelta(minutes=5)) == (first.when, first.timeout)
    assert ["timed_out", "refused", "any"] == list(first.on_failure)
    assert ("continue", Fallback(agent="reviewer")) == (first.on_failure["timed_out"], first.on_failure["refused"])
    assert "mended" == first.on_failure["any"][0].output
    assert (timedelta(hours=1), {"any": "escalate"}) == (second.timeout, second.on_failure)
