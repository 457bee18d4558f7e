"""AzureBackend: a model deployed in Azure OpenAI, asked through the SDK's own Azure client."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from callboard.backends.capabilities import Capabilities
from callboard.backends.chat_backend import ChatBackend
from callboard.backends.credentials import Provider, resolve
from callboard.backends.endpoint import check_url, shown_url
from callboard.backends.errors import AuthenticationError
from callboard.backends.sampling import SamplingParams
from callboard.backends.sdk import Sdk
from callboard.backends.sdk_transport import SdkTransport

_CAPABILITIES = Capabilities(
    structured=("json_schema", "json_object", "prompt"),
    tools="yes",
    streaming="yes",
)


class AzureBackend(ChatBackend):
    """Asks a deployment in Azure OpenAI.

    What is not passed comes from the environment: `AZURE_OPENAI_ENDPOINT`, `OPENAI_API_VERSION`
    (or `AZURE_OPENAI_API_VERSION`), and one of `AZURE_OPENAI_AD_TOKEN` and `AZURE_OPENAI_API_KEY`,
    in this order. It pickles without secrets, like `OpenAIBackend`; a token provider travels if it
    pickles.

    Args:
        deployment: The deployment's name; Azure has it in place of a model's.
        endpoint: The resource, as `https://name.openai.azure.com`.
        api_version: As `2024-10-21`.
        api_key: The resource's key.
        azure_ad_token: A Microsoft Entra token.
        azure_ad_token_provider: A function that returns the present token, async or not; asked
            before each attempt, in a thread if it is not async.
        name: What usage, costs and traces are booked under.
        sampling: Fields for which a request says nothing.
        capabilities: What the deployment can do, where you know more than the default.
        default_headers: Sent with every call.
        default_query: Appended to every address.
        http_client: An async client of httpx2 (openai 3.x) or httpx (2.x); stays yours to close.
        stream_usage: Whether streams ask for their usage.

    Raises:
        AuthenticationError: If no key, token or provider is known.
        ValueError: If endpoint or api_version are missing, or there is more than one secret.
    """

    secret_arguments = frozenset({"api_key", "azure_ad_token"})

    def __init__(
        self,
        deployment: str,
        *,
        endpoint: str | None = None,
        api_version: str | None = None,
        api_key: str | None = None,
        azure_ad_token: str | None = None,
        azure_ad_token_provider: Provider | None = None,
        name: str = "azure",
        sampling: SamplingParams | None = None,
        capabilities: Capabilities | None = None,
        default_headers: Mapping[str, str] | None = None,
        default_query: Mapping[str, object] | None = None,
        http_client: Any = None,
        stream_usage: bool = True,
    ) -> None:
        arguments = {k: v for k, v in locals().items() if k not in ("self", "__class__")}
        resource = _resource(endpoint, api_version, os.environ)
        secret = _secret(api_key, azure_ad_token, azure_ad_token_provider, os.environ)
        settings = {"default_headers": default_headers, "default_query": default_query}
        self.base_url = shown_url(resource.endpoint)
        """The resource's address."""
        super().__init__(
            deployment,
            SdkTransport(
                partial(_make_client, resource, deployment, {**settings, **secret.arguments()}),
                secrets=tuple(filter(None, (secret.api_key, secret.token))),
                where=self.base_url,
                http_client=http_client,
            ),
            name=name,
            arguments=arguments,
            sampling=sampling,
            capabilities=capabilities or _CAPABILITIES,
            stream_usage=stream_usage,
        )

    def __repr__(self) -> str:
        return f"AzureBackend({self.model!r}, endpoint={self.base_url!r})"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Resource:
    endpoint: str
    api_version: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Secret:
    """One of three, and the other two None."""

    api_key: str | None = field(default=None, repr=False)
    token: str | None = field(default=None, repr=False)
    provider: Provider | None = None

    def arguments(self) -> dict[str, Any]:
        """Return what the SDK's client is to be told."""
        if self.provider is not None:
            return {"azure_ad_token_provider": partial(resolve, self.provider)}
        return {"azure_ad_token": self.token} if self.token else {"api_key": self.api_key}


def _resource(
    endpoint: str | None, api_version: str | None, environ: Mapping[str, str]
) -> _Resource:
    where = endpoint or environ.get("AZURE_OPENAI_ENDPOINT")
    version = (
        api_version or environ.get("OPENAI_API_VERSION") or environ.get("AZURE_OPENAI_API_VERSION")
    )
    if not where:
        raise ValueError("no Azure resource: pass endpoint= or set AZURE_OPENAI_ENDPOINT")
    if not version:
        raise ValueError(
            "no API version: pass api_version=, as '2024-10-21', or set OPENAI_API_VERSION"
        )
    check_url(where)
    return _Resource(endpoint=where, api_version=version)


def _secret(
    api_key: str | None, token: str | None, provider: Provider | None, environ: Mapping[str, str]
) -> _Secret:
    given = [secret for secret in (api_key, token, provider) if secret is not None]
    if len(given) > 1:
        raise ValueError("pass one of api_key=, azure_ad_token= and azure_ad_token_provider=")
    if not given:
        token = environ.get("AZURE_OPENAI_AD_TOKEN")
        api_key = None if token else environ.get("AZURE_OPENAI_API_KEY")
    if not (api_key or token or provider):
        raise AuthenticationError(
            "no credentials for Azure: set AZURE_OPENAI_API_KEY or AZURE_OPENAI_AD_TOKEN, or pass "
            "`api_key`, `azure_ad_token` or `azure_ad_token_provider`; RandomBackend answers "
            "without a key, a network or a model"
        )
    return _Secret(api_key=api_key, token=token, provider=provider)


def _make_client(
    resource: _Resource, deployment: str, settings: Mapping[str, Any], sdk: Sdk, http: Any
) -> Any:
    return sdk.openai.AsyncAzureOpenAI(
        azure_endpoint=resource.endpoint,
        azure_deployment=deployment,
        api_version=resource.api_version,
        http_client=http,
        max_retries=0,
        timeout=None,
        **settings,
    )
