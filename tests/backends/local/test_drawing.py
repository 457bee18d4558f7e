"""Sampling values are read from the request, then the model, and refused outside their range."""

import math
from typing import Any

import pytest

from callboard.backends.errors import BadRequestError, CapabilityError
from callboard.backends.local.drawing import Drawing, read_drawing, refuse_unknown
from callboard.backends.sampling import SamplingParams


def read(defaults: dict[str, Any] | None = None, **sampling: Any) -> Drawing:
    """Read for a vocabulary of ten."""
    return read_drawing(SamplingParams(**sampling), defaults or {}, 10)


def test_nothing_said_is_neutral() -> None:
    """Without a word from either side the model's own distribution is drawn from."""
    assert read() == Drawing(bias={})


def test_the_request_goes_before_the_model() -> None:
    """The model's own defaults hold where the request says nothing, zero being something."""
    model = {"temperature": 0.7, "top_k": 20, "top_p": 0.8, "repetition_penalty": 1.05}
    drawing = read(model, temperature=0, top_k=-1)
    assert drawing.temperature == 0
    assert drawing.top_k == 0
    assert drawing.top_p == 0.8
    assert drawing.repetition_penalty == 1.05


@pytest.mark.parametrize(
    "wrong",
    [
        {"temperature": -1.0},
        {"temperature": math.nan},
        {"temperature": math.inf},
        {"top_p": 1.5},
        {"min_p": -0.1},
        {"top_logprobs": 11},
        {"frequency_penalty": math.nan},
        {"extra_body": {"repetition_penalty": 0}},
        {"extra_body": {"repetition_penalty": "high"}},
        {"logit_bias": {"10": 1.0}},
        {"logit_bias": {"word": 1.0}},
    ],
    ids=str,
)
def test_values_out_of_range_are_refused(wrong: dict[str, Any]) -> None:
    """The error names the field."""
    name = next(iter(wrong.get("extra_body", wrong)))
    with pytest.raises(BadRequestError, match=name):
        read(**wrong)


@pytest.mark.parametrize("wrong", [{"n": 2}, {"extra_body": {"guided_json": {}}}], ids=str)
def test_what_cannot_be_done_is_refused(wrong: dict[str, Any]) -> None:
    """Several choices and another server's fields are not silently ignored."""
    with pytest.raises(CapabilityError):
        refuse_unknown(SamplingParams(**wrong))
