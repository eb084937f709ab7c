"""Definitions that must be refused: what is wrong with each, the steps as an author writes them, and each finding."""

BAD_STEPS: dict[str, tuple[str, tuple[str, ...]]] = {}


def bad(name: str, steps: str, *expected: str) -> None:
    assert name not in BAD_STEPS
    BAD_STEPS[name] = (steps, expected)


# --- keys and values

bad(
    "an unknown key",
    """
    steps:
      - step: a
        agent: architect
        tsk: Think
        task: Think
    """,
    "4:5: UNKNOWN_KEY an agent step has no key 'tsk' (did you mean 'task'?)",
)

bad(
    "an unknown key like none",
    """
    steps:
      - {step: a, agent: architect, task: T, colour: red}
    """,
    "2:42: UNKNOWN_KEY an agent step has no key 'colour' (keys here: step, needs, output, when, timeout, "
    "on_failure, agent, task, context, below_floor, retry)",
)

bad(
    "a kind misspelt",
    """
    steps:
      - step: a
        agnet: architect
        task: T
    """,
    "3:5: UNKNOWN_KEY a step has no key 'agnet' (did you mean 'agent'?)",
)

bad(
    "two kinds in one step",
    """
    steps:
      - step: a
        agent: architect
        task: T
        action: look_up
    """,
    "5:5: STEP_KIND a step is of one kind, and this has 'agent' and 'action' (make two steps of it)",
)

bad(
    "a step that says nothing to do",
    """
    steps:
      - step: a
        task: T
    """,
    "2:5: STEP_KIND this step says nothing to do "
    "(give it one of: agent, parallel, gate, condition, loop, action, steps, map, "
    "race, wait, review)",
)

bad(
    "a step that is a text",
    """
    steps:
      - look
    """,
    "2:5: WRONG_TYPE a step is a map of keys and values, not a text",
)

bad(
    "a missing task",
    """
    steps:
      - step: a
        agent: architect
    """,
    "2:5: MISSING_KEY an agent step needs the key 'task' (write 'task: …')",
)

bad(
    "a missing name",
    """
    steps:
      - agent: architect
        task: T
    """,
    "2:5: MISSING_KEY an agent step needs the key 'step' (write 'step: …')",
)

bad(
    "a number for a text",
    """
    steps:
      - {step: a, agent: architect, task: 7}
    """,
    "2:39: WRONG_TYPE 'task' is a text, not a number (put it in quotes: '7')",
)

bad(
    "nothing for a text",
    """
    steps:
      - step: a
        agent: architect
        task:
    """,
    "4:10: WRONG_TYPE 'task' is a text, not nothing",
)

bad(
    "a map for a list of names",
    """
    steps:
      - {step: a, agent: architect, task: T, context: {alert: 1}}
    """,
    "2:51: WRONG_TYPE 'context' is a list of names, not a map",
)

bad(
    "a name twice in a list",
    """
    steps:
      - {step: a, agent: architect, task: T, context: [alert, alert]}
    """,
    "2:59: BAD_VALUE 'alert' stands twice in 'context' (name it once)",
)

bad(
    "no steps in a list",
    """
    steps:
      - {step: a, parallel: []}
    """,
    "2:25: BAD_VALUE 'parallel' is empty (write at least one step)",
)

bad(
    "a name that is no name",
    """
    steps:
      - {step: a/b, agent: architect, task: T}
    """,
    "2:12: BAD_NAME 'a/b' is no name for a step "
    "(write letters, digits, '_' and '-', starting with a letter, at most 64)",
)

bad(
    "a name twice",
    """
    steps:
      - {step: a, agent: architect, task: T}
      - {step: a, agent: architect, task: T}
    """,
    "3:12: DUPLICATE_STEP the step 'a' stands in line 2 already (give it a name of its own)",
)

bad(
    "a type of gate that does not exist",
    """
    steps:
      - step: a
        gate: {type: vote, approvers: [tech_lead]}
    """,
    "3:18: BAD_VALUE unknown type of gate 'vote' (write 'approval')",
)

bad(
    "retries without end",
    """
    steps:
      - {step: a, agent: architect, task: T, retry: {attempts: 1000, first: 1m, most: 1s}}
    """,
    "2:49: BAD_VALUE the longest wait, 'most', is shorter than the first (make 'most' at least as long as 'first')",
    "2:60: BAD_VALUE 'attempts' is 1000 (write 1 to 100)",
)

# --- YAML

bad(
    "a key twice",
    """
    steps:
      - step: a
        agent: architect
        task: T
        agent: reviewer
    """,
    "5:5: DUPLICATE_KEY the key 'agent' stands in line 3 and again in line 5 (keep one of them)",
)

bad(
    "an alias",
    """
    steps:
      - {step: a, agent: &who architect, task: T}
      - {step: b, agent: *who, task: T}
    """,
    "2:22: YAML_ALIAS the anchor '&who' (write the value where it is used)",
    "3:22: WRONG_TYPE 'agent' is a text, not nothing",
    "3:22: YAML_ALIAS the alias '*who' (write the value out)",
)

bad(
    "a tag",
    """
    steps:
      - {step: a, agent: !!str architect, task: T}
    """,
    "2:22: YAML_TAG the tag 'tag:yaml.org,2002:str' (leave it out; quote what is a text)",
)

bad(
    "words that YAML 1.1 takes for something else",
    """
    steps:
      - step: a
        action: look_up
        with: {a: no, b: on, c: yes, d: 1:30, e: 012, f: 2024-01-01, g: 0x1f, h: 1_000, off: true, i: ~, j: 'no'}
    """,
    "4:15: YAML_AMBIGUOUS 'no' is a boolean or null to some readers of YAML and a text to others "
    '(write "no" for the text, or false)',
    "4:22: YAML_AMBIGUOUS 'on' is a boolean or null to some readers of YAML and a text to others "
    '(write "on" for the text, or true)',
    "4:29: YAML_AMBIGUOUS 'yes' is a boolean or null to some readers of YAML and a text to others "
    '(write "yes" for the text, or true)',
    "4:37: YAML_AMBIGUOUS '1:30' is a number in base 60 to some readers of YAML and a text to others (write \"1:30\")",
    "4:46: YAML_AMBIGUOUS '012' is a number that readers of YAML do not agree on (write \"012\")",
    "4:54: YAML_AMBIGUOUS '2024-01-01' is a date to some readers of YAML and a text to others (write \"2024-01-01\")",
    "4:69: YAML_AMBIGUOUS '0x1f' is a number that readers of YAML do not agree on (write \"0x1f\")",
    "4:78: YAML_AMBIGUOUS '1_000' is a number that readers of YAML do not agree on (write \"1_000\")",
    "4:85: YAML_AMBIGUOUS 'off' is a boolean or null to some readers of YAML and a text to others "
    '(write "off" for the text, or false)',
)

# --- names that must exist

bad(
    "an unknown agent",
    """
    steps:
      - {step: a, agent: archtect, task: T}
    """,
    "2:22: UNKNOWN_AGENT unknown agent 'archtect' (did you mean 'architect'?)",
)

bad(
    "an unknown tool",
    """
    steps:
      - {step: a, action: look_down, with: {}}
    """,
    "2:23: UNKNOWN_TOOL unknown tool 'look_down' (did you mean 'look_up'?)",
)

bad(
    "an unknown compensation",
    """
    steps:
      - {step: a, action: open_ticket, compensate: closeticket}
    """,
    "2:48: UNKNOWN_TOOL unknown tool 'closeticket' (did you mean 'close_ticket'?)",
)

bad(
    "an unknown approver",
    """
    steps:
      - step: a
        gate:
          approvers: [tech_lead, techlead]
    """,
    "4:30: UNKNOWN_PERSON unknown role or person 'techlead' (did you mean 'tech_lead'?)",
)

bad(
    "an unknown approver up the ladder",
    """
    steps:
      - step: a
        gate:
          approvers: tech_lead
          timeout: 1h
          on_timeout: escalate
          escalation:
            - {approvers: [nobody], timeout: 1h}
    """,
    "8:24: UNKNOWN_PERSON unknown role or person 'nobody' (known here: ada, architect, bob, cy, director, tech_lead)",
)

bad(
    "an unknown step",
    """
    steps:
      - step: a
        condition: {if: 'true', then: drft, else: abort}
      - {step: draft, agent: architect, task: T}
    """,
    "3:35: UNKNOWN_STEP unknown step 'drft' (did you mean 'draft'?)",
)

bad(
    "a step that only the language named",
    """
    steps:
      - step: a
        parallel:
          - {agent: architect, task: T}
      - step: b
        condition: {if: 'true', then: architect}
    """,
    "6:35: UNKNOWN_STEP unknown step 'architect' (known here: a, abort, b, continue, escalate)",
)

bad(
    "an unknown step in steps",
    """
    steps:
      - {step: draft, agent: architect, task: T}
      - step: b
        condition: {if: steps.drfat.status == "failed", then: abort}
    """,
    "4:21: UNKNOWN_STEP unknown step 'steps.drfat' (did you mean 'draft'?)",
)

bad(
    "needs that no sibling meets",
    """
    steps:
      - {step: a, agent: architect, task: T}
      - {step: b, agent: architect, task: T, needs: [a, aa]}
    """,
    "3:53: UNKNOWN_STEP no step 'aa' in this list (did you mean 'a'?)",
)

bad(
    "needs that a called step would meet",
    """
    steps:
      - step: a
        condition: {if: 'true', then: b}
      - {step: b, agent: architect, task: T}
      - {step: c, agent: architect, task: T, needs: b}
    """,
    "5:49: BAD_VALUE 'b' is called by another step and never runs for itself (need the step that calls it)",
)

bad(
    "needs of a called step",
    """
    steps:
      - step: a
        condition: {if: 'true', then: b}
      - {step: b, agent: architect, task: T, needs: a}
    """,
    "4:49: BAD_VALUE a step that others call does not wait for 'needs' (leave 'needs' out, or the call)",
)

# --- flow

bad(
    "steps that call each other",
    """
    steps:
      - step: start
        condition: {if: 'true', then: a}
      - step: a
        condition: {if: 'true', then: b}
      - step: b
        condition: {if: 'true', then: a}
    """,
    "6:5: CYCLE these steps call each other without end: a → b → a (use a loop step, which has a bound)",
)

bad(
    "a step that calls itself from inside",
    """
    steps:
      - step: start
        condition: {if: 'true', then: a}
      - step: a
        steps:
          - step: inner
            loop: {do: a, until: 'true', max_iterations: 2}
    """,
    "6:9: CYCLE these steps call each other without end: a → inner → a (use a loop step, which has a bound)",
)

bad(
    "steps that only call each other",
    """
    steps:
      - {step: start, agent: architect, task: T}
      - step: a
        condition: {if: 'true', then: b}
      - step: b
        condition: {if: 'true', then: a}
    """,
    "3:5: UNREACHABLE no way leads to the step 'a': only steps that never run call it (call it from a step that runs)",
    "5:5: CYCLE these steps call each other without end: a → b → a (use a loop step, which has a bound)",
    "5:5: UNREACHABLE no way leads to the step 'b': only steps that never run call it (call it from a step that runs)",
)

bad(
    "steps that wait for each other",
    """
    steps:
      - {step: a, agent: architect, task: T, needs: c}
      - {step: b, agent: architect, task: T, needs: a}
      - {step: c, agent: architect, task: T, needs: [b]}
      - {step: d, agent: architect, task: T, needs: [c]}
    """,
    "2:49: CYCLE these steps wait for each other: a, b, c (let one of them go first)",
)

bad(
    "a step after the end",
    """
    steps:
      - step: a
        condition:
          if: 'true'
          then: abort
          else: [{steps: [{step: b, condition: {if: 'true', then: abort, else: abort}}]}]
      - {step: c, agent: architect, task: T}
    """,
    "7:5: UNREACHABLE nothing comes here: 'a' aborts the mission on every way (move it before, or leave it out)",
)

bad(
    "a loop without a bound",
    """
    steps:
      - step: a
        loop:
          do: [{agent: architect, task: T, output: done}]
          until: done.good
    """,
    "4:7: LOOP_UNBOUNDED this loop may never end (write 'max_iterations: 5')",
)

bad(
    "a loop with too high a bound",
    """
    steps:
      - step: a
        loop:
          do: [{agent: architect, task: T, output: done}]
          until: done.good
          max_iterations: 1000000
    """,
    "6:23: BAD_VALUE 'max_iterations' is 1000000 (write 1 to 1000)",
)

# --- variables

bad(
    "an unknown variable in context",
    """
    steps:
      - {step: a, agent: architect, task: T, context: [alrt]}
    """,
    "2:52: UNKNOWN_VARIABLE unknown variable 'alrt' (did you mean 'alert'?)",
)

bad(
    "a word of the language in context",
    """
    steps:
      - {step: a, agent: architect, task: T, context: steps}
    """,
    "2:51: UNKNOWN_VARIABLE unknown variable 'steps' (context names inputs and outputs of steps)",
)

bad(
    "an unknown variable in an expression",
    """
    steps:
      - step: a
        condition: {if: 'true && alrt.level > 8', then: abort}
    """,
    "3:30: UNKNOWN_VARIABLE unknown variable 'alrt' (did you mean 'alert'?)",
)

bad(
    "a variable read before it is set",
    """
    steps:
      - {step: a, agent: architect, task: T, context: draft}
      - {step: b, agent: architect, task: T, output: draft}
    """,
    "2:51: READ_BEFORE_SET 'draft' is read before any way here can have set it (it is set by the step in line 3)",
)

bad(
    "a variable that only another way sets",
    """
    steps:
      - step: a
        condition:
          if: alert.severe
          then: [{agent: architect, task: T, output: draft}]
          else: [{agent: architect, task: 'Go on with ${{ draft.text }}'}]
    """,
    "6:55: READ_BEFORE_SET 'draft' is read before any way here can have set it (it is set by the step in line 5)",
)

bad(
    "a variable that a sibling sets at once",
    """
    steps:
      - step: both
        parallel:
          - {agent: architect, task: T, output: draft}
          - {agent: reviewer, task: T, context: draft}
    """,
    "5:45: READ_BEFORE_SET 'draft' is read before any way here can have set it (it is set by the step in line 4)",
)

bad(
    "a variable that a step of the graph sets at once",
    """
    steps:
      - {step: a, agent: architect, task: T}
      - {step: b, agent: architect, task: T, needs: a, output: draft}
      - {step: c, agent: architect, task: T, needs: a, context: draft}
    """,
    "4:61: READ_BEFORE_SET 'draft' is read before any way here can have set it (it is set by the step in line 3)",
)

bad(
    "a called step that reads what none of its callers can have",
    """
    steps:
      - step: a
        condition: {if: alert.severe, then: c}
      - step: b
        condition: {if: alert.mild, then: c}
      - {step: c, agent: architect, task: T, context: draft}
      - {step: d, agent: architect, task: T, output: draft}
    """,
    "6:51: READ_BEFORE_SET 'draft' is read before any way here can have set it (it is set by the step in line 7)",
)

bad(
    "the round of a loop outside one",
    """
    steps:
      - step: a
        loop: {do: [{agent: architect, task: '${{ iteration }}'}], until: iteration > 1, max_iterations: 2}
      - {step: b, agent: architect, task: 'Round ${{ iteration }}'}
    """,
    "4:50: READ_BEFORE_SET 'iteration' exists only inside a loop (leave it out)",
)

bad(
    "an action's result outside its compensation",
    """
    steps:
      - {step: b, agent: architect, task: 'Round ${{ result.id }}'}
    """,
    "2:50: READ_BEFORE_SET 'result' exists only in a compensation's 'with' (name the action's output)",
)

bad(
    "an output that is an input",
    """
    steps:
      - {step: a, agent: architect, task: T, output: alert}
    """,
    "2:50: NAME_CLASH the output 'alert': an input has this name, and inputs do not change (rename it)",
)

bad(
    "outputs that no variable can be",
    """
    steps:
      - {step: a, agent: architect, task: T, output: my-draft}
      - {step: b, agent: architect, task: T, output: mission}
      - {step: c, agent: architect, task: T, output: package}
    """,
    "2:50: BAD_NAME the output 'my-draft': a variable has letters, digits and '_', and starts with none of the digits "
    "(rename it)",
    "3:50: BAD_NAME the output 'mission': it is always there and means something else (rename it)",
    "4:50: BAD_NAME the output 'package': it is a word of the expression language (rename it)",
)

bad(
    "two branches with one output",
    """
    steps:
      - step: both
        parallel:
          - {agent: architect, task: T, output: draft}
          - step: inner
            steps:
              - {step: deep, agent: reviewer, task: T, output: draft}
    """,
    "5:9: WRITE_RACE 'architect' and 'inner' run at once and both set 'draft' (give each an output of its own)",
)

bad(
    "two steps of a graph with one output",
    """
    steps:
      - {step: a, agent: architect, task: T, needs: [], output: draft}
      - {step: b, agent: architect, task: T, output: draft}
      - {step: c, agent: architect, task: T, needs: [a, b], output: draft}
    """,
    "3:50: WRITE_RACE 'a' and 'b' run at once and both set 'draft' (give each an output of its own)",
)

# --- expressions

bad(
    "an expression that ends too soon",
    """
    steps:
      - step: a
        condition:
          if: 'alert.level >'
          then: abort
    """,
    "4:25: EXPRESSION syntax error: the expression ends too soon",
)

bad(
    "an unknown function",
    """
    steps:
      - step: a
        condition: {if: sise(alert) > 3, then: abort}
    """,
    "3:25: EXPRESSION undeclared reference to 'sise'",
)

bad(
    "operands that never fit",
    """
    steps:
      - step: a
        condition: {if: '"high" > 3', then: abort}
    """,
    "3:29: EXPRESSION found no matching overload for '_>_' applied to '(string, int)'",
)

bad(
    "a template left open",
    """
    steps:
      - {step: a, action: look_up, with: {q: 'level ${{ alert.level'}}
    """,
    "2:43: EXPRESSION '${{' without its '}}' (close it with '}}')",
)

bad(
    "a mistake deep in arguments",
    """
    steps:
      - step: a
        action: look_up
        with:
          filters:
            - {field: level, at_least: '${{ alert.level + lowest }}'}
    """,
    "6:55: UNKNOWN_VARIABLE unknown variable 'lowest'",
)

bad(
    "an expression with too many parts",
    f"""
    steps:
      - step: a
        condition: {{if: '{" || ".join(["alert.a"] * 180)}', then: abort}}
    """,
    "3:22: EXPRESSION the expression has 539 parts (at most 300 are allowed)",
)

bad(
    "an expression that goes through lists too often",
    f"""
    steps:
      - step: a
        condition: {{if: 'alert.a{".map(x, x)" * 7} == []', then: abort}}
    """,
    "3:22: EXPRESSION the expression goes through lists 7 times (at most 6 are allowed)",
)

# --- people in charge

bad(
    "an effect without approval",
    """
    steps:
      - {step: a, action: write_file, with: {name: x}}
      - {step: b, action: send_money}
      - {step: c, action: look_up}
      - {step: d, action: open_ticket}
    """,
    "2:23: APPROVAL_UNGATED 'write_file' changes the world (write) and nobody is asked "
    "(give the action an 'approval'; only the tool's contract, with 'autonomy: allowed', can free it)",
    "3:23: APPROVAL_UNGATED 'send_money' changes the world (irreversible) and nobody is asked "
    "(give the action an 'approval'; only the tool's contract, with 'autonomy: allowed', can free it)",
)

bad(
    "a mission that frees itself from approval",
    """
    steps:
      - {step: a, action: send_money, autonomy: allowed}
    """,
    "2:23: APPROVAL_UNGATED 'send_money' changes the world (irreversible) and nobody is asked "
    "(give the action an 'approval'; only the tool's contract, with 'autonomy: allowed', can free it)",
    "2:35: UNKNOWN_KEY an action has no key 'autonomy' "
    "(keys here: step, needs, output, when, timeout, on_failure, action, with, compensate, approval, retry)",
)

for number, word in enumerate(("continue", "approve", "proceed", "auto_proceed", "Approve")):
    bad(
        f"silence taken for consent {number}",
        f"""
        steps:
          - step: a
            action: send_money
            approval: {{approvers: director, timeout: 1h, on_timeout: {word}}}
        """,
        f"4:62: SILENCE_APPROVES 'on_timeout: {word}' takes silence for consent "
        "(write 'escalate', 'refuse' or 'abort', or name a step that does something else)",
    )

bad(
    "a gate that lets the mission go on in silence",
    """
    steps:
      - step: a
        gate: {approvers: director, timeout: 1h, on_timeout: continue}
    """,
    "3:58: SILENCE_APPROVES 'on_timeout: continue' takes silence for consent "
    "(write 'escalate', 'refuse' or 'abort', or name a step that does something else)",
)

bad(
    "a deadline that leads back to the action",
    """
    steps:
      - step: start
        condition: {if: 'true', then: pay}
      - step: pay
        action: send_money
        approval:
          approvers: director
          timeout: 1h
          on_timeout: [{steps: [{step: again, condition: {if: 'true', then: pay}}]}]
    """,
    "9:19: SILENCE_APPROVES at the deadline 'pay' would come round to itself "
    "(write 'escalate', 'refuse' or 'abort', or name a step that does something else)",
    "9:29: CYCLE these steps call each other without end: pay → steps → again → pay "
    "(use a loop step, which has a bound)",
)

bad(
    "more approvals than people",
    """
    steps:
      - step: a
        gate: {approvers: [tech_lead, ada], required: 3}
    """,
    "3:51: GATE_UNSATISFIABLE 3 must approve, and 2 can: ada, bob (lower 'required' or name more approvers)",
)

bad(
    "more approvals than people up the ladder",
    """
    steps:
      - step: a
        gate: {approvers: [tech_lead], required: 2, timeout: 1h, on_timeout: escalate}
    """,
    "3:74: GATE_UNSATISFIABLE escalated to 'director', 2 must approve, and 1 can "
    "(lower 'required', or write an 'escalation' of your own)",
)

bad(
    "no approvers",
    """
    steps:
      - step: a
        gate: {approvers: []}
    """,
    "3:23: BAD_VALUE 'approvers' is empty (name at least one)",
)

bad(
    "approval by nobody",
    """
    steps:
      - step: a
        gate: {approvers: tech_lead, required: 0}
    """,
    "3:44: BAD_VALUE 'required' is 0 (write 1 to 100)",
)

bad(
    "a compensation that the contract does not know",
    """
    steps:
      - {step: a, action: open_ticket, compensate: look_up}
    """,
    "2:48: COMPENSATION_NOT_ALLOWED 'look_up' is not among the tools that may undo 'open_ticket' "
    "(its contract names: close_ticket, delete_file)",
)

bad(
    "a compensation that would need approval",
    """
    steps:
      - {step: a, action: open_ticket, compensate: {tool: delete_file}}
    """,
    "2:55: COMPENSATION_UNGATED 'delete_file' needs approval, and this action has none that could cover it "
    "(give the action an 'approval', or the tool's contract 'autonomy: allowed')",
)

# --- times

bad(
    "times of zero and below",
    """
    steps:
      - {step: a, agent: architect, task: T, timeout: 0s}
      - step: b
        gate:
          approvers: tech_lead
          timeout: -5m
          on_timeout: escalate
          escalation: [{approvers: director, timeout: 0m}]
      - {step: c, agent: architect, task: T, retry: {first: 0ms}}
    """,
    "2:51: TIMEOUT_NOT_POSITIVE 'timeout' is 0s: no time at all (write a span above zero, such as '30m')",
    "6:16: TIMEOUT_NOT_POSITIVE 'timeout' is -5m: no time at all (write a span above zero, such as '30m')",
    "8:51: TIMEOUT_NOT_POSITIVE 'timeout' is 0m: no time at all (write a span above zero, such as '30m')",
    "9:57: TIMEOUT_NOT_POSITIVE 'first' is 0ms: no time at all (write a span above zero, such as '30m')",
)

bad(
    "times without a unit, or none",
    """
    steps:
      - {step: a, agent: architect, task: T, timeout: 30}
      - {step: b, agent: architect, task: T, timeout: soon}
      - {step: c, agent: architect, task: T, timeout: 999999d}
      - {step: d, agent: architect, task: T, timeout: PT5M}
    """,
    "2:51: BAD_VALUE 'timeout' is no span of time (write a unit, as in '30s' or '30m')",
    "3:51: BAD_VALUE 'timeout' is no span of time (write a duration such as '30m', '48h' or '1h30m')",
    "4:51: BAD_VALUE 'timeout' is no span of time (write at most 3650d)",
    "5:51: BAD_VALUE 'timeout' is no span of time (write a duration such as '30m', '48h' or '1h30m')",
)

bad(
    "a deadline's consequence without a deadline",
    """
    steps:
      - step: a
        gate: {approvers: tech_lead, on_timeout: escalate}
    """,
    "3:46: TIMEOUT_MISSING 'on_timeout' without a 'timeout' never comes (write 'timeout: 48h' beside it)",
)

bad(
    "a ladder that is never climbed",
    """
    steps:
      - step: a
        gate:
          approvers: tech_lead
          timeout: 1h
          escalation: [{approvers: director, timeout: 1h}]
    """,
    "6:19: BAD_VALUE the escalation is never climbed (write 'on_timeout: escalate' beside it)",
)

# --- arguments

bad(
    "arguments that do not fit",
    """
    steps:
      - step: a
        action: write_file
        with: {nam: x, size: big}
        approval: {approvers: tech_lead}
    """,
    "4:11: BAD_ARGUMENT the tool needs the argument 'name' (write 'name: …' under 'with')",
    "4:12: BAD_ARGUMENT the tool has no argument 'nam' (did you mean 'name'?)",
    '4:26: BAD_ARGUMENT size: "big" is not of type "integer" (write what its schema asks for)',
)


# --- what every step may have

bad(
    "a when that is no expression",
    """
    steps:
      - {step: a, agent: architect, task: T, when: 'alert.'}
    """,
    "2:55: EXPRESSION syntax error: no viable alternative at input '.'",
)

bad(
    "a class of failure that there is not",
    """
    steps:
      - step: a
        agent: architect
        task: T
        on_failure: {time_out: continue}
    """,
    "5:18: UNKNOWN_KEY 'on_failure' has no key 'time_out' (did you mean 'timed_out'?)",
)

bad(
    "a failure that leads nowhere",
    """
    steps:
      - step: a
        agent: architect
        task: T
        on_failure: {timed_out: mend, any: continu}
    """,
    "5:29: UNKNOWN_STEP unknown step 'mend' (known here: a, abort, continue, escalate)",
    "5:40: UNKNOWN_STEP unknown step 'continu' (did you mean 'continue'?)",
)

bad(
    "a fallback that there is not",
    """
    steps:
      - step: a
        agent: architect
        task: T
        on_failure: {any: {agent: reviewr}}
    """,
    "5:31: UNKNOWN_AGENT unknown agent 'reviewr' (did you mean 'reviewer'?)",
)

bad(
    "a fallback for what no agent does",
    """
    steps:
      - step: a
        steps:
          - {step: b, agent: architect, task: T}
        on_failure: {any: {agent: reviewer}}
    """,
    "5:23: BAD_VALUE only an agent can be stood in for by another agent (name a step, or write a list of steps)",
)

bad(
    "an effect behind a failure that nobody allowed",
    """
    steps:
      - step: a
        agent: architect
        task: T
        on_failure:
          - {step: b, action: write_file, with: {name: x}}
    """,
    "6:27: APPROVAL_UNGATED 'write_file' changes the world (write) and nobody is asked (give the action an "
    "'approval'; only the tool's contract, with 'autonomy: allowed', can free it)",
)

bad(
    "a group with no time at all",
    """
    steps:
      - step: a
        timeout: 0s
        steps:
          - {step: b, agent: architect, task: T}
    """,
    "3:14: TIMEOUT_NOT_POSITIVE 'timeout' is 0s: no time at all (write a span above zero, such as '30m')",
)

bad(
    "a variable that only a failure sets",
    """
    steps:
      - {step: a, agent: architect, task: '${{ late }}', on_failure: [{agent: reviewer, task: T, output: late}]}
    """,
    "2:44: READ_BEFORE_SET 'late' is read before any way here can have set it (it is set by the step in line 2)",
)
