"""What can be wrong with the agents of a workspace, runtime by runtime. Their models are in `contracts/mind.py`."""

import re
from collections.abc import Iterator, Mapping
from typing import assert_never
from urllib.parse import urlsplit

from contracts.mind import A2AAgent, Agent, CodeAgent, HttpAgent, McpAgent, ModelAgent, PeopleAgent, Thinking
from contracts.workspace import AgentsFile, PeopleFile, Tool
from language.entry import bad_name, bad_schema, missions_queue, no_time, unknown
from language.finding import Finding
from language.secret import check_key
from language.yaml_source import Value

CALLABLE = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*:[A-Za-z_]\w*", re.ASCII)


def modelled(file: AgentsFile) -> dict[str, Agent]:
    """Return the agents, each with the model that it thinks with as far as the file says, so that plans freeze it."""
    return {
        name: agent.model_copy(update={"model": agent.model or file.model})
        if isinstance(agent, Thinking) and agent.instructions
        else agent
        for name, agent in file.agents.items()
    }


def check_agents(
    file: AgentsFile, value: Value, tools: Mapping[str, Tool] | None, model: str | None = None
) -> Iterator[Finding]:
    """Find agents with bad names or schemas, and what only some runtimes can get wrong.

    `model` is what the environment names; where that is None, nobody asks yet what the agents think with.
    """
    for name, agent in file.agents.items():
        here = value.find("agents", name)
        yield from bad_name("an agent", name, value.find("agents"))
        yield from bad_schema(agent.output, here.find("output"), "output")
        yield from no_time(agent.timeout, here.find("timeout"))
        yield from missions_queue(agent.queue, here)
        yield from bad_degrading(agent, here)
        if tools is not None:
            yield from cannot_have(name, agent, here, tools)
        match agent:
            case CodeAgent():
                yield from bad_callable(agent, here)
                yield from bad_thinking(agent, here)
                yield from bad_words(agent, here)
            case ModelAgent():
                yield from bad_thinking(agent, here)
                if model == "" and not (agent.model or file.model):
                    yield no_model(name, here)
            case McpAgent():
                yield from no_use("a tool has", ("tools",), agent, here)
            case HttpAgent():
                yield from bad_remote(agent, here)
            case A2AAgent():
                yield from bad_remote(agent, here)
                yield from no_time(agent.ask_timeout, here.find("ask_timeout"), "ask_timeout")
            case PeopleAgent():
                yield from bad_people(agent, here)
            case _:
                assert_never(agent)


def cannot_have(name: str, agent: Agent, here: Value, tools: Mapping[str, Tool]) -> Iterator[Finding]:
    """Find tools that the agent cannot have: agents read, actions act."""
    for number, tool in enumerate(agent.hands()):
        place = here.place_of("tool") if isinstance(agent, McpAgent) else here.place_of("tools", number)
        yield from unknown("UNKNOWN_TOOL", "tool", tool, tools, place)
        if tool in tools and tools[tool].acts():
            message = f"the agent '{name}' cannot have '{tool}', which changes the world ({tools[tool].effect})"
            yield Finding("AGENT_ACTS", message, place, "let an action of the mission use it")


def bad_degrading(agent: Agent, here: Value) -> Iterator[Finding]:
    """Find a way down that leads nowhere."""
    if "cheaper" in agent.degrade and not (isinstance(agent, Thinking) and agent.cheaper):
        place = here.place_of("degrade", agent.degrade.index("cheaper"))
        yield Finding("MISSING_KEY", "'cheaper' is no model of this agent", place, "write 'cheaper: provider:name'")


def bad_callable(agent: CodeAgent, here: Value) -> Iterator[Finding]:
    if not CALLABLE.fullmatch(agent.callable):
        message = f"'{agent.callable}' is no callable"
        yield Finding("BAD_VALUE", message, here.place_of("callable"), "write 'package.module:function'")


def bad_words(agent: CodeAgent, here: Value) -> Iterator[Finding]:
    """Find words that are no property of the answer, and words that nobody is told to write."""
    properties = agent.output.get("properties", {})
    for name, sources in agent.words.items():
        place = here.find("words").key_places.get(name, here.place_of("words"))
        yield from unknown("BAD_VALUE", "property of 'output'", name, properties, place)
        exact = properties.keys() - agent.words.keys()
        for number, source in enumerate(sources):
            place = here.place_of("words", name, number)
            yield from unknown("BAD_VALUE", "property that the code gives", source, exact, place)
    if agent.words and not agent.instructions.strip():
        message = "'words' of an agent that has no instructions"
        yield Finding("BAD_VALUE", message, here.place_of("words"), "write 'instructions', or leave it out")


def bad_thinking(agent: Thinking, here: Value) -> Iterator[Finding]:
    """Find instructions that say nothing, no time to begin in, and a model for what nobody thinks."""
    yield from no_time(agent.first_token, here.find("first_token"), "first_token")
    if "instructions" in agent.model_fields_set and not agent.instructions.strip():
        yield Finding("BAD_VALUE", "'instructions' is empty", here.place_of("instructions"), "write them")
    for key in ("model", "final_model", "cheaper"):
        if getattr(agent, key) and not agent.instructions.strip():
            message = f"'{key}' of an agent that has no instructions"
            yield Finding("BAD_VALUE", message, here.place_of(key), "write 'instructions', or leave it out")


def bad_remote(agent: HttpAgent | A2AAgent, here: Value) -> Iterator[Finding]:
    """Find tools that an agent elsewhere would not get, no address, and no pause between two looks."""
    yield from no_use("an agent elsewhere has", ("tools",), agent, here)
    yield from no_time(agent.poll, here.find("poll"), "poll")
    yield from check_key(agent.key, here)
    try:
        parts = urlsplit(agent.url)
        fine = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.username is None
    except ValueError:
        fine = False
    if not fine:
        message = f"'{agent.url}' is no address"
        mend = "write 'https://host/path'; a token stands in the variable that 'key_env' names"
        yield Finding("BAD_VALUE", message, here.place_of("url"), mend)


def no_use(who: str, keys: tuple[str, ...], agent: Agent, here: Value) -> Iterator[Finding]:
    for key in keys:
        if key in agent.model_fields_set:
            yield Finding("BAD_VALUE", f"{who} no use for '{key}'", here.place_of(key), "leave it out")


def bad_people(agent: PeopleAgent, here: Value) -> Iterator[Finding]:
    """Find what people have no use for: they are asked by the mission itself."""
    yield from no_use("people have", ("tools", "queue"), agent, here)


def check_answering(file: AgentsFile, value: Value, people: PeopleFile) -> Iterator[Finding]:
    """Find whom an agent turns to and who is neither a role that somebody holds nor a person."""
    known = {*people.roles(), *people.people}
    asked = (
        (name, key, number, who)
        for name, agent in file.agents.items()
        for key in ("by", "ask")
        for number, who in enumerate(getattr(agent, key, ()))
    )
    for name, key, number, who in asked:
        place = value.find("agents", name).place_of(key, number)
        yield from unknown("UNKNOWN_PERSON", "role or person", who, known, place)


def no_model(name: str, here: Value) -> Finding:
    message = f"nothing says which model the agent '{name}' thinks with"
    mend = "write 'model: provider:name' for it, or for all at the top of the file, or set GONOGO_MODEL"
    return Finding("MISSING_KEY", message, here.place, mend)
