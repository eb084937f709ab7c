"""A mission while it is being checked: the definition, and the YAML that it came from.

The checks in `language/checks` read the definition; where they find something wrong, the draft knows its place.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from contracts.definition import Definition, MissionStep, Step
from contracts.step import Place
from language.finding import Finding
from language.library import Family, Unusable
from language.steps import every_step
from language.yaml_source import Value


@dataclass(frozen=True)
class Draft:
    """A definition, the YAML of the file, and the YAML of each step by its place."""

    definition: Definition
    tree: Value
    nodes: Mapping[Place, Value]
    named: frozenset[str]
    """Names that the author gave; the others were made from agents and tools and nobody can refer to them."""
    missions: Mapping[str, Family | Unusable] = field(default_factory=dict)
    """The missions that its steps start, by name."""

    def value(self, step: Step, *path: str | int) -> Value:
        """Return the YAML at a path below a step."""
        return self.nodes[step.place].find(*path)

    def find(self, code: str, message: str, step: Step, *path: str | int, mend: str = "") -> Finding:
        """Return a finding at a path below a step."""
        return Finding(code, message, self.value(step, *path).place, mend)

    def family(self, step: MissionStep) -> Family:
        """Return the mission that a step starts, and those which that one starts; nothing where it cannot be had."""
        found = self.missions.get(step.mission, ())
        return () if isinstance(found, Unusable) else found

    def steps(self) -> Iterator[Step]:
        return iter(self._steps)

    @cached_property
    def _steps(self) -> tuple[Step, ...]:
        return tuple(every_step(self.definition))
