"""Metrics of messages and actors, by OpenTelemetry's API. Off, they cost nothing at all.

Histograms are recorded per message; all else is read when it is collected, possibly in the thread
of a collector. Attributes name classes, never single actors, so that their number stays bounded.
"""

from collections import Counter
from collections.abc import Callable, Iterable
from time import perf_counter
from typing import Protocol

from opentelemetry import metrics
from opentelemetry.metrics import CallbackOptions, Histogram, Meter, MeterProvider, Observation

from callboard.runtime.envelope import Envelope
from callboard.runtime.statistics import Statistics
from callboard.runtime.telemetry import ERROR_TYPE, INSTRUMENTATION, MESSAGE_OUTCOME, MESSAGE_TYPE

ACTOR_TYPE = "callboard.actor.type"
"""Name of the actor's class."""
DEAD_LETTER_REASON = "callboard.dead_letter.reason"
"""Why a message was not delivered."""

QUEUE_TIME = "callboard.message.queue_time"
"""Histogram, seconds from send to start, by message and actor class."""
DURATION = "callboard.message.duration"
"""Histogram, seconds from start to end, by message and actor class, outcome and error."""
MAILBOX_DEPTH = "callboard.mailbox.depth"
"""Gauge, waiting messages by actor class."""
ACTORS = "callboard.actor.count"
"""Gauge, living actors by actor class."""
RESTARTS = "callboard.actor.restarts"
"""Counter of restarts."""
DEAD_LETTERS = "callboard.message.dead_letters"
"""Counter of dead letters by reason."""

BUCKETS = (0.0001, 0.0005, 0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 10.0, 50.0)


class Measured(Protocol):
    """A living actor, as far as it is measured."""

    @property
    def kind(self) -> str:
        """Name of its class."""
        ...

    @property
    def depth(self) -> int:
        """Messages that wait for it."""
        ...


class MessageMeter:
    """Measures every message, and the actors of one runtime.

    Args:
        provider: Where the meter comes from.
    """

    def __init__(self, provider: MeterProvider) -> None:
        meter = metrics.get_meter(INSTRUMENTATION, meter_provider=provider)
        self._living: Callable[[], Iterable[Measured]] | None = None
        self._statistics: Callable[[], Statistics] | None = None
        self._queue_time = _histogram(meter, QUEUE_TIME)
        self._duration = _histogram(meter, DURATION)
        meter.create_observable_gauge(MAILBOX_DEPTH, [self._depths], unit="{message}")
        meter.create_observable_gauge(ACTORS, [self._actors], unit="{actor}")
        meter.create_observable_counter(RESTARTS, [self._restarts], unit="{restart}")
        meter.create_observable_counter(DEAD_LETTERS, [self._dead], unit="{message}")

    def open(
        self, living: Callable[[], Iterable[Measured]], statistics: Callable[[], Statistics]
    ) -> None:
        """Read the actors and totals of a runtime from now on."""
        self._living, self._statistics = living, statistics

    def close(self) -> None:
        """Read no actors any more; the totals stay."""
        self._living = None

    def sent(self, envelope: Envelope) -> None:
        """Note when a message was sent."""
        envelope.measured_from = perf_counter()

    def begin(self, envelope: Envelope) -> None:
        """Record how long it waited."""
        now = perf_counter()
        waited = now - getattr(envelope, "measured_from", now)
        envelope.measured_from = now
        envelope.begun = True
        self._queue_time.record(waited, _attributes(envelope))

    def end(self, envelope: Envelope, outcome: str, error: BaseException | None = None) -> None:
        """Record how long its handler ran, if it ever started."""
        if not getattr(envelope, "begun", False):
            return
        now = perf_counter()
        attributes = _attributes(envelope) | {MESSAGE_OUTCOME: outcome}
        if error is not None:
            attributes[ERROR_TYPE] = type(error).__qualname__
        self._duration.record(now - envelope.measured_from, attributes)
        envelope.measured_from, envelope.begun = now, False

    def _depths(self, _: CallbackOptions) -> list[Observation]:
        depths = Counter[str]()
        for actor in self._actors_now():
            depths[actor.kind] += actor.depth
        return [Observation(depth, {ACTOR_TYPE: kind}) for kind, depth in depths.items()]

    def _actors(self, _: CallbackOptions) -> list[Observation]:
        kinds = Counter(actor.kind for actor in self._actors_now())
        return [Observation(count, {ACTOR_TYPE: kind}) for kind, count in kinds.items()]

    def _restarts(self, _: CallbackOptions) -> list[Observation]:
        return [] if self._statistics is None else [Observation(self._statistics().restarts)]

    def _dead(self, _: CallbackOptions) -> list[Observation]:
        if self._statistics is None:
            return []
        reasons = self._statistics().dead_by_reason
        return [
            Observation(count, {DEAD_LETTER_REASON: reason}) for reason, count in reasons.items()
        ]

    def _actors_now(self) -> Iterable[Measured]:
        return () if self._living is None else self._living()


def _histogram(meter: Meter, name: str) -> Histogram:
    try:
        return meter.create_histogram(name, unit="s", explicit_bucket_boundaries_advisory=BUCKETS)
    except TypeError:  # before 1.30 the API had no advice to give
        return meter.create_histogram(name, unit="s")


def _attributes(envelope: Envelope) -> dict[str, str]:
    return {MESSAGE_TYPE: envelope.type_name, ACTOR_TYPE: envelope.recipient.kind}
