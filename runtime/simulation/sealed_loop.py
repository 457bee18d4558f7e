"""An event loop without any I/O: what reaches for the world outside is refused by name."""

import asyncio
from asyncio import base_events
from collections.abc import Callable
from typing import Any, NoReturn

LIVE = (
    "a FunctionBackend or a Cassette in place of a live model, "
    "anyio.create_memory_object_stream in place of a connection"
)
PROCESS = "a FunctionBackend or a plain function in place of the program"
SIGNAL = "a call of what the signal's handler would call"

_REFUSED = {
    "add_reader": LIVE,
    "add_writer": LIVE,
    "remove_reader": LIVE,
    "remove_writer": LIVE,
    "getaddrinfo": LIVE,
    "getnameinfo": LIVE,
    "create_connection": LIVE,
    "create_server": LIVE,
    "create_datagram_endpoint": LIVE,
    "create_unix_connection": LIVE,
    "create_unix_server": LIVE,
    "connect_accepted_socket": LIVE,
    "sock_accept": LIVE,
    "sock_connect": LIVE,
    "sock_recv": LIVE,
    "sock_recv_into": LIVE,
    "sock_recvfrom": LIVE,
    "sock_sendall": LIVE,
    "sock_sendto": LIVE,
    "sock_sendfile": LIVE,
    "sendfile": LIVE,
    "start_tls": LIVE,
    "connect_read_pipe": PROCESS,
    "connect_write_pipe": PROCESS,
    "subprocess_exec": PROCESS,
    "subprocess_shell": PROCESS,
    "add_signal_handler": SIGNAL,
    "remove_signal_handler": SIGNAL,
}


class SealedLoop(base_events.BaseEventLoop):
    """Every method that would do I/O refuses instead."""

    _stopping: bool
    """Set by asyncio's own `stop`, which typeshed leaves out."""

    def refuse(self, what: str, instead: str) -> NoReturn:
        """End the run because the program reached for the world outside."""
        raise NotImplementedError

    def check_open(self) -> None:
        """Complain, as asyncio does, when the loop is closed."""
        if self.is_closed():
            raise RuntimeError("Event loop is closed")


def _refusal(name: str, instead: str) -> Callable[..., NoReturn]:
    def refused(self: SealedLoop, *_: Any, **__: Any) -> NoReturn:
        self.refuse(f"{asyncio.AbstractEventLoop.__name__}.{name}", instead)

    return refused


for _name, _instead in _REFUSED.items():
    setattr(SealedLoop, _name, _refusal(_name, _instead))
