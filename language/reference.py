"""Make the pages of the reference that are made: `python -m language.reference` writes them, `--check` finds drift.

The law: what is made is never edited by hand. The sources are `codes.yaml` and `shape.py`.
"""

import re
import sys
from pathlib import Path

from language.codes import Code, codes
from language.key_type import words_of
from language.mission_schema import as_text
from language.shape import COMMON, FORMS, MISSION, Keys, keys_of

FOLDER = Path(__file__).resolve().parents[1] / "docs" / "language"
COMMAND = "python -m language.reference"
TABLE = re.compile(r"(<!-- keys: ([^>]+) -->\n).*?(<!-- end -->)", re.DOTALL)
"""Where a page wants the table of a kind's, a form's, or the mission's keys."""


def pages() -> dict[str, str]:
    """Return each file of `docs/language` that is made, or has parts that are, with its text."""
    written = {path.name: path.read_text(encoding="utf-8") for path in sorted(FOLDER.glob("*.md"))}
    made = {name: TABLE.sub(filled, text) for name, text in written.items()}
    return {**made, "errors.md": errors(), "mission.schema.json": as_text()}


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

What `gonogo lint` says when it refuses a definition. `gonogo explain CODE` prints what stands here.

The examples know the agents `architect`, `reviewer` and `cost_analyst`; the tools `look_up` (reads), `write_file`
(undone by `delete_file`, needs a name), `send_money` (cannot be undone) and `open_ticket` (may act alone; undone by
`close_ticket`); ada and bob, who are `tech_lead`, and cy, who is `director`; and the input `alert`.
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
    return f", in `{code.where}`" if code.where.endswith(".yaml") else ""


def fenced(text: str, code: Code) -> str:
    language = "text" if code.where == "path" else "yaml"
    return f"```{language}\n{text.rstrip()}\n```\n"


def drifted() -> list[str]:
    """Return the made files that are not what would be made now."""
    return [name for name, text in pages().items() if not same(FOLDER / name, text)]


def same(path: Path, text: str) -> bool:
    return path.is_file() and path.read_text(encoding="utf-8") == text


def main(arguments: list[str]) -> int:
    """Write the pages, or with `--check` say which are out of date."""
    if arguments == ["--check"]:
        stale = drifted()
        for name in stale:
            print(f"docs/language/{name} is out of date: run {COMMAND}", file=sys.stderr)
        return 1 if stale else 0
    for name, text in pages().items():
        (FOLDER / name).write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
