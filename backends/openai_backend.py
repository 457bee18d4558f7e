"""OpenAIBackend: every OpenAI-compatible endpoint, and every injected client."""

import os
from collections.abc import Mapping
from functools import partial
from typing import Any

from callboard.backends.capabilities import Capabilities
from callboard.backends.chat_backend import ChatBackend
from callboard.backends.credentials import Credentials, Provider, authorization, resolve
from callboard.backends.endpoint import Endpoint, resolve_endpoint
from callboard.backends.injected_transport import InjectedTransport
from callboard.backends.sampling import SamplingParams
from callboard.backends.sdk import Sdk
from callboard.backends.sdk_transport import SdkTransport

_OWN = Capabilities(structured=("json_schema", "json_object", "prompt"))
_INJECTED = Capabilities(structured=("prompt",))

MAX_THREADS = 64
"""Calls of an injected synchronous client at the same time, unless told otherwise."""


class OpenAIBackend(ChatBackend):
    """Asks an OpenAI-compatible endpoint, or an injected client.

        OpenAIBackend("gpt-5-mini")                                     # OPENAI_API_KEY
        OpenAIBackend("qwen3", base_url="http://127.0.0.1:8000/v1")     # a local server, no key
        OpenAIBackend("policy", client=trainer_client)                  # somebody else's client

    Clients of its own are made when first needed, one for each event loop, with aiohttp's transport
    on asyncio where that is installed. An injected client is used for `chat.completions.create`
    alone, with what was explicitly set, and never closed; arguments about clients then have no
    effect, and what it can do beyond plain chat must be declared in `capabilities`.

    It pickles without keys: where it is unpickled, the key is taken from the environment, or from
    `credentials` if that pickles. Headers that look like secrets stay behind too.

    Args:
        model: The model's name on the server.
        base_url: The API's root, as `http://host/v1`; else `OPENAI_BASE_URL`, else OpenAI's.
        api_key: The key; else `OPENAI_API_KEY`. Servers on this machine or network need none.
        credentials: In place of `api_key`: a key, or a function without arguments, async or not,
            that returns a key or headers. It is asked before each attempt.
        client: A client with `chat.completions.create`, async or not.
        name: What usage, costs and traces are booked under; else the host's name, or `openai`.
        sampling: Fields for which a request says nothing.
        capabilities: What the endpoint can do, where you know more than the default.
        organization: Sent as `OpenAI-Organization`; else `OPENAI_ORG_ID`.
        project: Sent as `OpenAI-Project`; else `OPENAI_PROJECT_ID`.
        default_headers: Sent with every call.
        default_query: Appended to every address.
        http_client: An async client of httpx2 (openai 3.x) or httpx (2.x); stays yours to close.
        stream_usage: Whether streams ask for their usage (`stream_options`); own clients do unless
            told otherwise, injected ones do not.
        max_threads: Calls of an injected synchronous client at the same time.

    Raises:
        AuthenticationError: If no key is known, and the endpoint is not a local one.
        ValueError: If the model or the address is none, or both key and credentials are given.
        TypeError: If the injected client has no `chat.completions.create`.
    """

    secret_arguments = frozenset({"api_key"})

    def __init__(
        self,
        model: str,
        *,
        base_url: str | None = None,
        api_key: str | None = None,
        credentials: Credentials | None = None,
        client: Any = None,
        name: str | None = None,
        sampling: SamplingParams | None = None,
        capabilities: Capabilities | None = None,
        organization: str | None = None,
        project: str | None = None,
        default_headers: Mapping[str, str] | None = None,
        default_query: Mapping[str, object] | None = None,
        http_client: Any = None,
        stream_usage: bool | None = None,
        max_threads: int = MAX_THREADS,
    ) -> None:
        arguments = {k: v for k, v in locals().items() if k not in ("self", "__class__")}
        self.base_url: str | None = None
        """The endpoint's address; None with an injected client."""
        if client is not None:
            transport: Any = InjectedTransport(client, max_threads=max_threads)
            host = type(client).__name__
        else:
            if isinstance(credentials, str):
                arguments |= {"api_key": credentials, "credentials": None}
            endpoint = resolve_endpoint(
                base_url=base_url, api_key=api_key, credentials=credentials, environ=os.environ
            )
            settings = _client_settings(arguments)
            transport = _own_transport(endpoint, settings, http_client)
            self.base_url, host = endpoint.shown, endpoint.host
        super().__init__(
            model,
            transport,
            name=name or ("openai" if host == "api.openai.com" else host),
            arguments=arguments,
            sampling=sampling,
            capabilities=capabilities or (_OWN if client is None else _INJECTED),
            stream_usage=client is None if stream_usage is None else stream_usage,
        )

    def __repr__(self) -> str:
        where = f"base_url={self.base_url!r}" if self.base_url else f"client=<{self.name}>"
        return f"OpenAIBackend({self.model!r}, {where})"


def _client_settings(arguments: Mapping[str, Any]) -> dict[str, Any]:
    names = ("organization", "project", "default_headers", "default_query")
    return {name: arguments[name] for name in names if arguments[name] is not None}


def _own_transport(
    endpoint: Endpoint, settings: Mapping[str, Any], http_client: Any
) -> SdkTransport:
    def make_client(sdk: Sdk, http: Any) -> Any:
        return sdk.openai.AsyncOpenAI(
            api_key=endpoint.api_key,
            base_url=endpoint.base_url,
            http_client=http,
            max_retries=0,
            timeout=None,
            **settings,
        )

    return SdkTransport(
        make_client,
        headers=None if endpoint.provider is None else partial(_headers, endpoint.provider),
        secrets=(endpoint.api_key,),
        where=endpoint.shown,
        http_client=http_client,
    )


async def _headers(provider: Provider) -> Mapping[str, str]:
    return authorization(await resolve(provider))
