"""Wake: how the model's thread calls back into the event loop that waits for it."""

from collections.abc import Callable
from typing import Any, TypeAlias

from anyio.lowlevel import current_token

Wake: TypeAlias = Callable[[Callable[[], None]], object]
"""Has the loop call a function soon; callable from any thread, never blocks.

Raises RuntimeError once the loop is closed.
"""


def current_wake() -> Wake:
    """Return the way into the event loop that is running here: asyncio, uvloop or trio."""
    token: Any = current_token()
    # anyio wraps the loop's own token from 4.11 on; before, the token is what it wraps.
    native = getattr(token, "native_token", token)
    wake: Wake = getattr(native, "run_sync_soon", None) or native.call_soon_threadsafe
    return wake
