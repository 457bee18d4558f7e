"""Reads a function's signature and docstring as what a model needs in order to call it."""

import inspect
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any, NotRequired, cast, get_args, get_origin

from pydantic import ConfigDict, Field, PydanticUserError, TypeAdapter
from pydantic.errors import PydanticUndefinedAnnotation
from pydantic.fields import FieldInfo
from pydantic_core import PydanticSerializationError, to_jsonable_python
from typing_extensions import TypedDict

from callboard.backends.docstring import Docstring, read_docstring
from callboard.backends.output.schema_writer import PlainJsonSchema

_UNDESCRIBABLE = (PydanticUserError, PydanticUndefinedAnnotation, NameError)
_VARIADIC = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)


@dataclass(frozen=True, slots=True, kw_only=True)
class Description:
    """What a model needs to know of a function, and what its arguments are held to."""

    name: str
    summary: str
    """The docstring, as far as its first section."""
    parameters: Mapping[str, Any]
    """JSON schema of the arguments, an object."""
    arguments: TypeAdapter[Any]
    """Validates the arguments, as a dict by name."""
    positional: tuple[str, ...]
    """The parameters that must be passed by position."""


def describe(function: Callable[..., Any]) -> Description:
    """Describe a function, bound method, partial or callable object to a model.

    A partial's own arguments are not the model's to give. Descriptions come from `Field` or from
    the docstring.

    Raises:
        TypeError: If a parameter can't be described; the message names it.
    """
    name = _name(function)
    parameters = _parameters(function, name)
    told = read_docstring(_documentation(function))
    adapter = _adapter(parameters, told, name)
    return Description(
        name=name,
        summary=told.description,
        parameters=_schema(adapter, parameters),
        arguments=adapter,
        positional=tuple(p.name for p in parameters if p.kind is p.POSITIONAL_ONLY),
    )


def innermost_function(function: Callable[..., Any]) -> Any:
    """Return what partials were made of: it has the name, the docstring and the kind."""
    inner: Any = function
    while isinstance(inner, partial):
        inner = inner.func
    return inner


def _documentation(function: Callable[..., Any]) -> str | None:
    inner = innermost_function(function)
    if inspect.isroutine(inner) or isinstance(inner, type):
        return inspect.getdoc(inner)
    return inspect.getdoc(inner.__class__) or inspect.getdoc(inner.__class__.__call__)


def _name(function: Callable[..., Any]) -> str:
    inner = innermost_function(function)
    return str(getattr(inner, "__name__", None) or type(inner).__name__)


def _parameters(function: Callable[..., Any], name: str) -> list[inspect.Parameter]:
    try:
        signature = inspect.signature(function, eval_str=True)
    except (NameError, ValueError, AttributeError, SyntaxError) as error:
        raise TypeError(f"the signature of the tool {name!r} can't be read: {error}") from error
    bound: Mapping[str, Any] = function.keywords if isinstance(function, partial) else {}
    parameters = [p for p in signature.parameters.values() if p.name not in bound]
    for parameter in parameters:
        _check(parameter, name)
    return parameters


def _check(parameter: inspect.Parameter, function: str) -> None:
    if parameter.kind in _VARIADIC:
        raise TypeError(
            f"the tool {function!r} takes {parameter}, which no schema describes: give each "
            "parameter a name and a type, or bind it with functools.partial"
        )
    if parameter.annotation is parameter.empty:
        hint = " (pass the bound method of an object)" if parameter.name in ("self", "cls") else ""
        raise TypeError(
            f"the parameter {parameter.name!r} of the tool {function!r} has no type: annotate "
            f"it{hint}, so that models know what to pass"
        )


def _adapter(
    parameters: Iterable[inspect.Parameter], told: Docstring, name: str
) -> TypeAdapter[Any]:
    kinds = {p.name: _kind(p, told.parameters.get(p.name)) for p in parameters}
    try:
        return _arguments(kinds)
    except _UNDESCRIBABLE:
        for parameter, kind in kinds.items():
            _blame(parameter, kind, name)
        raise


def _arguments(kinds: Mapping[str, Any]) -> TypeAdapter[Any]:
    # A TypedDict rather than a model: it takes any name, `_private`, `schema` and `json` included.
    arguments: Any = cast("Any", TypedDict)("Arguments", kinds)
    arguments.__pydantic_config__ = ConfigDict(extra="forbid")
    adapter: TypeAdapter[Any] = TypeAdapter(arguments)
    adapter.json_schema(schema_generator=PlainJsonSchema)
    return adapter


def _blame(parameter: str, kind: Any, name: str) -> None:
    try:
        _arguments({parameter: kind})
    except _UNDESCRIBABLE as error:
        raise TypeError(
            f"the parameter {parameter!r} of the tool {name!r} can't be described to a model: "
            f"{error}"
        ) from error


def _kind(parameter: inspect.Parameter, description: str | None) -> Any:
    kind: Any = parameter.annotation
    default: Any = parameter.default
    if isinstance(default, FieldInfo):
        kind = Annotated[kind, default]
    if description and not _has_description(kind):
        kind = Annotated[kind, Field(description=description)]
    return kind if _is_required(parameter) else NotRequired[kind]


def _is_required(parameter: inspect.Parameter) -> bool:
    default: Any = parameter.default
    if isinstance(default, FieldInfo):
        return default.is_required()
    return default is parameter.empty


def _has_description(kind: Any) -> bool:
    if get_origin(kind) is not Annotated:
        return False
    return any(isinstance(note, FieldInfo) and note.description for note in get_args(kind)[1:])


def _schema(adapter: TypeAdapter[Any], parameters: Iterable[inspect.Parameter]) -> dict[str, Any]:
    schema = adapter.json_schema(schema_generator=PlainJsonSchema)
    del schema["title"]
    for parameter in parameters:
        default: Any = parameter.default
        if default is not parameter.empty and not isinstance(default, FieldInfo):
            with suppress(PydanticSerializationError):  # not everything can be told as JSON
                told = to_jsonable_python(default)
                schema["properties"][parameter.name].setdefault("default", told)
    return schema
