"""Metrics: durations and tokens of model calls as OpenTelemetry's GenAI histograms."""

import inspect
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import anyio

from callboard.backends import telemetry
from callboard.backends.backend import Generate
from callboard.backends.completion import Completion
from callboard.backends.delta import Sink
from callboard.backends.identity import Identity
from callboard.backends.middleware.base import Wrapper
from callboard.backends.request import Request

if TYPE_CHECKING:
    from opentelemetry.metrics import Histogram, Meter, MeterProvider


class Metrics(Wrapper):
    """Records the duration of each call, and its tokens, by provider, model and error.

    The histograms are `gen_ai.client.operation.duration` (s) and `gen_ai.client.token.usage`
    ({token}), with the buckets that the conventions advise. Inside Retry it records each attempt.

    Args:
        identity: The provider and the model; see `callboard.backends.identity.identify`.
        meter_provider: Makes the histograms; the global one when None.
    """

    def __init__(
        self, identity: Identity | None = None, *, meter_provider: "MeterProvider | None" = None
    ) -> None:
        from opentelemetry.metrics import get_meter  # noqa: PLC0415 - slow to import

        self.identity = identity or Identity(provider="unknown")
        """The provider and model that the measurements name."""
        meter = get_meter(telemetry.SCOPE, meter_provider=meter_provider)
        self._durations = _histogram(
            meter, telemetry.OPERATION_DURATION, "s", telemetry.DURATION_BUCKETS
        )
        self._tokens = _histogram(meter, telemetry.TOKEN_USAGE, "{token}", telemetry.TOKEN_BUCKETS)

    async def __call__(
        self, request: Request[Any], sink: Sink | None, call_next: Generate
    ) -> Completion[Any]:
        """Answer one request, and record how long it took."""
        began = anyio.current_time()
        try:
            completion = await call_next(request, sink)
        except Exception as error:
            failed = self._attributes() | {telemetry.ERROR_TYPE: type(error).__qualname__}
            self._durations.record(anyio.current_time() - began, failed)
            raise
        answered = self._attributes(completion.model)
        self._durations.record(anyio.current_time() - began, answered)
        counts = {"input": completion.usage.input, "output": completion.usage.output}
        for kind, count in counts.items():
            self._tokens.record(count, answered | {telemetry.TOKEN_TYPE: kind})
        return completion

    def __reduce__(self) -> tuple[Any, ...]:
        """Crosses process boundaries with its names, and then speaks to the global provider."""
        return Metrics, (self.identity,)

    def _attributes(self, answered: str = "") -> telemetry.Attributes:
        found: telemetry.Attributes = {
            telemetry.OPERATION_NAME: telemetry.CHAT,
            telemetry.PROVIDER_NAME: self.identity.provider,
        }
        if self.identity.model:
            found[telemetry.REQUEST_MODEL] = self.identity.model
        if answered:
            found[telemetry.RESPONSE_MODEL] = answered
        return found


def _histogram(meter: "Meter", name: str, unit: str, buckets: Sequence[float]) -> "Histogram":
    # Versions of the API before 1.30 take no advice on buckets.
    known = inspect.signature(meter.create_histogram).parameters
    advice: dict[str, Any] = {}
    if "explicit_bucket_boundaries_advisory" in known:
        advice["explicit_bucket_boundaries_advisory"] = buckets
    return meter.create_histogram(name, unit=unit, **advice)
