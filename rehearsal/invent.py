"""Make up an answer where a script has none: the smallest value that fits a JSON Schema.

Pure. It knows the common words of JSON Schema and looks at its work: what does not fit in the end is not made up.
"""

import math
from typing import Any

from contracts.base import canonical
from language.schema import errors

DEEPEST = 20
FORMATS = {
    "date-time": "2026-01-01T00:00:00Z",
    "date": "2026-01-01",
    "time": "00:00:00Z",
    "duration": "PT0S",
    "email": "a@example.com",
    "hostname": "a",
    "ipv4": "192.0.2.1",
    "ipv6": "2001:db8::1",
    "uri": "https://example.com",
    "uuid": "00000000-0000-0000-0000-000000000000",
}


class CannotInvent(Exception):
    """No value was found that fits."""


def invent(schema: dict[str, Any]) -> Any:
    """Return a small value that fits a schema. Raises `CannotInvent`."""
    try:
        value = _made(schema, schema, 0)
        wrong = errors(schema, value)
    except ValueError as error:
        raise CannotInvent(f"the schema cannot be used: {error}") from None
    if wrong:
        raise CannotInvent(f"the smallest value that was found does not fit: {wrong[0]}")
    return value


def _made(schema: Any, root: dict[str, Any], depth: int) -> Any:
    if depth > DEEPEST:
        raise CannotInvent(f"the schema goes on for more than {DEEPEST} levels")
    if not isinstance(schema, dict):
        return None
    match schema:
        case {"const": value} | {"enum": [value, *_]}:
            return value
        case {"$ref": str(place)}:
            return _made(_at(root, place), root, depth + 1)
        case {"allOf": [*parts]}:
            return _made(_merged(schema, parts, root), root, depth + 1)
        case {"anyOf": [*ways]} | {"oneOf": [*ways]}:
            return _first(schema, ways, root, depth)
        case _:
            return _of_type(schema, root, depth)


def _first(schema: dict[str, Any], ways: list[Any], root: dict[str, Any], depth: int) -> Any:
    """Return a value by the first of several ways that leads to one."""
    rest = {key: value for key, value in schema.items() if key not in {"anyOf", "oneOf"}}
    tried = "it allows no way"
    for way in ways:
        try:
            value = _made(_merged(rest, [way], root), root, depth + 1)
        except CannotInvent as error:
            tried = str(error)
            continue
        if not errors({**schema, **_definitions(root)}, value):
            return value
    raise CannotInvent(tried)


def _definitions(root: dict[str, Any]) -> dict[str, Any]:
    return {key: root[key] for key in ("$defs", "definitions") if key in root}


def _merged(schema: dict[str, Any], parts: list[Any], root: dict[str, Any]) -> dict[str, Any]:
    """Return the parts of a schema as one: properties and required names are joined, other words the later ones."""
    merged = {key: value for key, value in schema.items() if key != "allOf"}
    for part in parts:
        found = _at(root, part["$ref"]) if isinstance(part, dict) and "$ref" in part else part
        for key, value in (found if isinstance(found, dict) else {}).items():
            known = merged.get(key)
            if key == "properties" and isinstance(known, dict):
                merged[key] = {**known, **value}
            elif key == "required" and isinstance(known, list):
                merged[key] = [*known, *value]
            else:
                merged[key] = value
    return merged


def _of_type(schema: dict[str, Any], root: dict[str, Any], depth: int) -> Any:
    match _type(schema):
        case "object":
            return _object(schema, root, depth)
        case "array":
            return _array(schema, root, depth)
        case "string":
            return _text(schema)
        case "integer":
            return _number(schema, whole=True)
        case "number":
            return _number(schema, whole=False)
        case "boolean":
            return False
        case _:
            return None


def _type(schema: dict[str, Any]) -> str:
    given = schema.get("type")
    if isinstance(given, list):
        return "null" if "null" in given else str(given[0])
    if given:
        return str(given)
    if "properties" in schema or "required" in schema:
        return "object"
    return "array" if "items" in schema or "minItems" in schema else "null"


def _object(schema: dict[str, Any], root: dict[str, Any], depth: int) -> dict[str, Any]:
    properties = schema.get("properties", {})
    wanted = list(dict.fromkeys(schema.get("required", ())))
    spare = [name for name in properties if name not in wanted]
    wanted += spare[: max(0, schema.get("minProperties", 0) - len(wanted))]
    return {name: _made(properties.get(name, {}), root, depth + 1) for name in wanted}


def _array(schema: dict[str, Any], root: dict[str, Any], depth: int) -> list[Any]:
    first = schema.get("prefixItems", [])
    size = max(schema.get("minItems", 0), 1 if "contains" in schema else 0)
    rest = schema.get("contains", schema.get("items", {}))
    found = [_made(first[n] if n < len(first) else rest, root, depth + 1) for n in range(size)]
    return _different(found) if schema.get("uniqueItems") else found


def _different(items: list[Any]) -> list[Any]:
    """Make equal numbers and texts differ."""
    seen: set[bytes] = set()
    found = []
    for number, item in enumerate(items):
        if canonical(item) in seen:
            item = f"{item}{number}" if isinstance(item, str) else item + number if type(item) is int else item  # noqa: PLW2901
        seen.add(canonical(item))
        found.append(item)
    return found


def _text(schema: dict[str, Any]) -> str:
    if schema.get("format") in FORMATS:
        return FORMATS[schema["format"]]
    return "x" * int(schema.get("minLength", 0))


def _number(schema: dict[str, Any], *, whole: bool) -> int | float:
    """Return the number nearest to zero that the bounds allow."""
    step = schema.get("multipleOf", 1 if whole else 0)
    low = schema.get("minimum", -math.inf)
    high = schema.get("maximum", math.inf)
    if "exclusiveMinimum" in schema:
        low = max(low, schema["exclusiveMinimum"] + (step or _between(schema)))
    if "exclusiveMaximum" in schema:
        high = min(high, schema["exclusiveMaximum"] - (step or _between(schema)))
    nearest = min(max(0, low), high)
    if step:
        nearest = (math.ceil if nearest >= 0 else math.floor)(nearest / step) * step
    return int(nearest) if whole else nearest


def _between(schema: dict[str, Any]) -> float:
    """Return a step that stays between two open bounds."""
    low = schema.get("exclusiveMinimum", schema.get("minimum"))
    high = schema.get("exclusiveMaximum", schema.get("maximum"))
    return float((high - low) / 2) if low is not None and high is not None else 1.0


def _at(root: dict[str, Any], place: str) -> Any:
    """Return what a reference inside the schema leads to."""
    found: Any = root
    for part in place.removeprefix("#").split("/"):
        if part:
            name = part.replace("~1", "/").replace("~0", "~")
            if not isinstance(found, dict) or name not in found:
                raise CannotInvent(f"'{place}' leads nowhere")
            found = found[name]
    return found
