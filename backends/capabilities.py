"""Capabilities: what a backend can do, as far as anyone knows."""

from dataclasses import dataclass
from typing import Literal

Support = Literal["yes", "no", "unknown"]
"""Unknown is a value: it is neither assumed nor refused."""

StructuredMode = Literal["json_schema", "json_object", "prompt"]
"""How a structured output is asked for: enforced by the server, JSON mode, or words alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Capabilities:
    """What a backend can do. Middleware reads it; nothing here is ever sent."""

    structured: tuple[StructuredMode, ...] = ("prompt",)
    """Structured output modes, the most reliable first. `prompt` works with any model."""
    tools: Support = "unknown"
    parallel_tools: Support = "unknown"
    streaming: Support = "unknown"
    vision: Support = "unknown"
    logprobs: Support = "unknown"
    logprob_semantics: Literal["raw", "processed", "unknown"] = "unknown"
    """Whether log-probabilities are the model's own, or those after temperature and masks."""
    token_ids: Support = "unknown"
    """Whether completions carry the ids of their tokens."""
    token_input: Support = "unknown"
    """Whether prompts may be given as token ids."""
    n: Support = "unknown"
    """Whether one call may return several choices."""
    seed: Support = "unknown"
