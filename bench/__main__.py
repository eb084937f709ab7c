"""`make bench`: the interpreter against a workflow written by hand, in turn, on one server.

Rounds alternate between the kinds, so that drift of the machine meets all alike; ratios are taken within a round.
Reported are medians over rounds; the last line is one JSON object. What each figure means is in `docs/performance.md`.
"""

import argparse
import asyncio
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
import uuid
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from temporalio import activity
from temporalio.client import Client
from temporalio.common import SearchAttributePair, TypedSearchAttributes
from temporalio.worker import Worker

from activities import keys
from bench.five_steps import BY_HAND_QUEUE, DRIVER_QUEUE, WORKER_QUEUE, plan
from contracts.call import RUN_AGENT, AgentCall, AgentResult, Usage
from contracts.decision import DECIDE, Claims, Opening
from contracts.plan import CURRENT, MissionInput
from contracts.view import GATES, GatesQuery, GatesView
from runtime.payloads import data_converter
from starter.server import DevServer
from workflows.board import STATE

MISSION, BY_HAND = KINDS = "mission", "by hand"
ALERT = {"host": "web-01", "user": "kim", "severity": 4, "related": ["e1", "e2", "e3"]}
MORE = 10
"""Steps that are added to see what one step costs."""
TICK = os.sysconf("SC_CLK_TCK")


@dataclass
class Round:
    """What one round of missions took: seconds each and in all, worker CPU seconds in all."""

    latencies: list[float] = field(default_factory=list)
    wall: float = 0.0
    cpu: float = 0.0

    def per_second(self) -> float:
        return len(self.latencies) / self.wall


Rounds = dict[tuple[str, int], list[Round]]
"""By kind and number at once."""


class Driver:
    """Starts missions, decides at their gates, waits for their ends."""

    def __init__(self, client: Client, home: Path, worker_pid: int) -> None:
        self._client = client
        self._home = home
        self._pid = worker_pid
        self._plan = plan()
        self._opening: dict[str, asyncio.Event] = {}

    @activity.defn(name=RUN_AGENT)
    async def correlate(self, call: AgentCall) -> AgentResult:
        """Answer at once, and note that this mission's gate is about to open."""
        self._opening[call.mission].set()
        return AgentResult(output={"verdict": "handled"}, usage=Usage(agent_runs=1))

    async def round(self, kind: str, count: int, at_once: int) -> Round:
        """Run `count` missions, `at_once` at a time."""
        limit = asyncio.Semaphore(at_once)
        found = Round()

        async def one() -> None:
            async with limit:
                started = time.perf_counter()
                await self.mission(kind)
                found.latencies.append(time.perf_counter() - started)

        before, started = self._cpu(), time.perf_counter()
        await asyncio.gather(*(one() for _ in range(count)))
        found.wall = time.perf_counter() - started
        found.cpu = self._cpu() - before
        return found

    async def mission(self, kind: str, more: int = 0) -> str:
        """Run one from start to end, with so many steps more, and return its id."""
        id_ = f"bench-{uuid.uuid4().hex}"
        self._opening[id_] = asyncio.Event()
        if kind == MISSION:
            chosen = plan(more) if more else self._plan
            argument: Any = MissionInput(plan=chosen, inputs={"alert": ALERT}, requested_by="rita", limits=CURRENT)
            name, queue = "bench", WORKER_QUEUE
            attributes = TypedSearchAttributes([SearchAttributePair(STATE, "running")])
        else:
            argument = {"alert": ALERT, "more": more, "requested_by": "rita"}
            name, queue, attributes = "bench_by_hand", BY_HAND_QUEUE, TypedSearchAttributes.empty
        handle = await self._client.start_workflow(
            name, argument, id=id_, task_queue=queue, search_attributes=attributes
        )
        await self._opening[id_].wait()
        del self._opening[id_]
        opening = await self._gate(handle)
        await handle.signal(DECIDE, self._token(opening))
        await handle.result()
        return id_

    async def events(self, id_: str) -> int:
        history = await self._client.get_workflow_handle(id_).fetch_history()
        return len(history.events)

    async def _gate(self, handle: Any) -> Opening:
        while True:
            view = await handle.query(GATES, GatesQuery(), result_type=GatesView)
            if view.gates:
                return view.gates[0]
            await asyncio.sleep(0.005)

    def _token(self, opening: Opening) -> str:
        seconds = int(time.time())
        claims = Claims(
            iss="lea",
            jti=uuid.uuid4().hex,
            iat=seconds,
            exp=seconds + 300,
            mission=opening.subject.mission,
            run=opening.subject.first_run_id,
            step=opening.subject.step,
            nonce=opening.nonce,
            digest=opening.digest,
            verb="approve",
        )
        return keys.sign(self._home, "lea", claims)

    def _cpu(self) -> float:
        """CPU seconds that the worker process has used, user and system."""
        words = Path(f"/proc/{self._pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(words[11]) + int(words[12])) / TICK


def quantile(values: list[float], share: float) -> float:
    """Return the value below which a share of all lie."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


async def measure(driver: Driver, options: argparse.Namespace) -> Rounds:
    """Run warm-up and rounds; return them by kind and concurrency."""
    rounds: Rounds = {}
    for kind in KINDS:
        await driver.round(kind, 20, 10)
    for number in range(options.rounds):
        for at_once, count in ((1, options.single), (50, options.many)):
            for kind in KINDS if number % 2 == 0 else reversed(KINDS):
                rounds.setdefault((kind, at_once), []).append(await driver.round(kind, count, at_once))
    return rounds


def throughput_ratio(rounds: Rounds, at_once: int) -> float:
    """Return the mission's throughput as a share of the other's: the median over the rounds that ran side by side."""
    pairs = zip(rounds[MISSION, at_once], rounds[BY_HAND, at_once], strict=True)
    return statistics.median(one.per_second() / other.per_second() for one, other in pairs)


def summary(rounds: list[Round]) -> dict[str, float]:
    """Return the median of the rounds' throughput and CPU, and quantiles over all missions."""
    latencies = [seconds for one in rounds for seconds in one.latencies]
    return {
        "missions_per_s": statistics.median(one.per_second() for one in rounds),
        "p50_ms": quantile(latencies, 0.5) * 1000,
        "p99_ms": quantile(latencies, 0.99) * 1000,
        "cpu_ms": statistics.median(one.cpu / len(one.latencies) * 1000 for one in rounds),
    }


def report(rounds: Rounds, events: dict[str, dict[str, float]]) -> dict[str, float]:
    """Print the table, and return what the last line holds."""
    print(f"{'':>22} {'missions/s':>11} {'p50 ms':>8} {'p99 ms':>8} {'worker CPU ms':>14}")
    figures = {key: summary(found) for key, found in rounds.items()}
    for (kind, at_once), row in sorted(figures.items(), key=lambda item: item[0][1]):
        numbers = f"{row['missions_per_s']:>11.1f} {row['p50_ms']:>8.0f} {row['p99_ms']:>8.0f} {row['cpu_ms']:>14.1f}"
        print(f"{kind:>12}, {at_once:>2} at once {numbers}")
    for at_once in (1, 50):
        ratio = throughput_ratio(rounds, at_once)
        cpu = figures[MISSION, at_once]["cpu_ms"] / figures[BY_HAND, at_once]["cpu_ms"]
        print(f"at {at_once:>2} at once: {ratio:.3f} of the throughput by hand, {cpu:.2f} times the worker's CPU")
    for kind in KINDS:
        print(f"events {kind}: {events[kind]['mission']:.0f} per mission, {events[kind]['step']:.1f} per step more")
    mission, by_hand = events[MISSION], events[BY_HAND]
    busy = figures[MISSION, 50]
    return {
        "throughput_ratio": round(throughput_ratio(rounds, 50), 3),
        "events_per_step_ratio": round(mission["step"] / by_hand["step"], 3),
        "extra_events_per_mission": mission["mission"] - by_hand["mission"],
        "missions_per_s": round(busy["missions_per_s"], 1),
        "p50_ms": round(busy["p50_ms"], 1),
        "p99_ms": round(busy["p99_ms"], 1),
    }


async def run(options: argparse.Namespace) -> dict[str, float]:
    """Start server and worker, measure, report."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        keys.create(home, "lea", ("lead",))
        async with DevServer(home / "server.log", database=home / "bench.db") as server:
            command = [sys.executable, "-m", "bench.serve", server.address, str(home)]
            command += ["same-runner"] if options.same_runner else []
            worker = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
            try:
                assert worker.stdout is not None
                worker.stdout.readline()
                client = await Client.connect(server.address, data_converter=data_converter(str(home / "payloads")))
                driver = Driver(client, home, worker.pid)
                async with Worker(client, task_queue=DRIVER_QUEUE, activities=[driver.correlate]):
                    rounds = await measure(driver, options)
                    events = {kind: await events_of(driver, kind) for kind in KINDS}
            finally:
                worker.kill()
                worker.wait()
    return report(rounds, events)


async def events_of(driver: Driver, kind: str) -> dict[str, float]:
    """Count the events of one mission, and of each step more that it has."""
    short = await driver.events(await driver.mission(kind))
    long = await driver.events(await driver.mission(kind, more=MORE))
    return {"mission": short, "step": (long - short) / MORE}


def main() -> int:
    """Run the bench; `--rounds 1 --single 2 --many 10` tries it out."""
    parser = argparse.ArgumentParser(description="Measure the interpreter against a workflow written by hand.")
    parser.add_argument("--rounds", type=int, default=8)
    parser.add_argument("--single", type=int, default=10, help="missions in each round with one at a time")
    parser.add_argument("--many", type=int, default=100, help="missions in each round with 50 at once")
    parser.add_argument(
        "--same-runner", action="store_true", help="run the workflow by hand by our runner, not by the SDK's default"
    )
    options = parser.parse_args()
    started = time.perf_counter()
    last = asyncio.run(run(options))
    print(f"measured in {timedelta(seconds=round(time.perf_counter() - started))}")
    print(json.dumps(last), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
