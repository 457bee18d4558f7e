"""Endpoint: where an OpenAI-compatible API is, and who is calling."""

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit, urlunsplit

from callboard.backends.credentials import Credentials, Provider
from callboard.backends.errors import AuthenticationError

OPENAI_URL = "https://api.openai.com/v1"
UNUSED_KEY = "unused"
"""Sent where a server needs no key: the SDK can't do without one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """Where an API is, and who is calling. Its repr shows no secret."""

    base_url: str
    api_key: str = field(repr=False, default=UNUSED_KEY)
    provider: Provider | None = field(repr=False, default=None)
    """Knows the present key, in place of `api_key`."""

    @property
    def shown(self) -> str:
        """The base URL without user, password and query."""
        return shown_url(self.base_url)

    @property
    def host(self) -> str:
        """The host's name."""
        return urlsplit(self.base_url).hostname or ""


def resolve_endpoint(
    *,
    base_url: str | None,
    api_key: str | None,
    credentials: Credentials | None,
    environ: Mapping[str, str],
) -> Endpoint:
    """Complete what the caller said from the environment.

    Args:
        base_url: The API's root; else `OPENAI_BASE_URL`, else OpenAI's own.
        api_key: The key; else `OPENAI_API_KEY`. A server on this machine or network needs none.
        credentials: A key, or a function that returns it; instead of `api_key`.
        environ: The environment.

    Raises:
        AuthenticationError: If there is no key and the server is not a local one.
        ValueError: If the address is no http(s) URL, or both key and credentials are given.
    """
    if api_key is not None and credentials is not None:
        raise ValueError("pass api_key= or credentials=, not both")
    url = base_url or environ.get("OPENAI_BASE_URL") or OPENAI_URL
    check_url(url)
    if isinstance(credentials, str):
        api_key, credentials = credentials, None
    if credentials is not None:
        return Endpoint(base_url=url, provider=credentials)
    key = api_key or environ.get("OPENAI_API_KEY")
    if not key and not is_local(urlsplit(url).hostname or ""):
        raise AuthenticationError(
            f"no API key for {shown_url(url)}: set the environment variable OPENAI_API_KEY, or "
            "pass `api_key` or `credentials`; for a server that needs none pass any word; "
            "RandomBackend answers without a key, a network or a model"
        )
    return Endpoint(base_url=url, api_key=key or UNUSED_KEY)


def check_url(url: str) -> None:
    """Refuse an address that no client could use.

    Raises:
        ValueError: If it is no http(s) URL with a host.
    """
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError(
            f"base_url must be the root of an API, such as http://127.0.0.1:8000/v1; got "
            f"{shown_url(url)!r}"
        )


def shown_url(url: str) -> str:
    """Return an address without user, password and query, for messages."""
    parts = urlsplit(url)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))


def is_local(host: str) -> bool:
    """Tell whether a host is this machine or on its own network, where keys are rarely asked for.

    Args:
        host: A name or an address; names without a dot are those of local networks.
    """
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return "." not in host or host.endswith((".local", ".localhost", ".internal", ".lan"))
    return address.is_private or address.is_loopback or address.is_link_local
