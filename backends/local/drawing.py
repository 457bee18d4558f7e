"""Drawing: how one answer's tokens are drawn, by the request's word or the model's defaults."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from callboard.backends.errors import BadRequestError, CapabilityError
from callboard.backends.sampling import SamplingParams

EXTRA = ("chat_template_kwargs", "repetition_penalty")
"""The fields of `extra_body` that mean something here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawing:
    """How tokens are drawn. Everything is neutral unless the request or the model says otherwise.

    In this order: penalties and bias, temperature, top_k, top_p, min_p, then the draw.
    """

    temperature: float = 1.0
    """0 takes the likeliest token."""
    top_k: int = 0
    """Only the k likeliest tokens; 0 for all."""
    top_p: float = 1.0
    """Only the likeliest tokens that together reach this probability."""
    min_p: float = 0.0
    """Only tokens at least this likely relative to the likeliest."""
    repetition_penalty: float = 1.0
    """Divides the logits of every token seen so far (arXiv:1909.05858); 1 for none."""
    frequency_penalty: float = 0.0
    """Taken off a token's logit for each time it stands in the answer."""
    presence_penalty: float = 0.0
    """Taken off a token's logit once it stands in the answer."""
    bias: Mapping[int, float]
    """Added to the logits of these tokens."""
    seed: int | None = None
    """The same seed draws the same tokens; None draws a seed."""
    top_logprobs: int = 0
    """How many alternatives to record with each token."""


def read_drawing(sampling: SamplingParams, defaults: Mapping[str, Any], vocabulary: int) -> Drawing:
    """Read how to draw; what the request leaves open is the model's own default, if it has one.

    Args:
        sampling: The request's own words.
        defaults: The model's generation configuration, only what it sets.
        vocabulary: How many tokens there are.

    Raises:
        BadRequestError: If a value is outside its range; the message names it.
    """
    extra = sampling.extra_body or {}
    drawing = Drawing(
        temperature=_first(sampling.temperature, defaults.get("temperature"), 1.0),
        top_k=max(0, _first(sampling.top_k, defaults.get("top_k"), 0)),  # elsewhere -1 means all
        top_p=_first(sampling.top_p, defaults.get("top_p"), 1.0),
        min_p=_first(sampling.min_p, defaults.get("min_p"), 0.0),
        repetition_penalty=_first(
            extra.get("repetition_penalty"), defaults.get("repetition_penalty"), 1.0
        ),
        frequency_penalty=sampling.frequency_penalty or 0.0,
        presence_penalty=sampling.presence_penalty or 0.0,
        bias=_bias(sampling.logit_bias or {}, vocabulary),
        seed=sampling.seed,
        top_logprobs=sampling.top_logprobs or 0,
    )
    _check(drawing, vocabulary)
    return drawing


def refuse_unknown(sampling: SamplingParams) -> None:
    """Refuse what this backend can't do, rather than ignore it.

    Raises:
        CapabilityError: If the request asks for several choices, or for another server's fields.
    """
    if (sampling.n or 1) != 1:
        raise CapabilityError(
            f"the in-process model gives one choice per call, and n={sampling.n} was asked for: "
            "make n calls, with a seed each if they are to be repeatable"
        )
    unknown = sorted(set(sampling.extra_body or {}) - set(EXTRA))
    if unknown:
        raise CapabilityError(
            f"extra_body has fields that the in-process model does not know: {', '.join(unknown)}; "
            f"it knows {', '.join(EXTRA)}"
        )


def _first(*values: Any) -> Any:
    return next(value for value in values if value is not None)


def _bias(bias: Mapping[str, float], vocabulary: int) -> Mapping[int, float]:
    try:
        read = {int(token): float(value) for token, value in bias.items()}
    except (TypeError, ValueError) as error:
        raise BadRequestError(f"logit_bias maps token ids to numbers: {error}") from error
    strange = [token for token in read if not 0 <= token < vocabulary]
    if strange:
        raise BadRequestError(
            f"logit_bias names tokens {strange[:5]}, and the model's are 0 to {vocabulary - 1}"
        )
    return read


def _check(drawing: Drawing, vocabulary: int) -> None:
    allowed = {
        "temperature": (0.0, math.inf),
        "top_k": (0, math.inf),
        "top_p": (0.0, 1.0),
        "min_p": (0.0, 1.0),
        "repetition_penalty": (0.0, math.inf),
        "frequency_penalty": (-math.inf, math.inf),
        "presence_penalty": (-math.inf, math.inf),
        "top_logprobs": (0, vocabulary),
    }
    for name, (low, high) in allowed.items():
        value = getattr(drawing, name)
        if not (isinstance(value, int | float) and math.isfinite(value) and low <= value <= high):
            raise BadRequestError(f"{name} must be a number from {low} to {high}, got {value!r}")
    if drawing.repetition_penalty == 0:
        raise BadRequestError("repetition_penalty divides: it must be above 0, and 1 for none")
