"""Paths of steps where everybody can read them: what the items of a map are called is a mark there.

The law: a mark hangs on a secret, so nobody without it can check a guess; the same item has the same mark. Numbers of
rounds stay as they are. In a mission the secret is the mission's own, beside it that of whoever keeps its contents.
"""

import hmac
import re
from collections.abc import Callable

ITEM = re.compile(r"\[(?!\d{1,3}\])([^\[\]/]+)\]")
LENGTH = 16
SIGN = "*"


def veiled(path: str, secret: str) -> str:
    """Return a path whose items have marks; as it is where there is no secret."""
    return marked(path, lambda key: hmac.new(secret.encode(), key.encode(), "sha256").hexdigest()) if secret else path


def marked(path: str, mark: Callable[[str], str]) -> str:
    """Return a path with marks in the place of its items."""
    return ITEM.sub(lambda item: f"[{SIGN}{mark(item[1])[:LENGTH]}]", path)
