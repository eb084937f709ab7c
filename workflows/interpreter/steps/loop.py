"""Work again until it is good enough, or often enough."""

from contracts.definition import LoopStep
from workflows.interpreter.outcome import Outcome
from workflows.interpreter.scope import Scope


async def run_loop(step: LoopStep, path: str, scope: Scope) -> Outcome:
    """Run `do`, then ask `until`; at the bound go where `on_max` says. The output is the last round's."""
    output = None
    for number in range(1, step.loop.max_iterations + 1):
        inner = scope.inside(iteration=number)
        here = f"{path}[{number}]"
        settled = scope.journal.settled(here)
        if settled is None:
            scope.journal.start(here, "iteration", "", scope.ports.now())
        output = await scope.run_target(step.loop.do, here, inner)
        enough = settled.output["until"] if settled else inner.test(step.loop.until, here)
        if settled is None:
            scope.journal.finish(here, "succeeded", scope.ports.now(), output={"until": enough})
        if enough:
            return Outcome(output=output)
    await scope.run_target(step.loop.on_max, f"{path}/on_max", scope)
    return Outcome(output=output)
