"""UsageMeter: counts model calls, retries, failures and tokens, per backend and model."""

from dataclasses import dataclass, field
from typing import Any

from callboard.backends.attempt import current_attempt
from callboard.backends.backend import Generate
from callboard.backends.completion import Completion
from callboard.backends.delta import Sink
from callboard.backends.errors import BackendError
from callboard.backends.identity import Identity
from callboard.backends.middleware.base import Wrapper
from callboard.backends.request import Request
from callboard.backends.usage import Usage


@dataclass(frozen=True, slots=True, kw_only=True)
class UsageRow:
    """What one model of one backend was asked for, and what it took."""

    backend: str
    model: str
    calls: int = 0
    """Model calls that have ended, in whichever way; every retry is one."""
    retries: int = 0
    """How many of them were second, third ... attempts."""
    failures: int = 0
    """How many of them ended in a BackendError."""
    cancelled: int = 0
    """How many of them ended in anything else: cancelled, timed out further outside, a sink."""
    usage: Usage = field(default_factory=Usage)
    """The tokens of those that succeeded."""

    def __add__(self, other: "UsageRow") -> "UsageRow":
        """Add the counts; the names are this row's."""
        return UsageRow(
            backend=self.backend,
            model=self.model,
            calls=self.calls + other.calls,
            retries=self.retries + other.retries,
            failures=self.failures + other.failures,
            cancelled=self.cancelled + other.cancelled,
            usage=self.usage + other.usage,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class UsageSnapshot:
    """The counts at one moment."""

    rows: tuple[UsageRow, ...] = ()
    """One for each backend and model, in the order in which they were first called."""

    @property
    def total(self) -> UsageRow:
        """The sum of the rows."""
        return sum(self.rows, UsageRow(backend="total", model=""))


class UsageMeter(Wrapper):
    """Counts what passes it. Inside Retry and outside a cache it counts what was really sent.

    Give several stacks one meter each, or share one: `meter.under(identity)` counts into the same
    snapshot under another name. Threads may share it as well.

    Args:
        identity: The backend's and the model's name; a model that is not named here is taken from
            the completions.
    """

    def __init__(self, identity: Identity | None = None) -> None:
        self.identity = identity or Identity(provider="unknown")
        """Under which names the calls are counted."""
        self._tallies: dict[tuple[str, str], _Tally] = {}

    def under(self, identity: Identity) -> "UsageMeter":
        """Return a meter that counts into this one's snapshot under another identity."""
        meter = UsageMeter(identity)
        meter._tallies = self._tallies
        return meter

    async def __call__(
        self, request: Request[Any], sink: Sink | None, call_next: Generate
    ) -> Completion[Any]:
        """Answer one request, and count it."""
        retried = current_attempt() > 1
        try:
            completion = await call_next(request, sink)
        except BaseException as error:
            tally = self._tally("")
            tally.count(retried=retried)
            if isinstance(error, BackendError):
                tally.failures += 1
            else:
                tally.cancelled += 1
            raise
        tally = self._tally(completion.model)
        tally.count(retried=retried)
        tally.add(completion.usage)
        return completion

    def snapshot(self) -> UsageSnapshot:
        """Return the counts as they are now, as a value."""
        return UsageSnapshot(
            rows=tuple(tally.row(*key) for key, tally in list(self._tallies.items()))
        )

    def reset(self) -> None:
        """Begin again from nothing."""
        self._tallies.clear()

    def _tally(self, answered: str) -> "_Tally":
        key = (self.identity.provider, self.identity.model or answered)
        tally = self._tallies.get(key)
        return self._tallies.setdefault(key, _Tally()) if tally is None else tally


class _Tally:
    """Counts under way; plain integers, because adding up frozen values costs ten times more."""

    __slots__ = (
        "cached",
        "calls",
        "cancelled",
        "failures",
        "input",
        "output",
        "reasoning",
        "retries",
    )

    def __init__(self) -> None:
        self.calls = self.retries = self.failures = self.cancelled = 0
        self.input = self.output = self.cached = self.reasoning = 0

    def count(self, *, retried: bool) -> None:
        self.calls += 1
        self.retries += retried

    def add(self, usage: Usage) -> None:
        self.input += usage.input
        self.output += usage.output
        self.cached += usage.cached
        self.reasoning += usage.reasoning

    def row(self, backend: str, model: str) -> UsageRow:
        return UsageRow(
            backend=backend,
            model=model,
            calls=self.calls,
            retries=self.retries,
            failures=self.failures,
            cancelled=self.cancelled,
            usage=Usage(
                input=self.input, output=self.output, cached=self.cached, reasoning=self.reasoning
            ),
        )
