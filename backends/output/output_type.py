"""OutputType: a Python type as what a model is asked for, and as what its answer is held to."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from pydantic import PydanticUserError, TypeAdapter, ValidationError
from pydantic.errors import PydanticUndefinedAnnotation
from pydantic_core import from_json, to_json

from callboard.backends.output.json_text import json_candidates
from callboard.backends.output.nulls import without_refused_nulls
from callboard.backends.output.problems import problems_of
from callboard.backends.output.schema_writer import PlainJsonSchema
from callboard.backends.output.strict_schema import NotStrictError, strict_schema
from callboard.backends.response_format import ResponseFormat
from callboard.backends.schema_reference import referenced

CACHED: Final = 256
"""Types remembered: types made at run time, one for each question, must not pile up."""
WRAP: Final = "value"
"""The one property of the object in which a value that is no object travels."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What became of an answer: a value, or the problems with it."""

    value: Any = None
    problems: tuple[str, ...] = ()
    """What is wrong, one sentence each; empty where the value is valid."""


class OutputType:
    """A type that answers must have: its schema for asking, its validation for reading.

    Servers enforce schemas of objects alone, so any other type travels as `{"value": ...}`, and is
    taken out again; a bare value is read as well. The type `str` is plain text and no JSON at all.

    Args:
        annotation: A pydantic model, dataclass, TypedDict, `int | None`, `Literal[...]`, ...

    Raises:
        TypeError: If pydantic can't validate the type, or no JSON schema describes it.
    """

    __slots__ = ("__weakref__", "_adapter", "format", "name", "plain", "schema", "wrapped")

    def __init__(self, annotation: Any) -> None:
        self.name = _name(annotation)
        """What errors call the type."""
        self.plain = annotation is str
        """Whether the answer is plain text, and is not read as JSON."""
        self._adapter = _adapter(annotation)
        bare = _schema(annotation, self._adapter)
        self.wrapped = bare.get("type") != "object"
        """Whether the value travels as `{"value": ...}`."""
        self.schema: Mapping[str, Any] = _wrapped(bare) if self.wrapped else bare
        """JSON schema of the object that the answer must be, with every bound of the type."""
        self.format = _format(self.name, self.schema)
        """What a server that enforces schemas is sent."""

    def __repr__(self) -> str:
        return f"<OutputType {self.name}>"

    def read(self, text: str, *, prose: bool = False) -> Reading:
        """Read an answer.

        Thinking and a code fence around the JSON are passed over. A null where the type takes none
        stands for the default, since strict servers leave a model no other way to say so.

        Args:
            text: What the model wrote.
            prose: Whether JSON may also stand between words; the first that fits is taken.
        """
        if self.plain:
            return Reading(value=text)
        first = reading = self._read_json(text)
        for candidate in json_candidates(text, prose=prose) if first.problems else ():
            if candidate != text:
                reading = self._read_json(candidate)
            if not reading.problems:
                return reading
        return reading

    def _read_json(self, text: str) -> Reading:
        if self.wrapped and (inner := _unwrapped(text)) is not None:
            reading = self._validated(inner)
            if not reading.problems:
                return reading
        return self._validated(text)

    def _validated(self, text: str | bytes) -> Reading:
        try:
            return Reading(value=self._adapter.validate_json(text))
        except ValidationError as error:
            failure = error
        try:
            value = from_json(text)
            if without_refused_nulls(value, failure):
                return Reading(value=self._adapter.validate_json(to_json(value)))
        except ValidationError as error:
            failure = error
        except ValueError:
            pass  # no JSON at all: the first failure says so
        return Reading(problems=problems_of(failure))


def output_type(annotation: Any) -> OutputType:
    """Return the OutputType of an annotation, remembered for the types used last.

    Args:
        annotation: A type as `Request.output` takes it.

    Raises:
        TypeError: If pydantic can't validate the type, or no JSON schema describes it.
    """
    try:
        hash(annotation)
    except TypeError:  # Annotated[int, Field(ge=1)] has no hash
        return OutputType(annotation)
    return _remembered(annotation)


# Typing calls some types equal that pydantic tells apart by the order of their alternatives, so
# `typed` and plain equality differ in nothing that is answered differently.
_remembered = lru_cache(maxsize=CACHED)(OutputType)


def _adapter(annotation: Any) -> TypeAdapter[Any]:
    try:
        return TypeAdapter(annotation)
    except (PydanticUserError, PydanticUndefinedAnnotation) as error:
        raise _unusable(annotation, error) from error


def _schema(annotation: Any, adapter: TypeAdapter[Any]) -> dict[str, Any]:
    try:
        schema = adapter.json_schema(schema_generator=PlainJsonSchema)
    except PydanticUserError as error:
        raise _unusable(annotation, error) from error
    if "$ref" in schema:  # recursive models: servers want the object itself outermost
        schema = {**schema, **referenced(schema, schema.pop("$ref"))}
    return schema


def _unusable(annotation: Any, error: Exception) -> TypeError:
    return TypeError(f"{_name(annotation)} can't be an output type: {error}")


def _wrapped(bare: dict[str, Any]) -> dict[str, Any]:
    inner = {key: value for key, value in bare.items() if key != "$defs"}
    return {
        "type": "object",
        "properties": {WRAP: inner},
        "required": [WRAP],
        "additionalProperties": False,
        **({"$defs": bare["$defs"]} if "$defs" in bare else {}),
    }


def _unwrapped(text: str) -> bytes | None:
    """Return the JSON of the wrapped value, None where there is no wrapping."""
    try:
        found = from_json(text)
    except ValueError:
        return None
    return to_json(found[WRAP]) if isinstance(found, dict) and WRAP in found else None


def _format(name: str, schema: Mapping[str, Any]) -> ResponseFormat:
    label = re.sub(r"[^A-Za-z0-9_-]+", "_", name).strip("_")[:64] or "output"
    try:
        schema, strict = strict_schema(schema), True
    except NotStrictError:
        strict = False
    return ResponseFormat(kind="json_schema", name=label, schema=schema, strict=strict)


def _name(annotation: Any) -> str:
    return annotation.__name__ if isinstance(annotation, type) else repr(annotation)
