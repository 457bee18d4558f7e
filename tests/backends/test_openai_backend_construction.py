"""What is decided when a backend is made, before anything is sent."""

import pickle
import subprocess
import sys

import pytest

from callboard.backends import (
    AuthenticationError,
    OpenAIBackend,
    SamplingParams,
)


@pytest.fixture(autouse=True)
def _empty_environment(monkeypatch):
    for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize("url", [None, "https://api.groq.com/openai/v1", "http://8.8.8.8/v1"])
def test_a_missing_key(url):
    """Without a key the constructor says what to set, what to pass, and what needs none."""
    with pytest.raises(AuthenticationError) as caught:
        OpenAIBackend("m", base_url=url)
    for word in ("OPENAI_API_KEY", "`api_key`", "`credentials`", "RandomBackend"):
        assert word in str(caught.value)
    assert "[redacted]" not in str(caught.value)


@pytest.mark.parametrize(
    "host", ["localhost:8000", "127.0.0.1", "[::1]:80", "10.1.2.3", "vllm:8000", "box.local"]
)
def test_local_servers_need_no_key(host):
    """Servers on this machine or network are asked without a key."""
    assert OpenAIBackend("m", base_url=f"http://{host}/v1").base_url == f"http://{host}/v1"


def test_environment(monkeypatch):
    """Key and address come from the environment where they are not passed."""
    monkeypatch.setenv("OPENAI_API_KEY", "k")
    assert OpenAIBackend("m").base_url == "https://api.openai.com/v1"
    assert OpenAIBackend("m").name == "openai"
    monkeypatch.setenv("OPENAI_BASE_URL", "https://example.org/v1")
    assert OpenAIBackend("m").base_url == "https://example.org/v1"
    assert OpenAIBackend("m", name="mine").name == "mine"


@pytest.mark.parametrize("url", ["localhost:8000/v1", "ftp://host", "http://", "/v1"])
def test_a_wrong_address(url):
    """An address that no client could use is refused at once."""
    with pytest.raises(ValueError, match="base_url"):
        OpenAIBackend("m", base_url=url, api_key="k")


def test_contradictions():
    """Two keys, or no model, are refused."""
    with pytest.raises(ValueError, match="not both"):
        OpenAIBackend("m", api_key="a", credentials="b")
    with pytest.raises(ValueError, match="model"):
        OpenAIBackend("", api_key="a")


def test_repr_shows_no_secret():
    """Keys, and user and password in the address, are not shown."""
    backend = OpenAIBackend(
        "m", base_url="https://me:pw@host.org/v1?key=q", api_key="sk-secret-123"
    )
    assert repr(backend) == "OpenAIBackend('m', base_url='https://host.org/v1')"


def test_pickling(monkeypatch):
    """A backend travels without its secrets and takes the key from the environment there."""
    backend = OpenAIBackend(
        "m",
        base_url="https://host.org/v1",
        api_key="topsecret",
        sampling=SamplingParams(seed=1),
        default_headers={"x-mine": "1", "X-Api-Key": "topsecret"},
    )
    data = pickle.dumps(backend)
    assert b"topsecret" not in data
    with pytest.raises(AuthenticationError):
        pickle.loads(data)
    monkeypatch.setenv("OPENAI_API_KEY", "there")
    again = pickle.loads(data)
    assert (repr(again), again.name) == (repr(backend), backend.name)
    assert again._sampling == SamplingParams(seed=1)
    assert again._arguments["default_headers"] == {"x-mine": "1"}
    assert b"topsecret" not in pickle.dumps(
        OpenAIBackend("m", base_url="https://host.org/v1", credentials="topsecret")
    )


def test_capabilities():
    """Own endpoints are taken to know schemas; what the user knows better wins."""
    backend = OpenAIBackend("m", base_url="http://localhost/v1")
    assert backend.capabilities.structured == ("json_schema", "json_object", "prompt")


def test_the_sdk_is_imported_by_the_backend_that_needs_it():
    """Importing the class and injecting a client load no SDK; making a client of our own does."""
    code = (
        "import sys; from types import SimpleNamespace as N; "
        "from callboard.backends import OpenAIBackend; "
        "OpenAIBackend('m', client=N(chat=N(completions=N(create=print)))); "
        "print([m for m in ('openai', 'httpx', 'httpx2', 'aiohttp') if m in sys.modules]); "
        "OpenAIBackend('m', base_url='http://localhost/v1'); "
        "print('openai' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.split("\n")[:2] == ["[]", "True"], done.stderr
