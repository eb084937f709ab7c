"""A mission while it is being checked: the definition, and the YAML that it came from.

The checks in `language/checks` read the definition; where they find something wrong, the draft knows its place.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from contracts.definition import Definition, Step
from contracts.step import Place
from language.finding import Finding
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

    def value(self, step: Step, *path: str | int) -> Value:
        """Return the YAML at a path below a step."""
        return self.nodes[step.place].find(*path)

    def find(self, code: str, message: str, step: Step, *path: str | int, mend: str = "") -> Finding:
        """Return a finding at a path below a step."""
        return Finding(code, message, self.value(step, *path).place, mend)

    def steps(self) -> Iterator[Step]:
        return iter(self._steps)

    @cached_property
    def _steps(self) -> tuple[Step, ...]:
        return tuple(every_step(self.definition))
