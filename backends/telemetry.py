"""The words of the OpenTelemetry GenAI conventions, in one place, as of one version.

The conventions are in development and have renamed things before; whoever follows a newer version
changes this file alone. Names under `callboard.` are ours, for what the conventions don't know.
"""

from collections.abc import Mapping
from typing import Any, Final, TypeAlias

from callboard.backends.completion import Completion
from callboard.backends.request import Request

CONVENTIONS: Final = "1.40.0"
"""The version of the semantic conventions whose words stand here."""

SCOPE: Final = "callboard.backends"
"""The instrumentation scope of our tracers and meters."""

OPERATION_NAME: Final = "gen_ai.operation.name"
PROVIDER_NAME: Final = "gen_ai.provider.name"
REQUEST_MODEL: Final = "gen_ai.request.model"
REQUEST_CHOICES: Final = "gen_ai.request.choice.count"
REQUEST_STREAM: Final = "gen_ai.request.stream"
OUTPUT_TYPE: Final = "gen_ai.output.type"
RESPONSE_ID: Final = "gen_ai.response.id"
RESPONSE_MODEL: Final = "gen_ai.response.model"
RESPONSE_FINISH_REASONS: Final = "gen_ai.response.finish_reasons"
USAGE_INPUT: Final = "gen_ai.usage.input_tokens"
USAGE_OUTPUT: Final = "gen_ai.usage.output_tokens"
USAGE_CACHED: Final = "gen_ai.usage.cache_read.input_tokens"
USAGE_REASONING: Final = "gen_ai.usage.reasoning.output_tokens"
INPUT_MESSAGES: Final = "gen_ai.input.messages"
OUTPUT_MESSAGES: Final = "gen_ai.output.messages"
TOOL_NAME: Final = "gen_ai.tool.name"
TOOL_CALL_ID: Final = "gen_ai.tool.call.id"
TOOL_TYPE: Final = "gen_ai.tool.type"
ERROR_TYPE: Final = "error.type"

CHAT: Final = "chat"
"""The operation of one model call; its span is named `chat MODEL`."""
EXECUTE_TOOL: Final = "execute_tool"
"""The operation of one tool call; its span is named `execute_tool TOOL`."""
GENERATE: Final = "generate"
"""Our own word for one `generate` as the caller sees it, with every chat and tool call in it."""

CALLER: Final = "callboard.caller"
"""Who asked: the request's `metadata["caller"]`."""
LEVEL: Final = "callboard.level"
"""`operation` for one `generate` as the caller sees it, `attempt` for one model call in it."""
ATTEMPT: Final = "callboard.attempt"
"""Which try this is, counted from 1."""
DEADLINE_LEFT: Final = "callboard.deadline_left"
"""Seconds left until the ambient deadline when the span began."""
STEPS: Final = "callboard.steps"
"""How many model calls stand behind the answer."""
TOTAL_INPUT: Final = "callboard.usage.input_tokens"
"""Input tokens over all the steps; under a name of our own, so that no dashboard counts twice."""
TOTAL_OUTPUT: Final = "callboard.usage.output_tokens"
"""Output tokens over all the steps."""
CANCELLED: Final = "callboard.cancelled"
"""True where the call was cancelled."""

CAPTURE_CONTENT: Final = "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"
"""The environment variable by which message contents are let into spans."""
CAPTURE_IN_SPANS: Final = ("SPAN_ONLY", "SPAN_AND_EVENT")
"""Its values that let them in."""

OPERATION_DURATION: Final = "gen_ai.client.operation.duration"
TOKEN_USAGE: Final = "gen_ai.client.token.usage"
TOKEN_TYPE: Final = "gen_ai.token.type"
DURATION_BUCKETS: Final = tuple(0.01 * 2**n for n in range(14))
"""Seconds, as the conventions advise: 0.01, 0.02, 0.04 ... 81.92."""
TOKEN_BUCKETS: Final = tuple(4**n for n in range(14))
"""Tokens, as the conventions advise: 1, 4, 16 ... 67108864."""

Attributes: TypeAlias = dict[str, Any]

_SAMPLING: Final[Mapping[str, str]] = {
    "temperature": "gen_ai.request.temperature",
    "top_p": "gen_ai.request.top_p",
    "top_k": "gen_ai.request.top_k",
    "max_tokens": "gen_ai.request.max_tokens",
    "max_completion_tokens": "gen_ai.request.max_tokens",
    "stop": "gen_ai.request.stop_sequences",
    "seed": "gen_ai.request.seed",
    "frequency_penalty": "gen_ai.request.frequency_penalty",
    "presence_penalty": "gen_ai.request.presence_penalty",
}


def request_attributes(request: Request[Any], *, streamed: bool) -> Attributes:
    """Describe what is asked for, without a word of the messages."""
    sampling = request.sampling
    found: Attributes = {
        word: value
        for field, word in _SAMPLING.items()
        if (value := getattr(sampling, field)) is not None
    }
    if sampling.n is not None and sampling.n != 1:
        found[REQUEST_CHOICES] = sampling.n
    if streamed:
        found[REQUEST_STREAM] = True
    if request.output is not None:
        found[OUTPUT_TYPE] = "json"
    return found


def response_attributes(completion: Completion[Any]) -> Attributes:
    """Describe what one model call brought back, without a word of the answer."""
    usage = completion.usage
    found: Attributes = {
        RESPONSE_FINISH_REASONS: (completion.finish_reason,),
        USAGE_INPUT: usage.input,
        USAGE_OUTPUT: usage.output,
    }
    if completion.model:
        found[RESPONSE_MODEL] = completion.model
    if completion.id is not None:
        found[RESPONSE_ID] = completion.id
    if usage.cached:
        found[USAGE_CACHED] = usage.cached
    if usage.reasoning:
        found[USAGE_REASONING] = usage.reasoning
    return found


def operation_attributes(completion: Completion[Any]) -> Attributes:
    """Describe what a whole `generate` brought back, over all its steps."""
    return {
        STEPS: len(completion.steps) or 1,
        TOTAL_INPUT: completion.usage.input,
        TOTAL_OUTPUT: completion.usage.output,
    }
