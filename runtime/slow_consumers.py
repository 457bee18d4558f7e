"""Slow consumers: warnings about mailboxes that fill up, each at most once in a while."""

from collections.abc import Callable

from callboard.runtime.envelope import Envelope
from callboard.runtime.logs import actor_logger

PAUSE = 60.0
"""Seconds between two warnings about one mailbox."""


class SlowConsumers:
    """Logs warnings about actors that do not keep up with what they are sent.

    Args:
        clock: The time, in seconds.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._warned: dict[str, float] = {}

    def complain(self, envelope: Envelope, depth: int) -> None:
        """Warn about the receiver of a message, unless that was done a moment ago.

        Args:
            envelope: The message that came in.
            depth: Messages that its receiver now holds.
        """
        address, now = envelope.recipient.address, self._clock()
        if now - self._warned.get(address.path, float("-inf")) < PAUSE:
            return
        self._warned = {path: at for path, at in self._warned.items() if now - at < PAUSE}
        self._warned[address.path] = now
        actor_logger(address).warning("slow consumer", waiting=depth, latest=envelope.type_name)
