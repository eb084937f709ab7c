"""`gonogo graph`: a picture of a mission, as Mermaid, SVG or PNG. No browser, no network, no server.

What the picture shows is `language/diagram.py`. A PNG is the SVG, drawn with a font that comes with us, so that it is
alike on every machine.
"""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from starter.mission_file import read_mission
from starter.problem import DONE, Refused, Usage

if TYPE_CHECKING:
    from collections.abc import Mapping

    from contracts.definition import Definition
    from contracts.workspace import Workspace

FORMATS = ("mermaid", "svg", "png")
ZOOM = 2.0
MOST_PIXELS = 16_000
"""The longest side of a PNG: more is no picture that anything opens."""

File = Annotated[Path, typer.Argument(metavar="FILE", help="A mission's file or folder.", show_default=False)]
Format = Annotated[str, typer.Option("--format", metavar="FORMAT", help="mermaid, svg or png.")]
Output = Annotated[Path | None, typer.Option("--output", metavar="FILE", help="Write it there; a PNG needs it.")]


def graph(file: File, *, format_: Format = "", output: Output = None) -> int:
    """Draw a mission."""
    kind = format_ or (output.suffix.removeprefix(".") if output else "") or "mermaid"
    kind = {"mmd": "mermaid", "md": "mermaid"}.get(kind, kind)
    if kind not in FORMATS:
        raise Usage(f"there is no format {kind!r}; choose one of: {', '.join(FORMATS)}")
    if kind == "png" and output is None and sys.stdout.isatty():
        raise Usage("a PNG is no text for a terminal; say where to with --output FILE")
    definition, workspace = read_mission(file)
    data = picture(definition, kind, risks(definition, workspace))
    if output is None:
        sys.stdout.buffer.write(data)
        return DONE
    try:
        output.write_bytes(data)
    except OSError as error:
        raise Refused(f"cannot write {output}: {error.strerror}") from None
    return DONE


def risks(definition: "Definition", workspace: "Workspace") -> dict[str, str]:
    """Return for each step that acts how risky it may come to be, in a few words; none where nothing is weighed."""
    from language.forecast import brief, by_step, forecasts
    from language.freeze import freeze
    from language.steps import every_step

    names = {step.step for step in every_step(definition)}
    return {name: brief(one) for name, one in by_step(forecasts(freeze(definition, workspace)), names).items()}


def picture(definition: "Definition", kind: str, notes: "Mapping[str, str]") -> bytes:
    """Return a mission's picture in a format; `notes` say more of steps."""
    from language.drawing import drawing
    from language.mermaid import mermaid

    match kind:
        case "mermaid":
            return mermaid(definition, notes).encode()
        case "svg":
            return drawing(definition, notes).encode()
        case _:
            return rendered(drawing(definition, notes))


def rendered(svg: str) -> bytes:
    """Return an SVG as PNG, at twice its size where that still opens."""
    import re

    import font_lato
    from resvg_py import svg_to_bytes

    sides = [int(side) for side in re.findall(r'(?:width|height)="(\d+)"', svg.partition(">")[0])]
    zoom = min(ZOOM, MOST_PIXELS / max(sides))
    fonts = [font_lato.font_files["Lato"], font_lato.font_files["LatoBold"]]
    return bytes(svg_to_bytes(svg_string=svg, zoom=zoom, font_files=fonts, sans_serif_family="Lato"))
