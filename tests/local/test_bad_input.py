"""Whatever a caller asks for, the answer is a typed error, and the next caller is served."""

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from callboard.backends.errors import (
    BackendError,
    BackendProtocolError,
    BadRequestError,
    CapabilityError,
    ContextLengthError,
    NotFoundError,
)
from callboard.backends.local.backend import LocalBackend
from callboard.backends.messages import UserMessage
from callboard.backends.parts import ImagePart, TextPart
from callboard.backends.request import Request
from callboard.backends.response_format import ResponseFormat
from callboard.backends.sampling import SamplingParams
from callboard.backends.tool import Tool

pytestmark = [pytest.mark.anyio, pytest.mark.local]

IMAGE = ImagePart.from_url("data:image/png;base64,AAAA")
SEARCH = Tool(name="search", parameters={"type": "object"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Bad:
    """A request that can't be answered, and how it ends."""

    error: type[BackendError]
    match: str
    request: Request[Any]


def sampled(**sampling: Any) -> Request[None]:
    """Ask with these params."""
    return Request("hello", sampling=SamplingParams(**sampling))


CASES = {
    "long prompt": Bad(error=ContextLengthError, match="shorten", request=Request("é" * 2000)),
    "long answer": Bad(error=ContextLengthError, match="512", request=sampled(max_tokens=505)),
    "no room": Bad(error=BadRequestError, match="max_tokens", request=sampled(max_tokens=0)),
    "temperature": Bad(error=BadRequestError, match="temperature", request=sampled(temperature=-1)),
    "two choices": Bad(error=CapabilityError, match="n=2", request=sampled(n=2)),
    "foreign field": Bad(
        error=CapabilityError, match="guided_json", request=sampled(extra_body={"guided_json": {}})
    ),
    "token id": Bad(
        error=BadRequestError, match="logit_bias", request=sampled(logit_bias={"99999": 1})
    ),
    "image": Bad(
        error=CapabilityError,
        match="image",
        request=Request(UserMessage((TextPart("what is this?"), IMAGE))),
    ),
    "must call": Bad(
        error=CapabilityError,
        match="required",
        request=Request("hello", tools=[SEARCH], tool_choice="required"),
    ),
    "response format": Bad(
        error=CapabilityError,
        match="response format",
        request=Request("hello").replaced(response_format=ResponseFormat(kind="json_object")),
    ),
    "half a surrogate": Bad(
        error=BadRequestError, match="refuses", request=Request("half: \ud83e")
    ),
    "template arguments": Bad(
        error=BackendError,
        match="model failed",
        request=sampled(extra_body={"chat_template_kwargs": 3}),
    ),
    "wrong type": Bad(error=BackendError, match="model failed", request=sampled(max_tokens="many")),
}


@pytest.mark.parametrize("case", CASES)
async def test_bad_requests_end_in_typed_errors(backend: LocalBackend, case: str) -> None:
    """The error names what is wrong, and the model goes on."""
    bad = CASES[case]
    with pytest.raises(bad.error, match=bad.match):
        await backend.generate(bad.request)
    assert (await backend.generate(sampled(max_tokens=2))).usage.output


async def test_a_diverged_model_says_so(maker: Any, tiny: Any) -> None:
    """Logits that are no numbers are an error, not a token."""
    import torch

    model = maker.make_model(len(tiny.tokenizer))
    with torch.no_grad():
        model.lm_head.weight.fill_(float("nan"))
    async with LocalBackend(model, tiny.tokenizer) as backend:
        for temperature in (0.0, 1.0):
            with pytest.raises(BackendProtocolError, match="diverged") as caught:
                await backend.generate(sampled(temperature=temperature))
            assert not caught.value.retryable


async def test_a_model_that_fails_keeps_its_cause(maker: Any, tiny: Any) -> None:
    """What torch said is there to be read, and the thread lives on."""
    model = maker.make_model(len(tiny.tokenizer))
    generate = model.generate
    model.generate = lambda **_: 1 / 0
    async with LocalBackend(model, tiny.tokenizer) as backend:
        with pytest.raises(BackendError, match="ZeroDivisionError") as caught:
            await backend.generate(sampled())
        assert isinstance(caught.value.__cause__, ZeroDivisionError)
        model.generate = generate
        assert (await backend.generate(sampled(max_tokens=2))).usage.output


async def test_tools_without_a_place_for_them(maker: Any, tiny: Any) -> None:
    """A template that would swallow the tools in silence is an error."""
    tokenizer = maker.make_tokenizer()
    tokenizer.chat_template = "{% for m in messages %}{{ m.content }}{% endfor %}"
    async with LocalBackend(tiny.model, tokenizer) as backend:
        with pytest.raises(CapabilityError, match="no place for tools"):
            await backend.generate(Request("hello", tools=[SEARCH]))


def test_a_folder_without_a_model(tmp_path: Path) -> None:
    """A missing folder, an empty one and a name on a hub all say that nothing is downloaded."""
    for path in (tmp_path / "absent", tmp_path, "some/model"):
        with pytest.raises(NotFoundError, match="Nothing is downloaded"):
            LocalBackend.from_path(path)


def test_a_folder_that_is_broken(tmp_path: Path) -> None:
    """What transformers says comes along."""
    (tmp_path / "config.json").write_text('{"model_type": "no-such-model"}')
    with pytest.raises(BackendError, match="no-such-model"):
        LocalBackend.from_path(tmp_path)


def test_wrong_options_at_the_door(tiny: Any) -> None:
    """A dtype that torch has not, and a limit below one token."""
    with pytest.raises(ValueError, match="float31"):
        LocalBackend(tiny.model, tiny.tokenizer, dtype="float31")
    with pytest.raises(ValueError, match="max_tokens"):
        LocalBackend(tiny.model, tiny.tokenizer, max_tokens=0)


def test_importing_does_not_load_torch() -> None:
    """Whoever has the extra pays for it only with a model."""
    code = "import sys; import callboard.backends.local; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=50)
