"""Who thinks: the contracts of agents in `agents.yaml`, one model for each runtime.

The law: no contract gives an agent an effect. What it may call reads, and what it answers fits `output`. The halves
that run them are `activities/runtimes/`; `language/minds.py` reads them strictly.
"""

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from contracts.base import Document
from contracts.duration import Duration

MISSION_QUEUE = "gonogo"
"""Of the missions alone: no worker that serves it can act or think."""
AGENT_QUEUE = "gonogo-agents"

Degrading = Literal["cached", "cheaper", "people"]
"""An answer of before, however old; another model; people who say how to go on."""


class Mind(Document):
    """What all agents have.

    `output` is a JSON Schema that every answer must fit. An answer whose `confidence` is below `confidence_floor`
    (both 0 to 1) takes the step's `below_floor` way before the mission goes on. One whose `subject` is none of
    `expertise` is put before people. `degrade` says what is done instead, in this order, when whom it asks does not
    answer.
    """

    description: str = ""
    team: str = ""
    queue: str = AGENT_QUEUE
    tools: tuple[str, ...] = ()
    output: dict[str, Any] = Field(default_factory=dict)
    confidence_floor: float | None = Field(default=None, ge=0, le=1)
    expertise: tuple[str, ...] = ()
    degrade: tuple[Degrading, ...] = ()
    timeout: Duration = Field(default="2m", validate_default=True)

    def served_on(self) -> str:
        """Return the queue of its workers. Plans from before say the missions' own, where nobody thinks any more."""
        return AGENT_QUEUE if self.queue == MISSION_QUEUE else self.queue

    def hands(self) -> tuple[str, ...]:
        """Return the tools that it may call, where they read."""
        return self.tools

    def reads(self) -> tuple[str, ...]:
        """Return the collections of documents that it may search."""
        return ()


class ThinkingLimits(Document):
    """How far a model goes for one answer: calls of the model, calls of tools, tokens in and out together."""

    turns: int = Field(default=20, ge=1, le=500)
    tool_calls: int = Field(default=50, ge=0, le=5_000)
    tokens: int | None = Field(default=None, ge=1)


class Thinking(Mind):
    """What a language model is told. `final_model` writes the answer where that is another than calls the tools.

    `cheaper` thinks instead once much of what may be spent is spent, or where `degrade` says so.

    An answer that does not fit is handed back to the model `output_retries` times. `first_token` is how long a model
    may say nothing. An agent of code that has `instructions` is played by a model where the worker is told of one.
    """

    knowledge: tuple[str, ...] = ()
    instructions: str = ""
    model: str = ""
    final_model: str = ""
    cheaper: str = ""
    temperature: float | None = Field(default=None, ge=0, le=2)
    output_retries: int = Field(default=2, ge=0, le=10)
    first_token: Duration = Field(default="60s", validate_default=True)
    limits: ThinkingLimits = ThinkingLimits()

    def reads(self) -> tuple[str, ...]:
        """Return the collections of documents that it may search."""
        return self.knowledge


def _words_said(value: Any) -> Any:
    """Return the words of an agent. Frozen plans spell that there are none as an empty list."""
    return {} if value == [] else value


class CodeAgent(Thinking):
    """Code thinks: `callable` is `package.module:function`.

    Where a model plays it, `words` are the properties of `output` that the model writes, each from the properties named
    beside it; the code gives all others.
    """

    runtime: Literal["code"] = "code"
    callable: str
    words: Annotated[dict[str, tuple[str, ...]], BeforeValidator(_words_said)] = Field(default_factory=dict)


class ModelAgent(Thinking):
    """A language model thinks."""

    runtime: Literal["model"] = "model"
    instructions: str = Field(min_length=1)


class McpAgent(Mind):
    """One tool of the workspace answers, which only reads: its arguments are taken from the context by its contract."""

    runtime: Literal["mcp"] = "mcp"
    tool: str

    def hands(self) -> tuple[str, ...]:
        """Return the tools that it may call, where they read."""
        return (self.tool,)


class Remote(Mind):
    """An agent at an address.

    `url_env`, when that variable is set, wins over `url`; `key` names the secret that is sent as a bearer token
    (`contracts/secret.py`), `key_env` the variable that holds one; `poll` is the pause between two
    looks at work that takes long.
    """

    url: str
    url_env: str = ""
    key: str = ""
    key_env: str = ""
    poll: Duration = Field(default="2s", validate_default=True)


class HttpAgent(Remote):
    """A remote agent answers, at an address that takes a POST of JSON.

    One that answers `202` is asked again at its `Location` after `poll`, or when it says.
    """

    runtime: Literal["http"] = "http"


class A2AAgent(Remote):
    """A remote agent answers over A2A. Its card lies at `url`.

    What it asks while it works (`input-required`) is put to `ask`, roles or people, or else to the workspace's
    escalation role; they have `ask_timeout` for it.
    """

    runtime: Literal["a2a"] = "a2a"
    ask: tuple[str, ...] = ()
    ask_timeout: Duration = Field(default="1d", validate_default=True)


class PeopleAgent(Mind):
    """People do the step: whoever of `by`, roles or people, answers first. They have `timeout` for it."""

    runtime: Literal["people"] = "people"
    by: tuple[str, ...] = Field(min_length=1)
    output: dict[str, Any] = Field(min_length=1)
    timeout: Duration = Field(default="1d", validate_default=True)


def _runtime_said(value: Any) -> Any:
    """Return what a person wrote with its runtime: `code` where it is not said."""
    return {"runtime": "code", **value} if isinstance(value, dict) else value


Agent = Annotated[
    Annotated[CodeAgent | ModelAgent | McpAgent | HttpAgent | A2AAgent | PeopleAgent, Field(discriminator="runtime")],
    BeforeValidator(_runtime_said),
]
