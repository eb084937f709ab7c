"""The operator's command line: names the verbs, and leaves with the right exit code.

Each family of verbs is a file of its own; what is slow is imported inside the commands.
"""

import gc
import sys
import traceback
from collections.abc import Sequence
from typing import Any

import typer
from typer.core import TyperGroup

from runtime.leave import leave
from starter import (
    admit,
    artifacts,
    audit,
    audit_file,
    audit_search,
    breakers,
    browse,
    cancel,
    codec,
    costs,
    deadletter,
    decide,
    demo,
    dev,
    diff,
    estimate,
    event,
    explain,
    finding,
    follow,
    graph,
    halt,
    lint,
    locks,
    new,
    people,
    policy,
    receipt,
    reconcile,
    recording,
    rehearse,
    replay,
    reply,
    rerun,
    schema,
    service_keys,
    setup,
    sign_definition,
    start,
    steer,
    vote,
    waiting,
    why,
)
from starter.output import problem
from starter.problem import REFUSED, Problem

INTERRUPTED = 130


class Verbs(TyperGroup):
    """The verbs in families. Typer's own panels would do it too, and take three times as long to be drawn."""

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Write each family under its name."""
        families: dict[str, list[tuple[str, str]]] = {}
        for name in self.list_commands(ctx):
            command = self.commands[name]
            family = getattr(command, "rich_help_panel", None) or "Verbs"
            families.setdefault(str(family), []).append((name, command.get_short_help_str(limit=100)))
        for family, verbs in families.items():
            with formatter.section(family):
                formatter.write_dl(verbs)


app = typer.Typer(
    name="gonogo",
    help="Governed missions of agents on Temporal.",
    cls=Verbs,
    rich_markup_mode=None,
    no_args_is_help=True,
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    pretty_exceptions_enable=False,
)
RUN, WRITE, STEER, WATCH, DECIDE, PROVE = "Run", "Write", "Steer", "Watch", "Decide", "Prove"
for panel, name, command in (
    (RUN, "demo", demo.demo),
    (RUN, "dev", dev.dev),
    (RUN, "start", start.start),
    (RUN, "event", event.event),
    (RUN, "cancel", cancel.cancel),
    (RUN, "setup", setup.setup),
    (WRITE, "new", new.new),
    (WRITE, "lint", lint.lint),
    (WRITE, "sign", sign_definition.sign),
    (WRITE, "rehearse", rehearse.rehearse),
    (WRITE, "finding", finding.finding),
    (WRITE, "graph", graph.graph),
    (WRITE, "diff", diff.diff),
    (WRITE, "estimate", estimate.estimate),
    (WRITE, "schema", schema.schema),
    (WRITE, "admit", admit.admit),
    (STEER, "pause", steer.pause),
    (STEER, "resume", steer.resume),
    (STEER, "note", steer.note),
    (STEER, "interrupt", steer.interrupt),
    (STEER, "retry", steer.retry),
    (STEER, "skip", steer.skip),
    (STEER, "redirect", steer.redirect),
    (STEER, "rollback", steer.rollback),
    (STEER, "amend", steer.amend),
    (STEER, "escalate", steer.escalate),
    (STEER, "abort", steer.abort),
    (STEER, "rerun", rerun.rerun),
    (STEER, "reconcile", reconcile.reconcile),
    (WATCH, "list", browse.list_missions),
    (WATCH, "show", follow.show),
    (WATCH, "follow", follow.follow),
    (WATCH, "explain", explain.explain),
    (WATCH, "why", why.why),
    (WATCH, "artifacts", artifacts.artifacts),
    (WATCH, "artifact", artifacts.artifact),
    (WATCH, "deadletter", deadletter.deadletter),
    (WATCH, "costs", costs.costs),
    (WATCH, "breakers", breakers.breakers),
    (WATCH, "locks", locks.locks),
    (WATCH, "halts", halt.halts),
    (DECIDE, "queue", waiting.queue),
    (DECIDE, "approve", decide.approve),
    (DECIDE, "reject", vote.reject),
    (DECIDE, "modify", decide.modify),
    (DECIDE, "answer", reply.answer),
    (DECIDE, "request-changes", vote.request_changes),
    (DECIDE, "abstain", vote.abstain),
    (DECIDE, "delegate", vote.delegate),
    (DECIDE, "withdraw", vote.withdraw),
    (DECIDE, "facilitate", decide.facilitate),
    (STEER, "halt", halt.halt),
    (STEER, "lift", halt.lift),
    (PROVE, "record", recording.record),
    (PROVE, "receipt", receipt.receipt),
    (PROVE, "replay", replay.replay),
):
    app.command(name, rich_help_panel=panel)(command)
audit.verbs.command("verify")(audit_file.verify)
audit.verbs.command("search")(audit_search.search)
app.add_typer(audit.verbs, name="audit", rich_help_panel=PROVE)
app.add_typer(policy.verbs, name="policy", rich_help_panel=WRITE)
app.add_typer(people.people, name="people", rich_help_panel=DECIDE)
app.add_typer(codec.codec, name="codec", rich_help_panel=PROVE)
app.add_typer(service_keys.keys, name="keys", rich_help_panel=RUN)


def main() -> None:
    """Run the command line and leave at once."""
    # Loading is most of what a command does, and the collector would look through it again and again.
    gc.set_threshold(50_000)
    try:
        code = run(sys.argv[1:])
    except Exception:
        # No mistake of a user gets here. A bug is shown whole, and still leaves by the one safe way out.
        traceback.print_exc()
        code = REFUSED
    leave(code)


def run(arguments: Sequence[str]) -> int:
    """Run a command and return its exit code. Problems are one line on standard error."""
    try:
        return int(app(list(arguments), prog_name="gonogo", standalone_mode=False) or 0)
    except Problem as error:
        problem(str(error))
        return error.code
    except (KeyboardInterrupt, typer.Exit) as left:
        return getattr(left, "exit_code", INTERRUPTED)
    except typer.TyperException as error:
        return _misspelt(error)
    except BrokenPipeError:
        return REFUSED


def _misspelt(error: typer.TyperException) -> int:
    said = error.format_message()
    if said.startswith("Usage:"):
        print(said, file=sys.stderr)
    else:
        path = getattr(getattr(error, "ctx", None), "command_path", "") or "gonogo"
        told = said.rstrip(".").replace(": Value error, ", ": ")
        problem(f"{told}{' ' if told.endswith('?') else '; '}`{path} --help` shows what there is")
    return error.exit_code
