"""AzureBackend: what it sends is what the SDK's own Azure client sends, over a real socket."""

import pickle
import threading

import openai
import pytest

from callboard.backends import AuthenticationError, AzureBackend, Request, SamplingParams

pytestmark = pytest.mark.anyio

VERSION = "2024-10-21"


def root(chat_server):
    return chat_server.url.removesuffix("/v1")


def as_sent(request):
    """What makes up a request, without what differs from one connection to the next."""
    headers = dict(request["headers"])
    for name in ("x-stainless-read-timeout", "host"):
        headers.pop(name, None)
    return {
        "method": request["method"],
        "path": request["path"],
        "query": request["query"],
        "headers": headers,
        "body": request["body"],
    }


async def token():
    return "entra-token"


SECRETS = [
    {"api_key": "the-key"},
    {"azure_ad_token": "the-token"},
    {"azure_ad_token_provider": token},
]


# On trio the SDK leaves the generators that its stream is made of to the garbage collector.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("secret", SECRETS, ids=lambda secret: next(iter(secret)))
@pytest.mark.parametrize("streamed", [False, True], ids=["whole", "streamed"])
async def test_the_request_as_sent(chat_server, secret, streamed):
    """Path, query, headers and body are those of AsyncAzureOpenAI."""
    deployment = chat_server.script("plain")
    theirs = openai.AsyncAzureOpenAI(
        azure_endpoint=root(chat_server),
        azure_deployment=deployment,
        api_version=VERSION,
        default_headers={"x-mine": "1"},
        max_retries=0,
        http_client=openai.DefaultAsyncHttpxClient(),
        **secret,
    )
    options = {"stream": True, "stream_options": {"include_usage": True}} if streamed else {}
    messages = [{"role": "user", "content": "hi"}]
    async with theirs:
        answer = await theirs.chat.completions.create(
            model=deployment, messages=messages, temperature=0.5, **options
        )
        if streamed:
            _ = [chunk async for chunk in answer]
    ours = AzureBackend(
        deployment,
        endpoint=root(chat_server),
        api_version=VERSION,
        default_headers={"x-mine": "1"},
        http_client=None,
        **secret,
    )

    async def sink(delta):
        pass

    async with ours:
        request = Request("hi", sampling=SamplingParams(temperature=0.5))
        await ours.generate(request, sink if streamed else None)
    expected, sent = map(as_sent, chat_server.requests(deployment))
    assert sent["path"] == f"/openai/deployments/{deployment}/chat/completions"
    assert sent["query"] == f"api-version={VERSION}"
    # What the HTTP libraries add for themselves may differ in form; everything of the API may not.
    for headers in (expected["headers"], sent["headers"]):
        for name in ("connection", "content-length", "accept-encoding"):
            headers.pop(name, None)
    assert sent == expected


async def test_a_provider_that_blocks(chat_server):
    """A token provider that is not async runs in a thread, before each call."""
    threads = []

    def provider():
        threads.append(threading.current_thread())
        return f"token-{len(threads)}"

    deployment = chat_server.script("plain")
    async with AzureBackend(
        deployment,
        endpoint=root(chat_server),
        api_version=VERSION,
        azure_ad_token_provider=provider,
    ) as backend:
        for _ in range(2):
            await backend.generate(Request("hi"))
    sent = [request["headers"]["authorization"] for request in chat_server.requests(deployment)]
    assert sent == ["Bearer token-1", "Bearer token-2"]
    assert threading.current_thread() not in threads


async def test_a_provider_that_fails(chat_server):
    """A provider that fails is an authentication error with the cause kept."""

    def provider():
        raise KeyError("vault")

    async with AzureBackend(
        "plain",
        endpoint=root(chat_server),
        api_version=VERSION,
        azure_ad_token_provider=provider,
    ) as backend:
        with pytest.raises(AuthenticationError, match="vault"):
            await backend.generate(Request("hi"))


NAMES = (
    "AZURE_OPENAI_ENDPOINT",
    "AZURE_OPENAI_API_KEY",
    "AZURE_OPENAI_AD_TOKEN",
    "AZURE_OPENAI_API_VERSION",
    "OPENAI_API_VERSION",
)


@pytest.fixture
def environment(monkeypatch):
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)
    return monkeypatch


async def test_environment(chat_server, environment):
    """Everything but the deployment may come from the environment; a token goes before a key."""
    deployment = chat_server.script("plain")
    environment.setenv("AZURE_OPENAI_ENDPOINT", root(chat_server))
    environment.setenv("OPENAI_API_VERSION", VERSION)
    environment.setenv("AZURE_OPENAI_API_KEY", "key")
    async with AzureBackend(deployment) as backend:
        await backend.generate(Request("hi"))
    environment.setenv("AZURE_OPENAI_AD_TOKEN", "token")
    async with AzureBackend(deployment) as backend:
        await backend.generate(Request("hi"))
    first, second = (request["headers"] for request in chat_server.requests(deployment))
    assert first["api-key"] == "key"
    assert second["authorization"] == "Bearer token"
    assert "api-key" not in second


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_what_is_missing(environment):
    """What is missing is named at once, with what to set."""
    with pytest.raises(ValueError, match="AZURE_OPENAI_ENDPOINT"):
        AzureBackend("d")
    with pytest.raises(ValueError, match="OPENAI_API_VERSION"):
        AzureBackend("d", endpoint="https://x.openai.azure.com")
    with pytest.raises(AuthenticationError, match=r"AZURE_OPENAI_API_KEY.*RandomBackend"):
        AzureBackend("d", endpoint="https://x.openai.azure.com", api_version=VERSION)
    with pytest.raises(ValueError, match="one of"):
        AzureBackend("d", endpoint="https://x", api_version="v", api_key="a", azure_ad_token="b")


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_pickling(environment):
    """It travels without secrets, and takes them from the environment there."""
    backend = AzureBackend(
        "d", endpoint="https://x.openai.azure.com", api_version=VERSION, api_key="topsecret"
    )
    assert repr(backend) == "AzureBackend('d', endpoint='https://x.openai.azure.com')"
    data = pickle.dumps(backend)
    assert b"topsecret" not in data
    with pytest.raises(AuthenticationError):
        pickle.loads(data)
    environment.setenv("AZURE_OPENAI_API_KEY", "there")
    assert repr(pickle.loads(data)) == repr(backend)
