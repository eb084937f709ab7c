"""What a command says: one JSON document for programs, calm lines for people, problems on standard error.

Texts that others wrote are shown through `starter/escape.py` and never read as markup.
"""

import json
import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console

WIDTH_WITHOUT_TERMINAL = 120
WIDEST = 2_000


def document(value: Any) -> None:
    """Print one JSON document: models, and lists and mappings of them. Plain ASCII, so that nothing hides in it."""
    sys.stdout.write(json.dumps(plain(value), indent=2, allow_nan=False) + "\n")


def plain(value: Any) -> Any:
    """Return a value as JSON knows it."""
    if hasattr(value, "model_dump"):
        return value.model_dump(mode="json")
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [plain(item) for item in value]
    return value


def console(*, error: bool = False) -> "Console":
    """Return the terminal. Without one, lines are wide and plain."""
    from rich.console import Console

    stream = sys.stderr if error else sys.stdout
    width = None if stream.isatty() else WIDTH_WITHOUT_TERMINAL
    return Console(file=stream, highlight=False, width=width)


def print_rows(table: Any) -> None:
    """Print a table. Without a terminal each row is one line, however long, so that other programs can read it."""
    out = console()
    if sys.stdout.isatty():
        out.print(table)
        return
    out.width = WIDEST
    with out.capture() as printed:
        out.print(table)
    sys.stdout.writelines(f"{row.rstrip()}\n" for row in printed.get().splitlines())


def problem(text: str) -> None:
    """Tell a problem on standard error, in one line where it has one."""
    from rich.text import Text

    from starter.escape import visible

    told = Text("gonogo: ", "bold red").append(visible(text, lines=True), "default")
    console(error=True).print(told, soft_wrap=True)


def note(text: str) -> None:
    """Say something beside what was asked for, on standard error."""
    from starter.escape import visible

    console(error=True).print(visible(text), style="dim", markup=False, soft_wrap=True)
