"""What others named, as it may stand on a terminal and in a command."""

import shlex

from language.visible import visible as visible  # noqa: PLC0414 (whoever shows anything asks here)


def command(*words: str) -> str:
    """Return a command of ours as people may paste it: what others named cannot become a second one."""
    return visible(shlex.join(("gonogo", *words)))
