"""RandomBackend: a seeded policy that answers at random, and always to the schema.

It is the embedded default: no key, no network, no weights. Prices drawn uniformly between the
bounds of a schema are the zero-intelligence traders of Gode and Sunder (Journal of Political
Economy 101(1), 1993).

Every draw comes from the triple (seed, caller, call index), hashed, where the index counts the
calls of one caller. No source is shared: what one caller draws never depends on what the others
do, or on the order in which they do it.
"""

from collections import defaultdict
from hashlib import blake2b
from random import Random
from typing import Any, ClassVar, TypeVar, cast

from anyio.lowlevel import checkpoint
from pydantic_core import to_json

from callboard.backends.capabilities import Capabilities
from callboard.backends.completion import Completion
from callboard.backends.delta import Sink
from callboard.backends.double import DOUBLE_CAPABILITIES, tell_sink, to_completion
from callboard.backends.errors import CapabilityError
from callboard.backends.messages import AssistantMessage, ToolCall, ToolMessage
from callboard.backends.output.output_type import output_type
from callboard.backends.random_json import random_json
from callboard.backends.random_string import random_words
from callboard.backends.request import Request
from callboard.backends.schema_merge import Schema, UnsupportedSchemaError
from callboard.backends.tool import Tool

T = TypeVar("T")

_ANY_OBJECT: Schema = {"type": "object", "additionalProperties": {"type": "string"}}


class RandomBackend:
    """Answers at random: valid JSON where a schema is asked for, tool calls, else nonsense words.

    `request.metadata["caller"]` names who is asking; requests without it share the caller "". The
    same seed gives the same answers, call by call and caller by caller. Every `generate` counts as
    a call, a retry or a repair included.

    Args:
        seed: Another seed, another world.
        tool_rate: How likely a request that offers tools gets a tool call, 0 to 1. A request that
            requires a tool gets one, and one that ends with a tool's result gets none.
        model: The name that its completions carry.

    Raises:
        ValueError: If `tool_rate` is no probability.
    """

    in_process: ClassVar[bool] = True
    """Its spans are no client's: nothing leaves the process."""

    def __init__(self, seed: int = 0, *, tool_rate: float = 0.25, model: str = "random") -> None:
        if not 0 <= tool_rate <= 1:
            raise ValueError(f"tool_rate is a probability from 0 to 1, got {tool_rate!r}")
        self.seed = seed
        self.tool_rate = tool_rate
        self.model = model
        self._calls: defaultdict[str, int] = defaultdict(int)

    @property
    def capabilities(self) -> Capabilities:
        """Everything that needs no model."""
        return DOUBLE_CAPABILITIES

    async def generate(self, request: Request[T], sink: Sink | None = None) -> Completion[T]:
        """Answer at random.

        Raises:
            CapabilityError: If nothing can be drawn from the schema, or the tool that the request
                names is not there.
        """
        caller = str(request.metadata.get("caller", ""))
        index = self._calls[caller]
        self._calls[caller] = index + 1
        message = self._answer(request, _source(self.seed, caller, index), index)
        completion = to_completion(message, request, self.model)
        await checkpoint()
        if sink is not None:
            await tell_sink(sink, message)
        return cast("Completion[T]", completion)

    async def aclose(self) -> None:
        """Do nothing: there is nothing to free."""

    def __repr__(self) -> str:
        return f"<RandomBackend seed={self.seed}>"

    def _answer(self, request: Request[Any], rng: Random, index: int) -> AssistantMessage:
        tool = _chosen_tool(request, rng, self.tool_rate) if request.tools else None
        if tool is not None:
            arguments = _drawn(tool.parameters, rng, f"the parameters of the tool {tool.name!r}")
            call = ToolCall(id=f"call_{index}", name=tool.name, arguments=arguments)
            return AssistantMessage(tool_calls=(call,))
        schema = _asked_schema(request)
        if schema is None:
            return AssistantMessage(random_words(rng))
        return AssistantMessage(_drawn(schema, rng, "the schema of the output"))


def _source(seed: int, caller: str, index: int) -> Random:
    digest = blake2b(
        f"{seed}\0{caller}\0{index}".encode("utf-8", "surrogatepass"), digest_size=8
    ).digest()
    return Random(int.from_bytes(digest))  # noqa: S311 - a policy, not a secret


def _asked_schema(request: Request[Any]) -> Schema | None:
    """Return the schema to draw from, None for plain text."""
    # The type's own schema has every bound; what is sent to servers has those that they know.
    output = None if request.output is None else output_type(request.output)
    if output is not None and not output.plain:
        return output.schema
    form = request.response_format
    if form is None:
        return None
    return _ANY_OBJECT if form.schema is None else form.schema


def _chosen_tool(request: Request[Any], rng: Random, rate: float) -> Tool | None:
    choice = request.tool_choice or "auto"
    if choice == "none":
        return None
    if choice not in ("auto", "required"):
        return _named(request, choice)
    answered = isinstance(request.messages[-1], ToolMessage) if request.messages else False
    if choice == "auto" and (answered or rng.random() >= rate):
        return None
    return rng.choice(request.tools)


def _named(request: Request[Any], name: str) -> Tool:
    for tool in request.tools:
        if tool.name == name:
            return tool
    offered = ", ".join(tool.name for tool in request.tools)
    raise CapabilityError(f"tool_choice names {name!r}, but the request offers only {offered}")


def _drawn(schema: Schema, rng: Random, what: str) -> str:
    try:
        return to_json(random_json(schema, rng)).decode()
    except UnsupportedSchemaError as error:
        raise CapabilityError(
            f"nothing random can be drawn for {what}: {error}. Simplify the schema, or answer with "
            "a FunctionBackend"
        ) from error
