"""The operator's command line: names the verbs, and leaves with the right exit code.

Each family of verbs is a file of its own; what is slow is imported inside the commands. The process ends with
`os._exit`, after a flush: a short process that has imported temporalio may abort while the interpreter shuts down.
"""

import os
import sys
from collections.abc import Sequence

import typer

from starter import audit, browse, cancel, decide, demo, dev, follow, lint, people, replay, setup, start, waiting
from starter.output import problem
from starter.problem import REFUSED, Problem

INTERRUPTED = 130
app = typer.Typer(
    name="gonogo",
    help="Governed missions of agents on Temporal.",
    no_args_is_help=True,
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    pretty_exceptions_enable=False,
)
RUN, WATCH, DECIDE, PROVE = "Run", "Watch", "Decide", "Prove"
for panel, name, command in (
    (RUN, "demo", demo.demo),
    (RUN, "dev", dev.dev),
    (RUN, "lint", lint.lint),
    (RUN, "start", start.start),
    (RUN, "cancel", cancel.cancel),
    (RUN, "setup", setup.setup),
    (WATCH, "list", browse.list_missions),
    (WATCH, "show", follow.show),
    (WATCH, "follow", follow.follow),
    (DECIDE, "queue", waiting.queue),
    (DECIDE, "approve", decide.approve),
    (DECIDE, "reject", decide.reject),
    (DECIDE, "modify", decide.modify),
    (PROVE, "audit", audit.audit),
    (PROVE, "replay", replay.replay),
):
    app.command(name, rich_help_panel=panel)(command)
app.add_typer(people.people, name="people", rich_help_panel=DECIDE)


def main() -> None:
    """Run the command line and leave at once."""
    code = run(sys.argv[1:])
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:  # Whoever read us has gone: nobody is left to tell.
            code = code or REFUSED
    os._exit(code)


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
    problem(f"{error.format_message()}; `gonogo --help` shows what there is")
    return error.exit_code
