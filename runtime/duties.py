"""What a worker can do, by the queues that it serves: missions are carried out, agents think, tools act.

Law: a worker holds nothing that its queues do not need. On the missions' queue nobody acts or thinks, however the task
that comes there was forged; agents get the tools that they read with; executors get the tools of their queues and what
reaches these. `worker.py` runs what is put together here.
"""

import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from temporalio.client import Client
from temporalio.exceptions import ApplicationError

from activities import later, service_keys
from activities.actions import ActionExecutor
from activities.admission import Admissions
from activities.agents import AgentRunner
from activities.arrival import Arrivals
from activities.assent import Assents
from activities.authority import Authority
from activities.bench import Stores
from activities.books.account import Accounts
from activities.books.answer import Answers
from activities.books.breaker import Breakers
from activities.books.database import Database
from activities.books.price import Prices
from activities.books.request import Requests
from activities.broker import Broker
from activities.charter import Charters
from activities.content import ContentStore
from activities.fuse import ENDPOINT, Fuse
from activities.governance import Governance
from activities.halts import Lookout, Stands
from activities.identity import Judge
from activities.kin import Kin
from activities.knowledge import Library
from activities.later import RATE_LIMIT
from activities.lineage import ServerLineage
from activities.locks import Locksmith
from activities.mcp_tools import ToolServers
from activities.meaning import Meaning
from activities.notify import Notifier
from activities.outward import Outward
from activities.past import Historian
from activities.people import Directory
from activities.plans import Loader
from activities.policy import Policy
from activities.purse import DATABASE, Purse, thinker_of
from activities.receipt import Receipts
from activities.runtimes.cast import Cast
from activities.runtimes.model import Provider
from activities.scales import Scales
from activities.seal import Seal
from activities.shelf import Shelf
from activities.strongbox import Strongbox
from activities.watcher import Watcher
from contracts.mind import Agent
from contracts.money import BUDGET
from contracts.workspace import MISSION_QUEUE, Server, Tool, Workspace
from language.workspace import RISK
from runtime.payloads import sealing
from runtime.settings import Settings
from runtime.vigil import Vigil

Activities = list[Callable[..., Any]]


@dataclass(frozen=True)
class Holding:
    """What a workspace has for the workers of some queues."""

    workspace: Workspace
    queues: frozenset[str]

    def agents(self) -> dict[str, Agent]:
        """Return the agents of these queues."""
        known = self.workspace.agents.items()
        return {name: one for name, one in known if one.served_on() in self.queues and one.runtime != "people"}

    def acting(self) -> dict[str, Tool]:
        """Return the tools that are carried out on these queues."""
        return {name: tool for name, tool in self.workspace.tools.items() if tool.served_on() in self.queues}

    def reading(self) -> dict[str, Tool]:
        """Return the tools that the agents of these queues read with."""
        named = {name for agent in self.agents().values() for name in agent.hands()}
        return {name: tool for name, tool in self.workspace.tools.items() if name in named and not tool.acts()}

    def servers(self) -> dict[str, Server]:
        """Return the servers of all of these tools."""
        named = {tool.server for tool in (*self.acting().values(), *self.reading().values())}
        return {name: server for name, server in self.workspace.servers.items() if name in named}


class Duties:
    """The activities of one process, made as far as its queues need them."""

    def __init__(
        self,
        client: Client,
        settings: Settings,
        workspace: Workspace,
        queues: Iterable[str],
        *,
        locksmith: Locksmith | None = None,
        lookout: Lookout | None = None,
        keeps_books: bool = True,
    ) -> None:
        self._client, self._settings, self._workspace = client, settings, workspace
        self._holding = Holding(workspace, frozenset(queues))
        self._directory = Directory(*settings.people_files())
        signed = workspace.security.require_signed
        self._policy = Policy(settings.workspace, self._directory, workspace.agents, workspace.tools, signed)
        scales = Scales(settings.workspace / RISK)
        self._governance = Governance(self._directory, self._policy, scales, workspace.tools)
        self._lineage = ServerLineage(client)
        self._locksmith = locksmith or Locksmith(client)
        self._given_lookout = lookout
        needs_books = MISSION_QUEUE in self._holding.queues or bool(self._holding.agents())
        self._database = Database(settings.books()) if keeps_books and needs_books else None
        self._seal = sealing(settings.payload_keys)
        self._outward = Outward(workspace.security.allow_hosts)
        self._strongbox = Strongbox()
        self._servers = ToolServers(self._holding.servers(), outward=self._outward, strongbox=self._strongbox)

    def on(self, queue: str) -> Activities:
        """Return what is done on one queue."""
        holding = Holding(self._workspace, frozenset((queue,)))
        return [
            *(self.orchestrating() if queue == MISSION_QUEUE else ()),
            *(self._thinking if holding.agents() else ()),
            *(self._acting if holding.acting() else ()),
        ]

    def orchestrating(self) -> Activities:
        """Return what missions are carried out with. Nothing here changes the world."""
        client, directory, required = self._client, self._directory, self._workspace.security.require_signed
        kin = Kin(client, self._lineage)
        requests = Requests(self._database) if self._database else None
        beside: dict[str, Any] = {"outward": self._outward, "strongbox": self._strongbox}
        notifier = Notifier(self._workspace.notify, directory, web=self._settings.web, requests=requests, **beside)
        return [
            Admissions(client, directory, self._policy, self._models, required, governance=self._governance).admit,
            Judge(directory, Arrivals(client), policy=self._policy, governance=self._governance).judge,
            self._locksmith.ask,
            self._locksmith.release,
            self._lookout.watch,
            Loader(self._policy, self._models).load,
            Historian(client).read,
            notifier.send,
            *(kin.find, kin.watch, kin.stop, kin.undo, kin.parent),
        ]

    def _models(self, name: str, planned: Agent) -> tuple[str, ...]:
        """Return the models that an agent thinks with, by their names; none where no worker of ours would run it."""
        known, place = self._workspace.agents.get(name), self._settings
        named = Cast(Provider(model=place.model, url=place.model_url, plays=place.model_for))
        try:
            return thinker_of(named.play(name, known, planned)).models if known is not None else ()
        except ApplicationError:
            return ()

    @cached_property
    def _thinking(self) -> Activities:
        """Return what agents think with: their models, and tools that read."""
        tools = self._holding.reading()
        cast = Cast(_provider(self._settings), tools, outward=self._outward, strongbox=self._strongbox)
        beside = {**self._money, "stores": _stores(self._settings, self._workspace, self._seal)}
        beside["assents"] = Assents(self._directory, self._lineage)
        agents = AgentRunner(
            self._holding.agents(), tools, self._servers, self._lookout, cast, policy=self._policy, **beside
        )
        return [agents.run, Watcher(self._client, agents).watch]

    @cached_property
    def _acting(self) -> Activities:
        """Return what carries actions out, and checks the right to."""
        authority = Authority(
            self._workspace.tools,
            self._directory,
            self._lineage,
            policy=self._policy,
            governance=self._governance,
        )
        broker = Broker(self._settings.home, self._workspace.servers, self._lineage)
        charters = Charters(self._client, self._directory, self._lineage, self._workspace.security.require_signed)
        beside: dict[str, Any] = {"broker": broker, "receipts": self._receipts(), "charters": charters}
        return [ActionExecutor(self._holding.acting(), self._servers, authority, self._lookout, **beside).execute]

    def _receipts(self) -> Receipts | None:
        """Return what signs receipts. `KeyRefused` where they are required, or there is a key that cannot be used."""
        home = self._settings.home
        path = service_keys.private_path(home, "executor")
        if not path.exists() and not self._workspace.security.require_receipts:
            logging.getLogger(__name__).warning("%s is not there: this executor signs no receipts", path)
            return None
        return Receipts(
            service_keys.private(home, "executor"), self._directory, self._lineage, self._governance.version
        )

    def vigil(self) -> Vigil:
        """Return what looks whether the rules have changed."""
        return Vigil(self._client, self._governance)

    async def close(self) -> None:
        """Let go of connections."""
        await self._servers.close()
        if self._database is not None:
            await self._database.close()

    @cached_property
    def _lookout(self) -> Lookout:
        return self._given_lookout or Lookout(self._client, beside=self._waited_for)

    @cached_property
    def _money(self) -> dict[str, Any]:
        """Return what stands around agents."""
        if self._database is None:
            return {}
        accounts = Accounts(self._database)
        purse = Purse(accounts, Prices(self._workspace.money.prices), self._workspace.money.quotas, self._seal)
        shelf = Shelf(Answers(self._database, seal=self._seal), accounts, purse, self._workspace.tools)
        return {"purse": purse, "shelf": shelf, "fuse": Fuse(Breakers(self._database, seal=self._seal))}

    @property
    def _waited_for(self) -> Mapping[str, Stands]:
        """Return what keeps agents waiting that nobody halted."""
        beside: dict[str, Stands] = {RATE_LIMIT: later.stands}
        if self._money:
            purse, fuse = self._money["purse"], self._money["fuse"]
            beside |= {BUDGET: purse.stands, DATABASE: purse.readable, ENDPOINT: fuse.stands}
        return beside


def _provider(settings: Settings) -> Provider:
    """Return the language model that the environment names."""
    key = settings.model_key.get_secret_value()
    return Provider(model=settings.model, url=settings.model_url, key=key, plays=settings.model_for)


def _stores(settings: Settings, workspace: Workspace, seal: Seal) -> Stores:
    folders = {name: Path(folder) for name, folder in workspace.knowledge.items()}
    there = settings.model_url, settings.model_key.get_secret_value()
    meaning = Meaning(settings.embeddings, *there) if settings.embeddings else None
    return Stores(ContentStore(settings.contents(), seal), Library(folders, meaning))
