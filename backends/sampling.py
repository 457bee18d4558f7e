"""SamplingParams: how a completion is to be drawn."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class SamplingParams:
    """The chat API's sampling fields; None means not sent, so that the server's default holds."""

    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    min_p: float | None = None
    max_tokens: int | None = None
    """Tokens of the answer, sent as `max_tokens`."""
    max_completion_tokens: int | None = None
    """The same under the newer name, sent as `max_completion_tokens`."""
    stop: tuple[str, ...] | None = None
    seed: int | None = None
    frequency_penalty: float | None = None
    presence_penalty: float | None = None
    logit_bias: Mapping[str, float] | None = None
    logprobs: bool | None = None
    top_logprobs: int | None = None
    n: int | None = None
    parallel_tool_calls: bool | None = None
    reasoning_effort: Literal["none", "minimal", "low", "medium", "high", "xhigh"] | None = None
    service_tier: str | None = None
    user: str | None = None
    extra_body: Mapping[str, Any] | None = None
    """Fields of one server alone, merged into the body last."""
    extra_headers: Mapping[str, str] | None = None

    def merged(self, over: "SamplingParams | None") -> "SamplingParams":
        """Return these params with every field that `over` sets taken from `over`."""
        if over is None:
            return self
        return SamplingParams(
            **{
                f.name: mine if (theirs := getattr(over, f.name)) is None else theirs
                for f in fields(self)
                for mine in (getattr(self, f.name),)
            }
        )
