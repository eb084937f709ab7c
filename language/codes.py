"""What each code of a finding means: one title, why it is refused, how to mend it, and an example that shows both.

The law: this is the one source. `gonogo finding` and `docs/language/errors.md` are made from it, and tests hold that
every code is raised somewhere, is explained here, and is what its example gives. The data is `codes.yaml`.
"""

import re
from functools import lru_cache
from importlib.resources import files
from typing import Literal

import yaml
from pydantic import Field

from contracts.base import Document
from language.name import nearest

TIMES = re.compile(r"^(.*) # (\d+) times$", re.MULTILINE)


class Code(Document):
    """One code. `bad` gives this finding and no other; `good` gives none."""

    title: str
    why: str
    mend: str
    where: Literal["steps", "mission", "agents.yaml", "tools.yaml", "security.yaml", "policies", "path"] = Field(
        default="steps", alias="in"
    )
    bad: str
    good: str


@lru_cache(maxsize=1)
def codes() -> dict[str, Code]:
    """Return every code, in the order in which the reference lists them."""
    data = yaml.load(files("language").joinpath("codes.yaml").read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
    return {name: Code.model_validate(code) for name, code in data.items()}


def meant(name: str) -> str | None:
    """Return the code that was probably meant."""
    return nearest(name.upper(), codes())


def written_out(example: str) -> str:
    """Return an example with the lines that stand for many."""
    return TIMES.sub(lambda found: "\n".join([found[1]] * int(found[2])), example)
