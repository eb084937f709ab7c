"""How parts of an expression are named to people, and what they are told to write instead.

Pure. The other half is `infer.py`, which finds what is wrong.
"""

import json
from collections.abc import Iterable

from language.cel_tree import Node, variable
from language.name import nearest
from language.types.function import ARITHMETIC, COMPARISONS, LOGIC
from language.types.kind import NUMBER, TEXT, Type

MOST_NAMED = 8
SIGNS = {**COMPARISONS, **ARITHMETIC, **LOGIC}


def said(node: Node, type_: Type) -> str:
    """Return a part of an expression with what it is, as in `'x.title' (a text)`."""
    return f"{quoted(node)} ({type_.described()})"


def both(node: Node, left: Type, right: Type) -> str:
    """Return what the two sides of an operator are."""
    words = [left.described(), right.described()]
    if words[0] == words[1] == "a number":
        words = [exactly(left), exactly(right)]
    return f"{quoted(node.parts[0])} is {words[0]} and {quoted(node.parts[1])} {words[1]}"


def exactly(number: Type) -> str:
    return {"int": "a whole number", "double": "a decimal number"}.get("".join(number.kinds), "a number")


def conversion(node: Node, left: Type, right: Type) -> str:
    """Return what to write where two kinds do not go together."""
    if left.kinds <= NUMBER and right.kinds <= NUMBER:
        at = 0 if left.kinds == {"int"} else 1
        return f"make both decimal: double({shown(node.parts[at])})"
    for text, number, at in ((left, right, 0), (right, left, 1)):
        if text.kinds == TEXT.kinds and number.kinds <= NUMBER:
            return text_and_number(node, node.parts[at], node.parts[1 - at])
    return "bring two of a kind together"


def text_and_number(node: Node, text: Node, number: Node) -> str:
    if text.text is not None and text.text.isdecimal():
        return f"leave the quotes out: {text.text}"
    if node.name == "_+_":
        return f"make both texts: string({shown(number)})"
    return "write a number in its place" if text.text is not None else f"make both numbers: double({shown(text)})"


def suggested(name: str, known: Iterable[str], otherwise: str) -> str:
    """Return which name was meant, or which there are."""
    names = sorted(known)
    meant = nearest(name, names)
    if meant:
        return f"did you mean '{meant}'?"
    more = f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
    return f"{otherwise}: {', '.join(names[:MOST_NAMED])}{more}" if names else ""


def quoted(node: Node) -> str:
    return shown(node) if node.kind == "const" else f"'{shown(node)}'"


def shown(node: Node) -> str:
    """Return a part of an expression as an author would write it, in short."""
    match node.kind:
        case "const":
            return json.dumps(node.value, ensure_ascii=False)[:40] if node.name != "bytes" else "bytes"
        case "ident":
            return variable(node.name)
        case "select":
            whole = f"{shown(node.parts[0])}.{node.name}"
            return f"has({whole})" if node.asks else whole
        case "call" if node.name == "_[_]":
            return f"{shown(node.parts[0])}[{shown(node.parts[1])}]"
        case "call" if node.name.isidentifier():
            return f"{node.name}({', '.join(shown(part) for part in node.parts)})"
        case "call" if node.name in SIGNS and len(node.parts) == 2:
            return f"{shown(node.parts[0])} {SIGNS[node.name]} {shown(node.parts[1])}"
        case "list" | "struct":
            return "[…]" if node.kind == "list" else "{…}"
        case _:
            return "…"
