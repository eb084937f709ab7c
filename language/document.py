"""Read a YAML file whose keys are a model's own fields, with a finding for each thing the model refuses."""

from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from contracts.step import Place
from language.finding import Finding, Rejected
from language.name import nearest
from language.yaml_source import MOST_BYTES, Value, read_yaml

Model = TypeVar("Model", bound=BaseModel)


def read_document(model: type[Model], text: str, file: str) -> tuple[Model | None, Value, list[Finding]]:
    """Return a file's document, its YAML, and the findings; no document where there are findings."""
    value, findings = read_yaml(text, file)
    value = value or Value(Place(file=file, line=1, column=1), {})
    if findings:
        return None, value, findings
    try:
        return model.model_validate(value.plain() if value.data is not None else {}), value, []
    except ValidationError as error:
        return None, value, [explained(problem, value, model) for problem in error.errors()]


def explained(problem: Any, value: Value, model: type[BaseModel]) -> Finding:
    """Return one of pydantic's errors as a finding at its place."""
    path, parent_model = walked(model, problem["loc"])
    name = str(path[-1]) if path else "the file"
    place = value.place_of(*path)
    match problem["type"]:
        case "extra_forbidden":
            known = list(getattr(parent_model, "model_fields", {}))
            meant = nearest(name, known)
            mend = f"did you mean '{meant}'?" if meant else f"keys here: {', '.join(known)}"
            parent = value.find(*path[:-1])
            return Finding("UNKNOWN_KEY", f"unknown key '{name}'", parent.key_places.get(name, place), mend)
        case "union_tag_invalid":
            key, tags = (problem["ctx"][name].replace("'", "") for name in ("discriminator", "expected_tags"))
            return Finding("BAD_VALUE", f"'{key}': input should be {either(tags)}", value.place_of(*path, key))
        case "missing":
            return Finding("MISSING_KEY", f"the key '{name}' is missing", place, f"write '{name}: …'")
        case "model_attributes_type":
            return Finding("WRONG_TYPE", f"'{name}': input should be a valid map", place)
        case "model_type" | "dict_type" | "tuple_type" | "string_type" | "bool_type":
            return Finding("WRONG_TYPE", f"'{name}': {lowered(problem['msg'])}", place)
        case _:
            return Finding("BAD_VALUE", f"'{name}': {lowered(problem['msg'])}", place)


def lowered(message: str) -> str:
    """Return pydantic's sentence as a part of ours."""
    message = message.removeprefix("Value error, ")
    message = message.replace("valid tuple", "list").replace("valid dictionary", "map")
    return message[:1].lower() + message[1:]


def either(tags: str) -> str:
    """Return pydantic's list of tags as it spells the words of a key."""
    *others, last = (f"'{tag}'" for tag in tags.split(", "))
    return f"{', '.join(others)} or {last}" if others else last


def walked(model: Any, path: tuple[Any, ...]) -> tuple[tuple[Any, ...], Any]:
    """Return a path as it stands in the file, and the model that holds its last part.

    A map's keys and a list's numbers lead to what they hold. The tag of a union, which pydantic puts between, nobody
    wrote: it only says which of the models was meant.
    """
    written: list[Any] = []
    holder, inner = model, [model]
    for part in path:
        meant = [one for one in inner if len(inner) > 1 and part == tag(one)]
        if meant:
            inner = meant
            continue
        holder = inner[0] if inner else None
        written.append(part)
        fields = getattr(holder, "model_fields", {})
        if part in fields:
            inner = inner_models(fields[part])
    return tuple(written), holder


def tag(model: Any) -> Any:
    """Return the word by which a model is known in a union of agents."""
    field = model.model_fields.get("runtime")
    return field.default if field else None


def inner_models(field: FieldInfo) -> list[Any]:
    """Return the models in a field's annotation, such as `dict[str, Model]` or `Model | None`."""

    def found(annotation: Any) -> list[Any]:
        if isinstance(annotation, type) and issubclass(annotation, BaseModel):
            return [annotation]
        return [one for part in getattr(annotation, "__args__", ()) for one in found(part)]

    return found(field.annotation)


def read_file(path: Path, missing: str = "") -> str:
    """Return a file's text. Raises `Rejected`; `missing` says what to write into a file that is not there."""
    place = Place(file=str(path), line=1, column=1)
    try:
        with path.open("rb") as file:
            data = file.read(MOST_BYTES + 1)
    except OSError as error:
        mend = missing if isinstance(error, FileNotFoundError) else ""
        raise Rejected([Finding("FILE", f"cannot be read: {error.strerror}", place, mend)]) from error
    if len(data) > MOST_BYTES:
        raise Rejected([Finding("YAML_SIZE", f"the file has more than {MOST_BYTES} bytes", place, "split it up")])
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        message = f"byte {error.start} is not UTF-8"
        raise Rejected([Finding("YAML_SYNTAX", message, place, "save it as UTF-8")]) from error
