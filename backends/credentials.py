"""Credentials: a key, or something that knows the present one."""

import inspect
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeAlias

import anyio
import anyio.to_thread

from callboard.backends.errors import AuthenticationError

Secret: TypeAlias = str | Mapping[str, str]
"""A key, sent as `Authorization: Bearer ...`, or whole headers."""

Provider: TypeAlias = Callable[[], Secret | Awaitable[Secret]]
"""A function without arguments, async or not, that returns a key or headers."""

Credentials: TypeAlias = str | Provider
"""A key, or something that knows the present one."""


async def resolve(provider: Provider) -> Secret:
    """Ask a provider for the present key or headers.

    A plain function runs in a thread, because most of them read files or call a service; what it
    returns may be awaitable all the same.

    Args:
        provider: Asked before each attempt; whoever finds that dear lets it remember its answer.

    Raises:
        AuthenticationError: If the provider fails, or returns nothing.
    """
    try:
        secret = await _asked(provider)
    except Exception as error:
        raise AuthenticationError(
            f"the credentials function failed with {type(error).__name__}: {error}; without a key "
            "nothing was sent"
        ) from error
    if not secret:
        raise AuthenticationError(
            f"the credentials function returned {secret!r} where a key or headers were expected"
        )
    return secret


async def _asked(provider: Provider) -> Secret:
    if is_async(provider):
        secret = provider()
    else:
        # In a list: trio does not let a thread return a coroutine.
        (secret,) = await anyio.to_thread.run_sync(lambda: [provider()])
    return await secret if inspect.isawaitable(secret) else secret


def is_async(function: Callable[..., Any]) -> bool:
    """Tell whether a function returns an awaitable, also behind decorators and in objects."""
    inner = inspect.unwrap(function)
    call = getattr(inner, "__call__", None)  # noqa: B004 - an object may have an async __call__
    return inspect.iscoroutinefunction(inner) or inspect.iscoroutinefunction(call)


def authorization(secret: Secret) -> Mapping[str, str]:
    """Return the headers that prove who is calling."""
    return {"Authorization": f"Bearer {secret}"} if isinstance(secret, str) else secret


def secrets_in(headers: Mapping[str, str]) -> list[str]:
    """Return what in headers is a secret, so that it can be hidden: every word of every value."""
    return [word for value in headers.values() for word in value.split() if word != "Bearer"]
