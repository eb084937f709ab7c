"""Make `map` and `filter` refuse maps, by rewriting CEL's parse tree.

The law: an expression answers alike on every machine and on every replay. CEL's runtime visits a map's keys in an
order that changes from process to process, so a list made from a map would too. In each comprehension that makes a
list the range `r` becomes `r + []`, which is the same list and for a map an error. `all` and `exists` ask about every
key, in whatever order, and stay. The other half is `language/expression.py`, which words that error.
"""

from language.cel_tree import Fields, fields

EXPR_CALL, EXPR_LIST, EXPR_COMPREHENSION = 6, 7, 9
NESTED = {5: (1,), 6: (1, 3), 7: (1,), 9: (2, 4, 5, 6, 7)}
"""Fields that hold expressions, by kind of expression: select, call, list, comprehension."""
STRUCT, ENTRIES = 8, 2
ENTRY_NESTED = (3, 4)
RANGE, START = 2, 4
UNUSED_NUMBER = 1_000_000_000


def ordered(serialized: bytes) -> bytes:
    """Return a serialized parsed expression with every list-making comprehension guarded."""
    wrapper = fields(serialized)
    parsed = fields(wrapper[2][0])
    return encode({**wrapper, 2: [encode({**parsed, 2: [guard(parsed[2][0])]})]})


def guard(data: bytes) -> bytes:
    """Return one `Expr` with the comprehensions in it guarded."""
    expr = fields(data)
    for kind, keys in NESTED.items():
        if kind in expr:
            body = replaced(fields(expr[kind][0]), keys)
            if kind == EXPR_COMPREHENSION and EXPR_LIST in fields(body[START][0]):
                body = {**body, RANGE: [plus_nothing(body[RANGE][0])]}
            return encode({**expr, kind: [encode(body)]})
    if STRUCT in expr:
        body = fields(expr[STRUCT][0])
        entries = [encode(replaced(fields(entry), ENTRY_NESTED)) for entry in body.get(ENTRIES, [])]
        return encode({**expr, STRUCT: [encode({**body, ENTRIES: entries} if entries else body)]})
    return data


def replaced(body: Fields, keys: tuple[int, ...]) -> Fields:
    return {key: [guard(value) for value in values] if key in keys else values for key, values in body.items()}


def plus_nothing(range_: bytes) -> bytes:
    """Return the expression `range + []`."""
    empty = encode({2: [UNUSED_NUMBER], EXPR_LIST: [b""]})
    return encode({2: [UNUSED_NUMBER + 1], EXPR_CALL: [encode({2: [b"_+_"], 3: [range_, empty]})]})


def encode(message: Fields) -> bytes:
    """Return a message's bytes. Eight-byte fields are kept as they are (CEL's only other kind is a double)."""
    return b"".join(one(key, value) for key, values in message.items() for value in values)


def one(key: int, value: int | bytes) -> bytes:
    if isinstance(value, int):
        return varint(key << 3) + varint(value)
    return varint(key << 3 | 2) + varint(len(value)) + value


def varint(value: int) -> bytes:
    """Return a number as protobuf spells it."""
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)
