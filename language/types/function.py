"""CEL's functions and operators: what each takes, and what it answers.

Pure tables. A function that is not here takes and answers anything. The other half is `infer.py`.
"""

from typing import NamedTuple

from language.types.kind import ANY, BOOL, DOUBLE, INT, NUMBER, TEXT, Type, kinds_of

BOOLEAN = frozenset({"bool"})
TEXTS = frozenset({"text"})
TIMES = frozenset({"timestamp", "duration"})
ORDERED = frozenset({"number", "text", "bool", "bytes", "timestamp", "duration"})

COMPARISONS = {"_==_": "==", "_!=_": "!=", "_<_": "<", "_<=_": "<=", "_>_": ">", "_>=_": ">="}
EQUALITY = frozenset({"_==_", "_!=_"})
ARITHMETIC = {"_+_": "+", "_-_": "-", "_*_": "*", "_/_": "/", "_%_": "%", "-_": "-"}
LOGIC = {"_&&_": "&&", "_||_": "||", "!_": "!"}


class Signature(NamedTuple):
    """What a function takes, operand by operand, in words and as kinds, and what it answers."""

    takes: tuple[frozenset[str], ...]
    words: str
    answers: Type


STRING_TEST = Signature((TEXTS, TEXTS), "texts", BOOL)
MOMENT = Signature((TIMES,), "a time", INT)
FUNCTIONS = {
    "size": Signature((frozenset({"text", "list", "map", "bytes"}),), "a text, a list or a map", INT),
    "contains": STRING_TEST,
    "startsWith": STRING_TEST,
    "endsWith": STRING_TEST,
    "matches": STRING_TEST,
    "int": Signature((NUMBER | TEXTS | TIMES,), "a number or a text", INT),
    "uint": Signature((NUMBER | TEXTS,), "a number or a text", kinds_of("uint")),
    "double": Signature((NUMBER | TEXTS,), "a number or a text", DOUBLE),
    "string": Signature((NUMBER | TEXTS | TIMES | BOOLEAN | {"bytes"},), "a text, a number or a time", TEXT),
    "bool": Signature((BOOLEAN | TEXTS,), "true, false or a text", BOOL),
    "timestamp": Signature((TEXTS | NUMBER | {"timestamp"},), "a text", kinds_of("timestamp")),
    "duration": Signature((TEXTS | {"duration"},), "a text", kinds_of("duration")),
    "type": Signature((), "anything", kinds_of("type")),
    "getFullYear": MOMENT,
    "getMonth": MOMENT,
    "getDayOfMonth": MOMENT,
    "getDayOfWeek": MOMENT,
    "getHours": MOMENT,
    "getMinutes": MOMENT,
    "getSeconds": MOMENT,
}


def group(kind: str) -> str:
    """Return what a kind compares with: numbers of any sort compare with each other."""
    return "number" if kind in NUMBER else kind


def groups(type_: Type) -> frozenset[str]:
    return frozenset(group(kind) for kind in type_.kinds)


def sums(name: str, left: frozenset[str], right: frozenset[str]) -> frozenset[str]:
    """Return the kinds that an operation with two operands may answer; none where it never can."""
    same = left & right
    found = same & ({"double"} if name == "_%_" else frozenset())
    found = (same & NUMBER) - found
    if name == "_+_":
        found |= same & {"text", "list", "bytes", "duration"}
    if name in {"_+_", "_-_"}:
        found |= moments(name, left, right)
    return found


def moments(name: str, left: frozenset[str], right: frozenset[str]) -> frozenset[str]:
    """Return what comes of adding spans to times, and of taking one from the other."""
    found: set[str] = set()
    if "timestamp" in left and "duration" in right:
        found.add("timestamp")
    if name == "_+_" and "duration" in left and "timestamp" in right:
        found.add("timestamp")
    if name == "_-_" and (("timestamp" in left and "timestamp" in right) or ("duration" in left & right)):
        found.add("duration")
    return frozenset(found)


UNKNOWN = Signature((), "anything", ANY)
