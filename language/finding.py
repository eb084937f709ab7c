"""What is wrong with a definition, where, and what to write instead."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from contracts.step import Place


@dataclass(frozen=True)
class Finding:
    """One mistake. `code` is stable and meant for machines; `mend` says what to write instead."""

    code: str
    message: str
    place: Place
    mend: str = ""

    def __str__(self) -> str:
        tail = f" ({self.mend})" if self.mend else ""
        return f"{self.place}: {self.code} {self.message}{tail}"

    def in_file(self, file: str) -> "Finding":
        """Return the same finding in a file by another of its names."""
        return replace(self, place=self.place.model_copy(update={"file": file}))


class Rejected(Exception):
    """A file that cannot be used, with every finding in the order of the file."""

    def __init__(self, findings: Iterable[Finding]) -> None:
        self.findings = in_order(findings)
        super().__init__("\n".join(map(str, self.findings)))


def in_order(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Return findings by file, line and column, each once."""
    unique = dict.fromkeys(findings)
    return tuple(sorted(unique, key=lambda found: (found.place.file, found.place.line, found.place.column, found.code)))
