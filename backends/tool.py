"""Tool: something that a model may call, described by a name and a JSON schema."""

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from importlib import import_module
from typing import Any, overload

from callboard.backends.output.strict_schema import NotStrictError, strict_schema
from callboard.backends.signature import describe
from callboard.backends.tool_arguments import ToolArguments


@dataclass(frozen=True, slots=True, kw_only=True)
class Tool:
    """Something that a model may call.

    A tool without a function is external: its calls are returned to the caller of `generate`.
    Calling a Tool calls its function, so that `@tool` leaves a function usable. Make one with
    `tool`; a Tool made by hand, with a schema of one's own, passes what the model wrote unchecked.
    """

    name: str
    description: str = ""
    parameters: Mapping[str, Any]
    """JSON schema of the arguments, an object."""
    function: Callable[..., Any] | None = None
    """Called with validated arguments; may be async, and if not runs in a thread."""
    strict: bool | None = None
    """Whether the server shall enforce the schema; None leaves the word out."""
    timeout: float | None = None
    """Seconds for one call; None takes the Tools middleware's own."""
    arguments: ToolArguments = field(default_factory=ToolArguments, repr=False, compare=False)
    """Validates what a model passes."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call the function as if it had never become a tool; nothing is validated.

        Raises:
            TypeError: If the tool is external.
        """
        if self.function is None:
            raise TypeError(f"the tool {self.name!r} is external: it has no function to call")
        return self.function(*args, **kwargs)

    def __reduce__(self) -> tuple[Any, ...]:
        """Tools cross process boundaries as their function does: by its name."""
        module = str(getattr(self.function, "__module__", ""))
        name = str(getattr(self.function, "__qualname__", ""))
        if _found(module, name) is self:  # what @tool left in the function's place
            return _loaded, (module, name)
        kept = {one.name: getattr(self, one.name) for one in fields(self)[:-1]}
        described = self.arguments.described
        return _rebuild, (kept, described)


def to_tool(candidate: Tool | Callable[..., Any]) -> Tool:
    """Take a tool as it is, or make one from a function; see `tool`.

    Raises:
        TypeError: If a parameter can't be described; the message names it.
    """
    return candidate if isinstance(candidate, Tool) else make_tool(candidate)


@overload
def tool(function: Callable[..., Any], /) -> Tool: ...


@overload
def tool(
    *,
    name: str | None = None,
    description: str | None = None,
    strict: bool | None = None,
    timeout: float | None = None,
) -> Callable[[Callable[..., Any]], Tool]: ...


def tool(
    function: Callable[..., Any] | None = None,
    /,
    *,
    name: str | None = None,
    description: str | None = None,
    strict: bool | None = None,
    timeout: float | None = None,
) -> Tool | Callable[[Callable[..., Any]], Tool]:
    """Make a tool of a function: `@tool`, `@tool(timeout=5.0)`, or `tool(client.search)`.

    The result is a Tool, which can still be called like the function. Functions may be handed to a
    Request as they are, too; this describes them once instead of for each request, and has a place
    for settings.

    Args:
        function: Every parameter has a type; a Google, NumPy or Sphinx docstring describes it, or
            `Annotated[str, Field(description=...)]`. Methods are passed bound.
        name: What the model calls it; the function's own name when None.
        description: When to use it; the docstring up to its first section when None.
        strict: Whether the server shall enforce the schema, which is completed for that.
        timeout: Seconds for one call; None takes the Tools middleware's own.

    Raises:
        TypeError: If a parameter can't be described; the message names it.
    """

    def decorate(function: Callable[..., Any], /) -> Tool:
        return make_tool(
            function, name=name, description=description, strict=strict, timeout=timeout
        )

    return decorate if function is None else decorate(function)


def make_tool(
    function: Callable[..., Any],
    *,
    name: str | None = None,
    description: str | None = None,
    strict: bool | None = None,
    timeout: float | None = None,
) -> Tool:
    """Describe a function to models; see `tool`, which is the same as a decorator.

    Raises:
        TypeError: If a parameter can't be described; the message names it.
    """
    found = describe(function)
    return Tool(
        name=name or found.name,
        description=found.summary if description is None else description,
        parameters=_strict(found.parameters, found.name) if strict else found.parameters,
        function=function,
        strict=strict,
        timeout=timeout,
        arguments=ToolArguments(found.arguments, found.positional),
    )


def _strict(parameters: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    try:
        return strict_schema(parameters)
    except NotStrictError as error:
        raise TypeError(
            f"the tool {name!r} can't be strict, because no strict schema says {error}: change "
            "the type of that parameter, or leave out strict=True"
        ) from error


def _found(module: str, name: str) -> Any:
    place: Any = sys.modules.get(module)
    for part in name.split("."):
        place = getattr(place, part, None)
    return place


def _loaded(module: str, name: str) -> Any:
    import_module(module)
    return _found(module, name)


def _rebuild(kept: Mapping[str, Any], described: bool) -> Tool:
    if not described:
        return Tool(**kept)
    found = describe(kept["function"])
    return Tool(**kept, arguments=ToolArguments(found.arguments, found.positional))
