"""Which backend the options and the environment choose."""

import pytest

from callboard.agents.cli.backend_choice import choose_backend
from callboard.agents.cli.errors import UsageError
from callboard.backends.errors import BackendError
from callboard.backends.openai_backend import OpenAIBackend
from callboard.backends.random_backend import RandomBackend

URL = "http://127.0.0.1:1/v1"
OTHER = "http://127.0.0.1:2/v1"


@pytest.mark.parametrize(
    "environment",
    [{}, {"OPENAI_API_KEY": "k"}, {"OPENAI_BASE_URL": URL}, {"CALLBOARD_API_KEY": "k"}],
)
def test_without_a_model_answers_are_random(
    environment: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    """A machine that is set up for some endpoint runs the demonstration offline, and is told so."""
    assert isinstance(choose_backend(seed=3, environment=environment), RandomBackend)
    said = capsys.readouterr()
    assert said.out == ""
    if environment:
        assert f"{next(iter(environment))} is set, but no model is named" in said.err
        assert "--model" in said.err
    else:
        assert said.err == ""


@pytest.mark.parametrize(
    ("options", "environment", "url", "model"),
    [
        ({"base_url": URL, "model": "m"}, {}, URL, "m"),
        ({"model": "m"}, {"OPENAI_BASE_URL": URL}, URL, "m"),
        ({"model": "m"}, {"CALLBOARD_BASE_URL": URL, "OPENAI_BASE_URL": OTHER}, URL, "m"),
        ({"base_url": URL, "model": "m"}, {"CALLBOARD_BASE_URL": OTHER}, URL, "m"),
        ({"base_url": URL}, {"CALLBOARD_MODEL": "m"}, URL, "m"),
        ({"base_url": URL, "model": "m"}, {"CALLBOARD_MODEL": "n"}, URL, "m"),
        ({}, {"CALLBOARD_BASE_URL": URL, "CALLBOARD_MODEL": "m"}, URL, "m"),
        ({"base_url": URL, "model": "m"}, {"CALLBOARD_LOCAL": "/nowhere"}, URL, "m"),
    ],
)
def test_flags_go_before_the_environment(
    options: dict[str, str], environment: dict[str, str], url: str, model: str
) -> None:
    """Flags, then CALLBOARD_*, then OPENAI_*."""
    backend = choose_backend(**options, environment=environment)  # type: ignore[arg-type]  # a table
    assert isinstance(backend, OpenAIBackend)
    assert (backend.base_url, backend.model) == (url, model)


def test_a_key_finds_openai(monkeypatch: pytest.MonkeyPatch) -> None:
    """With a key and no address, the model is OpenAI's."""
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)
    backend = choose_backend(model="m", environment={"OPENAI_API_KEY": "k"})
    assert isinstance(backend, OpenAIBackend)
    assert "api.openai.com" in str(backend.base_url)


@pytest.mark.parametrize(
    "options",
    [
        {"base_url": URL},
        {"model": "m"},
        {"local": "x", "model": "m"},
        {"local": "x", "base_url": URL},
        {"base_url": "127.0.0.1", "model": "m"},
        {"base_url": URL, "model": "m", "api_key_env": "NOT_SET"},
    ],
)
def test_what_can_not_be_meant_is_refused(options: dict[str, str]) -> None:
    """Contradictions and gaps are usage errors."""
    with pytest.raises(UsageError):
        choose_backend(**options, environment={})  # type: ignore[arg-type]  # a table


def test_a_local_model_goes_before_the_environment() -> None:
    """`--local` is taken even where an endpoint is set up; a missing folder or extra is told."""
    with pytest.raises(BackendError):
        choose_backend(local="/nowhere", environment={"CALLBOARD_MODEL": "m"})
