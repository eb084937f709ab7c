"""`gonogo finding`: what a code of a finding means, and an example. The words are `language/codes.yaml`."""

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from starter.problem import DONE, Usage

if TYPE_CHECKING:
    from language.codes import Code

Asked = Annotated[str, typer.Argument(metavar="[CODE]", help="Code of a finding; without one, all are listed.")]


def finding(code: Asked = "") -> int:
    """Say why a finding is one, and how to mend it."""
    from language.codes import codes

    name = code.upper()
    if not name:
        width = max(map(len, codes()))
        sys.stdout.write("".join(f"{known:{width}}  {entry.title}\n" for known, entry in codes().items()))
    elif name in codes():
        sys.stdout.write(page(name, codes()[name]))
    else:
        raise Usage(unknown(code))
    return DONE


def unknown(code: str) -> str:
    """Return what to say of a code that does not exist."""
    from language.codes import meant

    close = meant(code)
    return f"no finding has the code {code!r}; " + (f"did you mean {close}?" if close else "`gonogo finding` lists all")


def page(name: str, code: "Code") -> str:
    """Return what is known of a code, as a terminal shows it."""
    where = f" ({code.where})" if code.where not in {"steps", "mission", "path"} else ""
    parts = [f"{name}: {code.title}", code.why, f"What to do: {code.mend}"]
    parts += [f"Refused{where}:\n{indented(code.bad)}", f"Mended:\n{indented(code.good)}"]
    return "\n\n".join(parts) + "\n"


def indented(text: str) -> str:
    return "\n".join(f"    {line}".rstrip() for line in text.rstrip().splitlines())
