"""Tool: something that a model may call, described by a name and a JSON schema."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from callboard.backends.signature import describe


@dataclass(frozen=True, slots=True, kw_only=True)
class Tool:
    """Something that a model may call.

    A tool without a function is external: its calls are returned to the caller of `generate`.
    """

    name: str
    description: str = ""
    parameters: Mapping[str, Any]
    """JSON schema of the arguments, an object."""
    function: Callable[..., Any] | None = None
    """Called with validated keyword arguments; may be async, and if not runs in a thread."""
    strict: bool | None = None
    """Whether the server shall enforce the schema; None leaves the word out."""
    timeout: float | None = None
    """Seconds for one call; None takes the Tools middleware's own."""


def to_tool(tool: Tool | Callable[..., Any]) -> Tool:
    """Take a tool as it is, or make one from a function; see `callboard.backends.tool.tool`.

    Raises:
        TypeError: If a parameter can't be described; the message names it.
    """
    return tool if isinstance(tool, Tool) else make_tool(tool)


def make_tool(
    function: Callable[..., Any],
    *,
    name: str | None = None,
    description: str | None = None,
    strict: bool | None = None,
    timeout: float | None = None,
) -> Tool:
    """Describe a function to models: name, docstring, and a schema from its signature.

    Args:
        function: Typed parameters; a Google, NumPy or Sphinx docstring describes them.
        name: What the model calls it; the function's own name when None.
        description: When to use it; the docstring's first paragraph when None.
        strict: Whether the server shall enforce the schema.
        timeout: Seconds for one call.

    Raises:
        TypeError: If a parameter can't be described; the message names it.
    """
    description_found = describe(function)
    return Tool(
        name=name or description_found.name,
        description=description_found.summary if description is None else description,
        parameters=description_found.parameters,
        function=function,
        strict=strict,
        timeout=timeout,
    )
