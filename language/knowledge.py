"""What can be wrong with a workspace's knowledge: its folders, and the agents that name it."""

from collections.abc import Iterator
from pathlib import Path

from contracts.workspace import AgentsFile
from language.entry import bad_name, unknown
from language.finding import Finding
from language.yaml_source import Value


def check_knowledge(file: AgentsFile, value: Value, root: Path) -> Iterator[Finding]:
    """Find folders that are not there or lead out of the workspace, and collections that nobody has."""
    for name, folder in file.knowledge.items():
        yield from bad_name("a collection", name, value.find("knowledge"))
        place, there = value.place_of("knowledge", name), root / folder
        if not there.resolve().is_relative_to(root.resolve()):
            message = f"the folder of '{name}' lies outside the workspace"
            yield Finding("BAD_VALUE", message, place, "write a folder inside it")
        elif not there.is_dir():
            yield Finding("BAD_VALUE", f"there is no folder '{folder}' in the workspace", place, "make it, or mend it")
    for agent, mind in file.agents.items():
        for number, name in enumerate(mind.reads()):
            place = value.find("agents", agent).place_of("knowledge", number)
            yield from unknown("BAD_VALUE", "collection", name, file.knowledge, place)
