"""Reads a function's signature and docstring as a tool's description."""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import TypeAdapter


@dataclass(frozen=True, slots=True, kw_only=True)
class Description:
    """What a model needs to know of a function."""

    name: str
    summary: str
    parameters: Mapping[str, Any]
    """JSON schema of the arguments, an object."""


def describe(function: Callable[..., Any]) -> Description:
    """Describe a function to a model.

    Raises:
        TypeError: If a parameter can't be described; the message names it.
    """
    signature = inspect.signature(function, eval_str=True)
    properties: dict[str, Any] = {}
    for parameter in signature.parameters.values():
        properties[parameter.name] = TypeAdapter(parameter.annotation).json_schema()
    required = [p.name for p in signature.parameters.values() if p.default is p.empty]
    schema = {"type": "object", "properties": properties, "required": required}
    return Description(
        name=function.__name__, summary=inspect.getdoc(function) or "", parameters=schema
    )
