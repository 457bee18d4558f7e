"""Writes a request as the fields of a chat completions call: only what was explicitly set."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from callboard.backends.errors import BadRequestError
from callboard.backends.request import Request
from callboard.backends.response_format import ResponseFormat
from callboard.backends.sampling import SamplingParams
from callboard.backends.tool import Tool
from callboard.backends.wire.message_writing import message_body


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatCall:
    """One call, ready to be sent: as one body, or as the arguments of `create`."""

    fields: dict[str, Any]
    """The API's own fields."""
    extra: Mapping[str, Any]
    """Fields of one server alone; they go into the body last, and win."""
    headers: Mapping[str, str]
    """Headers of this call alone."""

    def body(self) -> dict[str, Any]:
        """Return the whole JSON body."""
        return {**self.fields, **self.extra} if self.extra else self.fields

    def arguments(self) -> dict[str, Any]:
        """Return keyword arguments for `chat.completions.create`, with nothing that is empty."""
        arguments = dict(self.fields)
        if self.extra:
            arguments["extra_body"] = dict(self.extra)
        if self.headers:
            arguments["extra_headers"] = dict(self.headers)
        return arguments


_API_FIELDS = (
    "temperature",
    "top_p",
    "max_tokens",
    "max_completion_tokens",
    "seed",
    "frequency_penalty",
    "presence_penalty",
    "logprobs",
    "top_logprobs",
    "n",
    "parallel_tool_calls",
    "reasoning_effort",
    "service_tier",
    "user",
)
_NOTHING = SamplingParams()


def chat_call(
    request: Request[Any],
    *,
    model: str,
    defaults: SamplingParams = _NOTHING,
    stream: bool = False,
    stream_usage: bool = False,
) -> ChatCall:
    """Write a request as one chat completions call.

    Linear in the number of messages, with nothing heavy for each. `parallel_tool_calls` and
    `tool_choice` are only sent along with tools.

    Args:
        request: What to ask; `output` is not read (`response_format` is).
        model: The model's name on the server.
        defaults: Sampling fields for which the request says nothing.
        stream: Whether the answer is to come in pieces.
        stream_usage: Whether to ask for the usage at the end of a stream.

    Raises:
        BadRequestError: If `tool_choice` names a tool that the request does not have.
    """
    fields: dict[str, Any] = {
        "model": model,
        "messages": [message_body(message) for message in request.messages],
    }
    _add_sampling(fields, defaults)
    _add_sampling(fields, request.sampling)
    _add_tools(fields, request)
    if request.response_format is not None:
        fields["response_format"] = _response_format(request.response_format)
    if stream:
        fields["stream"] = True
        if stream_usage:
            fields["stream_options"] = {"include_usage": True}
    return ChatCall(
        fields=fields,
        extra=_extra(defaults, request.sampling),
        headers=request.sampling.extra_headers or defaults.extra_headers or {},
    )


def _add_sampling(fields: dict[str, Any], sampling: SamplingParams) -> None:
    for name in _API_FIELDS:
        value = getattr(sampling, name)
        if value is not None:
            fields[name] = value
    if sampling.stop is not None:
        fields["stop"] = list(sampling.stop)
    if sampling.logit_bias is not None:
        fields["logit_bias"] = dict(sampling.logit_bias)


def _extra(defaults: SamplingParams, sampling: SamplingParams) -> dict[str, Any]:
    extra: dict[str, Any] = {}
    for params in (defaults, sampling):
        if params.top_k is not None:
            extra["top_k"] = params.top_k
        if params.min_p is not None:
            extra["min_p"] = params.min_p
    own = sampling.extra_body if sampling.extra_body is not None else defaults.extra_body
    if own:
        extra.update(own)
    return extra


def _add_tools(fields: dict[str, Any], request: Request[Any]) -> None:
    if not request.tools:
        fields.pop("parallel_tool_calls", None)
        return
    fields["tools"] = [_tool(tool) for tool in request.tools]
    choice = request.tool_choice
    if choice is not None:
        fields["tool_choice"] = _tool_choice(choice, request.tools)


def _tool(tool: Tool) -> dict[str, Any]:
    function: dict[str, Any] = {"name": tool.name}
    if tool.description:
        function["description"] = tool.description
    function["parameters"] = tool.parameters
    if tool.strict is not None:
        function["strict"] = tool.strict
    return {"type": "function", "function": function}


def _tool_choice(choice: str, tools: tuple[Tool, ...]) -> str | dict[str, Any]:
    if choice in ("auto", "none", "required"):
        return choice
    if all(tool.name != choice for tool in tools):
        names = ", ".join(tool.name for tool in tools)
        raise BadRequestError(
            f"tool_choice names {choice!r}, which is none of the request's tools ({names}); "
            "name one of them, or say auto, none or required"
        )
    return {"type": "function", "function": {"name": choice}}


def _response_format(form: ResponseFormat) -> dict[str, Any]:
    if form.kind == "json_object":
        return {"type": "json_object"}
    schema = {"name": form.name, "schema": form.schema, "strict": form.strict}
    return {"type": "json_schema", "json_schema": schema}
