"""Check JSON Schemas and values against them.

Pure: a schema may refer to itself and never to an address, and its patterns run in time linear in the text.
Validators are kept by the canonical text of their schema.
"""

from functools import lru_cache
from itertools import islice
from typing import Any

import jsonschema_rs

from contracts.base import canonical

MOST_ERRORS = 20
LONGEST_MESSAGE = 300


def check_schema(schema: Any) -> list[str]:
    """Return what is wrong with a JSON Schema; an empty list when it can be used."""
    if not isinstance(schema, dict | bool):
        return ["a JSON Schema is a mapping"]
    try:
        compiled(schema)
    except (ValueError, jsonschema_rs.ReferencingError) as error:
        return [explained(error)]
    return []


def errors(schema: dict[str, Any], value: Any) -> list[str]:
    """Return how a value fails a schema, each with its place in the value; an empty list when it fits.

    Raises `ValueError` when the schema itself cannot be used.
    """
    try:
        problems = islice(compiled(schema).iter_errors(value), MOST_ERRORS)
        return sorted(shown(problem) for problem in problems)
    except jsonschema_rs.ReferencingError as error:
        raise ValueError(explained(error)) from error


def compiled(schema: Any) -> jsonschema_rs.Validator:
    """Return the validator of a schema. Raises `ValueError` or `ReferencingError` for one that cannot be used."""
    return _compiled(canonical(schema).decode())


@lru_cache(maxsize=512)
def _compiled(text: str) -> jsonschema_rs.Validator:
    return jsonschema_rs.validator_for(
        text,
        validate_formats=True,
        retriever=deny,
        pattern_options=jsonschema_rs.RegexOptions(size_limit=1_000_000, dfa_size_limit=1_000_000),
    )


def deny(uri: str, /) -> Any:
    """Refuse to fetch: no schema reaches outside its own document."""
    raise ValueError(f"'{uri}' is outside this schema; write the definition here, under $defs")


def shown(problem: jsonschema_rs.ValidationError) -> str:
    """Return one error as `place: message`, where place is a path such as `alert.severity[0]`."""
    place = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in problem.instance_path)
    message = problem.message
    if len(message) > LONGEST_MESSAGE:
        message = message[:LONGEST_MESSAGE] + "…"
    return f"{place.lstrip('.')}: {message}" if place else message


def explained(error: Exception) -> str:
    """Return the first line of what the library says about a schema that it refuses."""
    place = getattr(error, "instance_path", None)
    where = f" at {'/'.join(map(str, place))}" if place else ""
    reason = str(getattr(error, "message", error)).splitlines()[0].rpartition("ValueError: ")[2]
    return f"{reason}{where}"
