"""The pages that people read: their blocks, spans and tables, and what is wrong with a command that they show."""

import ast
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer

from starter.cli import app

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(sys.executable).parent
HIDDEN = {"build", "__pycache__"}
INNER = re.compile(r'"\$\((.*?)\)"')
PLACEHOLDER = re.compile(r"\b[A-Z]{2,}\b…?")


def pages() -> list[Path]:
    """Return every page of the project."""
    folders = [path for path in ROOT.iterdir() if path.is_dir() and not path.name.startswith(".")]
    found = [*ROOT.glob("*.md"), *(page for folder in folders for page in folder.rglob("*.md"))]
    return sorted(page for page in found if not HIDDEN & set(page.parts))


def text(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def section(page: str, title: str) -> str:
    """Return what stands under a heading, up to the next of its rank."""
    return page.split(f"\n## {title}\n", 1)[1].split("\n## ", 1)[0]


def blocks(page: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", page, re.DOTALL | re.MULTILINE)


def typed(page: str) -> list[str]:
    """Return the command lines that a page tells people to type."""
    return [line for block in blocks(page, "sh") for line in block.splitlines() if line.strip()]


def spans(page: str) -> list[str]:
    """Return what stands in backticks outside blocks."""
    outside = re.sub(r"^```.*?^```", "", page, flags=re.DOTALL | re.MULTILINE)
    return re.findall(r"`([^`\n]+)`", outside)


def first_cells(page: str) -> list[str]:
    """Return the first cell of each row of the tables, without its backticks."""
    return re.findall(r"^\| `([^`]+)`", page, re.MULTILINE)


def anchors(page: str) -> set[str]:
    """Return the anchors that headings make, as GitHub spells them."""
    titles = re.findall(r"^#+ (.+)$", re.sub(r"^```.*?^```", "", page, flags=re.DOTALL | re.MULTILINE), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).strip().replace(" ", "-") for title in titles}


def complaints(line: str) -> Iterator[str]:
    """Say what is wrong with a whole command line."""
    for inner in INNER.findall(line):
        yield from complaints(inner)
    words = shlex.split(INNER.sub("TOKEN", line).partition(" > ")[0].rpartition(" | ")[2], comments=True)
    match words:
        case ["gonogo", *rest]:
            yield from _unparsed([re.sub(r"^N$", "1", word) for word in rest])
        case ["make", *rest]:
            yield from unmade(rest)
        case ["temporal", *rest]:
            asked = subprocess.run([BIN / "temporal", *rest, "--help"], capture_output=True, text=True, check=False)
            yield from asked.stderr.splitlines()[:1] if asked.returncode else ()
        case [".venv/bin/python", "-m", module, *_]:
            if not (ROOT / module.replace(".", "/")).with_suffix(".py").is_file():
                yield f"there is no module {module}"
        case ["export", setting] if "=" in setting:
            return
        case _:
            yield f"nobody here knows the program {line!r}"


def _unparsed(arguments: list[str]) -> Iterator[str]:
    """Parse a command line of `gonogo`; nothing runs."""
    command, context, rest = typer.main.get_command(app), None, arguments
    try:
        while True:
            context = command.make_context(command.name or "gonogo", list(rest), parent=context)
            if not hasattr(command, "resolve_command"):
                return
            _, command, rest = command.resolve_command(context, [*context._protected_args, *context.args])
    except typer.Exit:
        return
    except typer.TyperException as error:
        yield f"gonogo {' '.join(arguments)}: {error.format_message()}"


def unmade(words: list[str]) -> Iterator[str]:
    """Say which targets and variables of a `make` the Makefile does not have."""
    makefile = text("Makefile")
    targets = re.findall(r"^([a-z-]+):", makefile, re.MULTILINE)
    for word in words:
        name, given, _ = word.partition("=")
        if given and not re.search(rf"\$\({name}\)|^{name} \?=|^export .*\b{name}\b", makefile, re.MULTILINE):
            yield f"the Makefile reads no {name}"
        if not given and word not in targets:
            yield f"the Makefile has no target {word}"


def unknown_options(words: list[str]) -> Iterator[str]:
    """Say which verb or options a mention of `gonogo` has wrong. A mention may leave arguments out."""
    command: Any = typer.main.get_command(app)
    rest = list(words)
    while rest and hasattr(command, "commands"):
        verb = rest.pop(0)
        if verb.startswith("-") or PLACEHOLDER.fullmatch(verb):
            return
        if verb not in command.commands and command.name == "audit":
            return  # What is no verb there is the id of a mission.
        if verb not in command.commands:
            yield f"gonogo has no verb {verb}"
            return
        command = command.commands[verb]
    known = {option for parameter in command.params for option in parameter.opts} | {"--help"}
    yield from (f"gonogo {' '.join(words)}: no {word}" for word in rest if word.startswith("--") and word not in known)


def read_variables(*places: str) -> set[str]:
    """Return the environment variables that the code in these files and folders reads, by their names."""
    files = [
        file for place in places for file in ([ROOT / place] if place.endswith(".py") else (ROOT / place).rglob("*.py"))
    ]
    return {name for file in files for node in ast.walk(ast.parse(file.read_text())) for name in _names_in(node)}


def _names_in(node: ast.AST) -> Iterator[str]:
    match node:
        case ast.Call(func=ast.Attribute(attr="get", value=source), args=[ast.Constant(value=str(name)), *_]):
            yield from [name] if _is_environment(source) else ()
        case ast.Call(args=[source, ast.Constant(value=str(name))]) if _is_environment(source):
            yield name
        case ast.Subscript(value=source, slice=ast.Constant(value=str(name)), ctx=ast.Load()) if _is_environment(
            source
        ):
            yield name
        case ast.keyword(arg="envvar", value=ast.Constant(value=str(name))):
            yield name
        case ast.Assign(targets=[ast.Name(id="ENDPOINTS")], value=ast.Tuple(elts=elements)):
            yield from (element.value for element in elements if isinstance(element, ast.Constant))


def _is_environment(node: ast.AST) -> bool:
    name = node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""
    return name in {"environ", "environment"}
