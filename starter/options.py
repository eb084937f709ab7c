"""The options and arguments that several verbs share, spelt once. No import here may be slow: `--help` loads them."""

from typing import Annotated

import typer

Json = Annotated[bool, typer.Option("--json", help="Print one JSON document and nothing else.")]
Person = Annotated[
    str, typer.Option("--as", metavar="PERSON", envvar="GONOGO_PERSON", show_envvar=True, help="Who you are.")
]
Reveal = Annotated[bool, typer.Option("--reveal", help="Show what schemas call sensitive, too.")]
MissionId = Annotated[str, typer.Argument(metavar="ID", help="Id of the mission.", show_default=False)]
Step = Annotated[str, typer.Argument(metavar="STEP", help="Path of the step, or its last part.", show_default=False)]
Gate = Annotated[str, typer.Argument(metavar="[STEP]", help="An open gate: its path, or its last part.")]
AnyMission = Annotated[str, typer.Argument(metavar="[ID]", help="Id of the mission; without it, all of them.")]
AnyStep = Annotated[str, typer.Argument(metavar="[STEP]", help="Path of the step, or its last part; without it, each.")]
Comment = Annotated[str, typer.Option("--comment", metavar="TEXT", help="Why. A rejection needs it.")]
Printed = Annotated[bool, typer.Option("--print", help="Send nothing: print the signed decision as a JSON string.")]
