"""Names that authors write: which are allowed, and which was probably meant.

Pure. A variable's name must be readable by CEL; a step's name must fit into a step path.
"""

import re
from collections.abc import Iterable
from difflib import get_close_matches

STEP = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,63}")
VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}")
MISSION = re.compile(r"[a-z][a-z0-9_-]{0,63}")

WORDS_OF_CEL = """as break const continue else false for function if import in let loop namespace null package return
    true var void while bool bytes double duration dyn int list map null_type string timestamp type uint"""
RESERVED = frozenset(WORDS_OF_CEL.split())
BUILT_IN_VARIABLES = frozenset(("mission", "steps", "iteration", "result", "index"))


def nearest(word: str, known: Iterable[str]) -> str | None:
    """Return the known word that was probably meant, if one is close."""
    close = get_close_matches(word, sorted(known), n=1, cutoff=0.6)
    return close[0] if close else None


def suggestion(word: str, known: Iterable[str]) -> str:
    """Return `; did you mean 'x'?`, or nothing."""
    meant = nearest(word, known)
    return f"; did you mean '{meant}'?" if meant else ""


def unfit(name: str) -> str:
    """Return why a name cannot be a variable's, or nothing."""
    if not VARIABLE.fullmatch(name):
        return "a variable has letters, digits and '_', and starts with none of the digits"
    if name in RESERVED:
        return "it is a word of the expression language"
    return "it is always there and means something else" if name in BUILT_IN_VARIABLES else ""
