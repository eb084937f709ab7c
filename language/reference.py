"""Make what is made of the reference: `python -m language.reference` writes it, `--check` finds drift.

The law: what is made is never edited by hand. The sources are `codes.yaml`, `shape.py`, the shipped missions, and
`contracts/published.py` for what others are told.
"""

import json
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from contracts.failure_class import CLASSES
from contracts.published import COMMON as TOLD
from contracts.published import KINDS, schema_name, schema_of, type_of
from contracts.workspace import Workspace
from language.codes import Code, codes
from language.key_type import words_of
from language.loader import load_mission
from language.mermaid import mermaid
from language.mission_schema import as_text
from language.shape import COMMON, FORMS, MISSION, Keys, keys_of
from language.workspace import load_workspace

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "docs" / "language"
MISSIONS = ROOT / "missions"
COMMAND = "python -m language.reference"
TABLE = re.compile(r"(<!-- keys: ([^>]+) -->\n).*?(<!-- end -->)", re.DOTALL)
"""Where a page wants the table of a kind's, a form's, or the mission's keys."""
FAILURES = re.compile(r"(<!-- failures -->\n).*?(<!-- end -->)", re.DOTALL)
"""Where a page wants the classes of failure."""
PICTURE = re.compile(r"(<!-- graph -->\n).*?(<!-- end -->)", re.DOTALL)
"""Where a mission's page wants its picture."""


EVENTS = re.compile(r"(<!-- events -->\n).*?(<!-- end -->)", re.DOTALL)
"""Where a page wants the types of events."""


def pages() -> dict[Path, str]:
    """Return each file that is made, or has parts that are, with its text."""
    written = {path: path.read_text(encoding="utf-8") for path in sorted(FOLDER.glob("*.md"))}
    made = {path: TABLE.sub(filled, text) for path, text in written.items()}
    page = FOLDER.parent / "failures.md"
    made[page] = FAILURES.sub(lambda found: f"{found[1]}{classes()}{found[2]}", page.read_text(encoding="utf-8"))
    page = FOLDER.parent / "events.md"
    made[page] = EVENTS.sub(lambda found: f"{found[1]}{types()}{found[2]}", page.read_text(encoding="utf-8"))
    made[FOLDER.parent / "events.schema.json"] = event_schemas()
    return {**made, FOLDER / "errors.md": errors(), FOLDER / "mission.schema.json": as_text(), **pictured()}


def types() -> str:
    """Return the table of the types of events."""
    rows = [
        ("of all events", "", TOLD),
        *((f"`{type_of(name)}`", one.words, one.fields) for name, one in KINDS.items()),
    ]
    lines = [f"| {name} | {words} | {_fields(fields)} |" for name, words, fields in rows]
    return "\n".join(["| type | when | fields |", "|---|---|---|", *lines]) + "\n"


def _fields(fields: Mapping[str, tuple[Any, str]]) -> str:
    return "; ".join(f"`{name}`: {words}" for name, (_, words) in fields.items())


def event_schemas() -> str:
    """Return the JSON Schemas of all events, by the name that their `dataschema` says."""
    return json.dumps({schema_name(topic): schema_of(topic) for topic in KINDS}, indent=2) + "\n"


def classes() -> str:
    """Return the table of the classes of failure."""
    rows = [
        f"| `{name}` | {one.words} | {', '.join(f'`{code}` ({words})' for code, words in one.codes.items())} "
        f"| {one.retried} | {one.then} |"
        for name, one in CLASSES.items()
    ]
    return "\n".join(["| class | means | codes | tried again | then |", "|---|---|---|---|---|", *rows]) + "\n"


def pictured() -> dict[Path, str]:
    """Return the pages of the shipped missions that want a picture of theirs."""
    workspace = load_workspace(MISSIONS)
    found = {path: path.read_text(encoding="utf-8") for path in sorted(MISSIONS.glob("*/README.md"))}
    return {path: with_picture(path, text, workspace) for path, text in found.items() if PICTURE.search(text)}


def with_picture(path: Path, text: str, workspace: Workspace) -> str:
    """Return a mission's page with its picture as it is now."""
    drawn = mermaid(load_mission(path.parent / "mission.yaml", workspace))
    return PICTURE.sub(lambda found: f"{found[1]}```mermaid\n{drawn}```\n{found[2]}", text)


def filled(found: re.Match[str]) -> str:
    return f"{found[1]}{table(keys_named(found[2]))}{found[3]}"


def keys_named(name: str) -> Keys:
    """Return the keys that a page asks for: `a mission`, `every step`, `loop step` for a kind, `loop` for a form."""
    match name.split():
        case ["a", "mission"]:
            return MISSION
        case ["every", "step"]:
            return COMMON
        case [kind, "step"]:
            return keys_of(kind)
        case _:
            return FORMS[name]


def table(keys: Keys) -> str:
    """Return the table of some keys."""
    rows = [
        f"| `{name}` | {words_of(key.type)} | {'needed' if key.required else key.default or 'none'} | {key.words} |"
        for name, key in keys.items()
    ]
    return "\n".join(["| key | type | default | what it is |", "|---|---|---|---|", *rows]) + "\n"


def errors() -> str:
    """Return the page of all codes."""
    index = "\n".join(f"| [`{name}`](#{name.lower()}) | {code.title} |" for name, code in codes().items())
    sections = "\n".join(section(name, code) for name, code in codes().items())
    return f"""<!-- Made by `{COMMAND}` from language/codes.yaml. -->
# Findings

What `gonogo lint` says when it refuses a definition. `gonogo finding CODE` prints what stands here.

The examples know the agents `architect`, `reviewer` and `cost_analyst`; the tools `look_up` (reads), `write_file`
(undone by `delete_file`, needs a name), `send_money` (cannot be undone) and `open_ticket` (may act alone; undone by
`close_ticket`); ada and bob, who are `tech_lead`, and cy, who is `director`; the missions `look_around` (reads; needs a
host), `file_report` (opens a ticket) and `broken` (is wrong itself); and the input `alert`.
A line that ends in `# 501 times` stands for so many lines.

| code | |
|---|---|
{index}

{sections}"""


def section(name: str, code: Code) -> str:
    """Return one code as a part of the page."""
    return f"""## {name}
**{code.title}** {code.why}

{code.mend}

Refused{place(code)}:
{fenced(code.bad, code)}
Mended:
{fenced(code.good, code)}"""


def place(code: Code) -> str:
    return f", in `{code.where}`" if code.where not in {"steps", "mission", "path"} else ""


def fenced(text: str, code: Code) -> str:
    language = {"path": "text", "policies": "cedar"}.get(code.where, "yaml")
    return f"```{language}\n{text.rstrip()}\n```\n"


def drifted() -> list[str]:
    """Return the made files that are not what would be made now."""
    return [path.relative_to(ROOT).as_posix() for path, text in pages().items() if not same(path, text)]


def same(path: Path, text: str) -> bool:
    return path.is_file() and path.read_text(encoding="utf-8") == text


def main(arguments: list[str]) -> int:
    """Write the pages, or with `--check` say which are out of date."""
    if arguments == ["--check"]:
        stale = drifted()
        for name in stale:
            print(f"{name} is out of date: run {COMMAND}", file=sys.stderr)
        return 1 if stale else 0
    for path, text in pages().items():
        path.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
