"""The form of a mission as an author writes it: every key of every map, its type, its default, what it is for.

The law: the one description of keys. The tables of the reference and the JSON Schema are made from it, and tests hold
that `step_form.py`, `kind_form.py` and `loader.py` take exactly these keys. A new kind of step is one entry in `STEPS`,
with a page.
"""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Key:
    """One key: its type is a name in `key_type.py`, or a number's bounds as `1 to 100`."""

    type: str
    words: str
    default: str = ""
    required: bool = False


Keys = Mapping[str, Key]

COMMON: Keys = {
    "step": Key("name", "the step's name, unique in the mission; needed in lists of `steps`"),
    "needs": Key("names", "steps of the same list that must have ended before"),
    "output": Key("variable", "the variable that the result becomes"),
    "default": Key("value", "what that variable is until the step has set it; needs `output`", "none: it is not there"),
    "when": Key("expression", "asked once, when the step comes up; where it is false the step is skipped", "it runs"),
    "retry": Key("retry", "how often it is tried; more than once, it is undone and tried again as a whole", "once"),
    "timeout": Key("duration", "how long one attempt may take", "for ever"),
    "locks": Key("templates", "what no other step may hold while it runs ([locks](locks.md))", "none"),
    "on_failure": Key("ways", "where control goes when it fails, for all failures or by class", "the failure spreads"),
}
"""What a step of every kind may have."""

EFFORT: Keys = {
    "retry": Key("retry", "how often it is tried; a tool that may not be repeated is tried once", "3 attempts"),
    "timeout": Key("duration", "how long one attempt may take", "what `agents.yaml` or `tools.yaml` says"),
}

GATE: Keys = {
    "type": Key("approval", "what is asked", "`approval`"),
    "approvers": Key("names", "roles or people, any of whom may decide; needed without `from`", "the roles in `from`"),
    "required": Key("1 to 100", "how many of them must approve", "1, or what the tool's contract asks for"),
    "from": Key("seats", "how many of each role must be among those who approve, each person for one role", "any"),
    "exclude": Key(
        "excluded", "who may not decide, whatever their roles; the requester only where it is `nobody`", "`requester`"
    ),
    "reject_quorum": Key("1 to 100", "how many must reject, or ask for changes, to end it", "1"),
    "message": Key("template", "what they read"),
    "context": Key("names", "variables that they are shown"),
    "timeout": Key("duration", "how long they have", "for ever"),
    "remind": Key("durations", "when they are reminded, counted from when they were asked", "never"),
    "on_timeout": Key("silence", "what the deadline means; silence never approves", "`refuse`"),
    "escalation": Key("rungs", "who is asked next, with `on_timeout: escalate`", "the workspace's escalation role"),
    "on_reject": Key("target", "where a rejection leads", "`abort`"),
    "when_paused": Key("clock", "whether its clock stands while the mission is paused, or runs on", "`freeze`"),
    "on_changes": Key("target", "what is done when people ask for changes; then they are asked anew", "a rejection"),
}

FORMS: Mapping[str, Keys] = {
    "gate": GATE,
    "rung": {
        "approvers": Key("names", "roles or people who are asked next; needed without `from`", "the roles in `from`"),
        "required": Key("1 to 100", "how many of them must approve", "with `from` its seats, else as the gate"),
        "from": Key(
            "seats", "how many of each role must be among those who approve", "with `required` any, else as the gate"
        ),
        "timeout": Key("duration", "how long they have", required=True),
        "remind": Key("durations", "when they are reminded, counted from when they were asked", "never"),
        "on_timeout": Key("last resort", "what silence means in the end; of the last rung alone", "`refuse`"),
    },
    "retry": {
        "attempts": Key("1 to 100", "tries in all", "3"),
        "first": Key("duration", "the wait before the second try", "1s"),
        "factor": Key("1.0 to 10.0", "how much longer each wait is than the one before", "2"),
        "most": Key("duration", "the longest wait", "1m"),
    },
    "condition": {
        "if": Key("expression", "what is asked; it must answer true or false", required=True),
        "then": Key("target", "where true leads", required=True),
        "else": Key("target", "where false leads", "`continue`"),
    },
    "loop": {
        "do": Key("target", "what is done each round", required=True),
        "until": Key("expression", "asked after each round; true ends the loop", required=True),
        "max_iterations": Key("1 to 1000", "the most rounds", required=True),
        "on_max": Key("target", "where it leads when the last round was not enough", "`escalate`"),
    },
    "fallback": {
        "agent": Key("agent", "who does the same task instead", required=True),
        "else": Key("way", "where control goes when that one fails too", "the failure spreads"),
    },
    "map": {
        "over": Key("expression", "answers the list, once", required=True),
        "as": Key("variable", "what an item is called inside", "`item`"),
        "key": Key("expression", "answers a text that names an item in step paths", "its index"),
        "do": Key("target", "what is done for each item", required=True),
        "max_concurrency": Key("1 to 500", "how many items are under way at once", "10"),
        "tolerate": Key("tolerance", "how many items may fail, as a number or a share", "none"),
    },
    "wait": {
        "for": Key("duration", "how long it waits"),
        "until": Key("expression", "answers the moment until which it waits, as RFC 3339 text"),
        "event": Key("text", "the name of what must happen"),
        "key": Key("template", "which of its kind: the event's `key` must be this text"),
        "schema": Key("schema", "JSON Schema that the event's payload must fit", "any"),
    },
    "review": {
        "reviewers": Key("names", "roles or people who may object", required=True),
        "timeout": Key("duration", "how long they have", required=True),
        "message": Key("template", "what they read"),
        "context": Key("names", "variables that they are shown"),
        "on_object": Key("target", "where an objection leads", "`abort`"),
    },
    "canary": {
        "stages": Key("stages", "the stages, as whole numbers that grow", required=True),
        "sandbox": Key("part", "an action that is the first stage, with `stage` 0", "there is none"),
        "do": Key("part", "the action of each stage; needs `compensate` where it changes the world", required=True),
        "last": Key("gate", "who must approve the last stage, instead of the `approval` of `do`", "as any stage"),
        "bake": Key("duration", "how long a stage stands before it is looked at", required=True),
        "probe": Key("part", "who looks at a stage: an agent, or an action that only reads", required=True),
        "healthy": Key("expression", "whether what the probe found, `result`, is good enough", required=True),
        "incident": Key("part", "the action that tells of a breach; may read `stage` and `result`", required=True),
    },
    "plan": {
        "agent": Key("agent", "who plans; its answers have a list of `steps`", required=True),
        "task": Key("template", "what is to be planned", required=True),
        "context": Key("names", "variables that the planner gets, beside `planning`"),
        "allow": Key("allow", "what a plan may hold; nothing else", required=True),
        "attempts": Key("1 to 10", "plans in all; a refused one goes back with what is wrong", "3"),
        "max_steps": Key("1 to 100", "steps of a plan, those inside others counted", "30"),
        "revise": Key("flag", "whether a plan that people rejected goes back too, with their words", "`false`"),
    },
    "allow": {
        "kinds": Key("names", "kinds of steps, by the keys that make them; never `plan` or `mission`", required=True),
        "agents": Key("names", "agents, by their names in `agents.yaml`", "none"),
        "tools": Key("names", "tools that may act; those that undo them may undo them", "none"),
        "approvers": Key("names", "roles or people whom a plan may ask", "those of the step's `approval`"),
    },
    "party": {
        "topic": Key("template", "what they talk about", required=True),
        "members": Key("names", "the agents who talk, 2 to 20", required=True),
        "context": Key("names", "variables that each of them gets"),
        "options": Key("names", "the positions that may be taken", "any text"),
        "turns": Key("turns", "who speaks when", "`round_robin`"),
        "moderator": Key("agent", "who names the next, with `turns: moderator`"),
        "consensus": Key("consensus", "what counts as agreement", "`unanimous`"),
        "threshold": Key("0.01 to 1.0", "the share that must agree, with `consensus: threshold`"),
        "judge": Key("agent", "who says whether it is settled, with `consensus: judge`"),
        "least_rounds": Key("1 to 100", "rounds before which no agreement ends it", "1"),
        "rounds": Key("1 to 100", "the most rounds; with a moderator a round is one turn", required=True),
        "tokens": Key("1 to 10000000", "what all calls together may take", required=True),
        "window": Key("100 to 60000", "tokens of the transcript that each agent gets, the newest turns", "4000"),
        "facilitator": Key("names", "roles or people who may speak between turns", "nobody"),
        "stall": Key("1 to 100", "rounds in which no stance moves, after which it ends", "it goes on"),
        "on_stall": Key("target", "where such an end leads, `escalate` to ask people", "`continue`"),
    },
    "allowance": {
        "agents": Key("names", "agents that it may name", "none"),
        "tools": Key("names", "tools that it may name, compensating ones included", "none"),
    },
    "compensation": {
        "tool": Key("tool", "the tool that undoes the action", required=True),
        "with": Key("arguments", "its arguments; may read `result`", "those of the action that it knows"),
        "retry": Key("retry", "how often it is tried before people are asked", "what `tools.yaml` says, or 3 attempts"),
    },
    "dead-letter": {
        "timeout": Key("duration", "how long it waits; then what the mission did is undone", "for ever"),
    },
    "budget": {
        "usd": Key("0.000001 to 1000000000.0", "US dollars, by the prices of the models", "any"),
        "tokens": Key("1 to 1000000000000000", "tokens in and out, of all models", "any"),
        "agent_runs": Key("1 to 1000000000000", "how often agents are asked, retries included", "any"),
        "time": Key("duration", "from the mission's start, waits for people included", "any"),
        "soft": Key("0.01 to 1.0", "the share of each from which on operators are told", "0.8"),
    },
    "verdict": {
        "one_of": Key("names", "the words in which the mission may end", required=True),
        "value": Key("expression", "asked at the end; answers one of them", required=True),
    },
}
"""Maps inside steps and missions, by the type that names them."""

MISSION: Keys = {
    "mission": Key("mission name", "its name, which is the workflow's type", required=True),
    "version": Key("text", "its version; quote it where it looks like a number", required=True),
    "team": Key("text", "whose it is", required=True),
    "author": Key("names", "the people who wrote it; a gate may exclude them", "not said"),
    "description": Key("text", "what it is for"),
    "inputs": Key("inputs", "JSON Schema of type object; each property is a variable", "no inputs"),
    "verdict": Key("verdict", "what it must reach", required=True),
    "operators": Key("names", "roles or people whose commands count", "the `operators` of `people.yaml`"),
    "dead_letter": Key("dead-letter", "lets the mission wait with a failure for its operators", "it is undone at once"),
    "budget": Key("budget", "the most that it may spend", "what the team's quota leaves"),
    "on_failure": Key("mission ways", "where failures lead that its steps do not provide for", "they spread"),
    "steps": Key("steps", "what is done, in order or as the graph that `needs` make", required=True),
}

STEPS: Mapping[str, Keys] = {
    "agent": {
        "agent": Key("agent", "who does it, by its name in `agents.yaml`", required=True),
        "task": Key("template", "what to do", required=True),
        "context": Key("names", "variables that the agent gets; it gets nothing else"),
        "below_floor": Key("target", "where an answer below the agent's `confidence_floor` leads", "`escalate`"),
        "watch": Key("agent", "who [reads along](agent.md#watched) and may object", "nobody"),
        "cache": Key(
            "duration", "how long an answer is good to be [used again](agent.md#an-answer-that-is-used-again)", "none"
        ),
        **EFFORT,
    },
    "parallel": {"parallel": Key("branches", "the steps that run at once", required=True)},
    "gate": {"gate": Key("gate", "what is asked, of whom, for how long", required=True)},
    "condition": {"condition": Key("condition", "the question and its two ways on", required=True)},
    "loop": {"loop": Key("loop", "what is repeated, and until when", required=True)},
    "action": {
        "action": Key("tool", "what acts, by its name in `tools.yaml`", required=True),
        "with": Key("arguments", "its arguments; people see exactly them", "none"),
        "compensate": Key("compensation or tool", "what undoes it"),
        "approval": Key("gate", "who must approve; needed where the tool changes the world"),
        **EFFORT,
    },
    "steps": {
        "steps": Key("steps", "the steps that belong together", required=True),
        "approval": Key(
            "gate", "who must approve all actions in it at once; it then holds nothing else", "each its own"
        ),
    },
    "map": {"map": Key("map", "the list, and what is done for each of its items", required=True)},
    "race": {
        "race": Key("branches", "the steps that run at once; none of them may act", required=True),
        "good": Key("expression", "whether an answer, `result`, is good enough to win", "any is"),
    },
    "wait": {"wait": Key("wait", "one of a span, a moment or an event", required=True)},
    "review": {"review": Key("review", "who is told, and for how long they may object", required=True)},
    "canary": {"canary": Key("canary", "the stages, what is done at each, and how it is judged", required=True)},
    "plan": {
        "plan": Key("plan", "who plans, and within what bounds", required=True),
        "approval": Key("gate", "who must approve a plan before it runs", "nobody is asked"),
    },
    "party": {"party": Key("party", "who talks about what, until when", required=True)},
    "mission": {
        "mission": Key("mission", "the mission to start, by its folder in the workspace", required=True),
        "with": Key("arguments", "its inputs", "none"),
        "accept": Key("names", "its verdicts that are a success; any other end fails the step", required=True),
        "on_parent_close": Key("closing", "what becomes of it when this mission comes to nothing", required=True),
        "allow": Key("allowance", "the most that it, and what it starts, may use", "what this mission's own steps use"),
    },
}
"""The kinds of steps: the first key of each is the one that makes a step of that kind."""


def keys_of(kind: str) -> dict[str, Key]:
    """Return every key that a step of a kind may have."""
    return {**COMMON, **STEPS[kind]}


def forms_of(keys: Keys) -> list[str]:
    """Return the maps that keys lead to, each once, and those that these lead to."""
    found: list[str] = []
    for key in keys.values():
        name = {"rungs": "rung", "compensation or tool": "compensation", "ways": "fallback"}.get(key.type, key.type)
        if name in FORMS:
            found += [name, *forms_of(FORMS[name])]
    return list(dict.fromkeys(found))
