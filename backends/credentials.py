"""Credentials: a key, or something that knows the present one."""

import inspect
from collections.abc import Awaitable, Callable, Mapping
from typing import TypeAlias

import anyio

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
    """
    call = inspect.unwrap(provider)
    is_async = inspect.iscoroutinefunction(call) or inspect.iscoroutinefunction(
        getattr(call, "__call__", None)  # noqa: B004 - an object may have an async __call__
    )
    secret = provider() if is_async else await anyio.to_thread.run_sync(provider)
    return await secret if inspect.isawaitable(secret) else secret


def authorization(secret: Secret) -> Mapping[str, str]:
    """Return the headers that prove who is calling."""
    return {"Authorization": f"Bearer {secret}"} if isinstance(secret, str) else secret
