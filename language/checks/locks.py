"""Locks: each template gives a name, or a list of them, and a name is no blank text.

The other half is `workflows/interpreter/hold.py`, which makes the names.
"""

from collections.abc import Iterator

from contracts.lock import LONGEST_NAME, MOST_LOCKS
from contracts.workspace import Workspace
from language.checks.types import rendered
from language.draft import Draft
from language.finding import Finding
from language.types.kind import TEXT
from language.types.output import Outputs, local_types

NAMED = TEXT.kinds | {"list"}


def check(draft: Draft, workspace: Workspace) -> Iterator[Finding]:
    """Find locks that can never have a name."""
    locking = [step for step in draft.steps() if step.locks]
    if not locking:
        return
    outputs = Outputs(draft, workspace)
    variables = outputs.variables()
    for step in locking:
        if len(step.locks) > MOST_LOCKS:
            message = f"a step asks for {len(step.locks)} locks, and at most {MOST_LOCKS} are allowed"
            yield draft.find("BAD_VALUE", message, step, "locks", mend="lock what stands for them all")
        value = draft.value(step, "locks")
        for item in value.data if isinstance(value.data, list) else [value]:
            text = item.data if isinstance(item.data, str) else ""
            given = rendered(text, local_types(variables, step, "before", outputs)) if text else None
            if given is not None and not given.may(NAMED):
                message = f"a lock's name is a text, and this is {given.described()}"
                yield Finding("TYPE_MISMATCH", message, item.place, "name a field that is a text, as 'host:${{ … }}'")
            elif given is None and len(text) > LONGEST_NAME and "${{" not in text:
                message = f"a lock's name has {len(text)} characters"
                yield Finding("BAD_VALUE", message, item.place, f"write at most {LONGEST_NAME}")
