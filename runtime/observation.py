"""Observation: which observers a runtime has, from what it was told."""

from typing import TYPE_CHECKING

from callboard.runtime.observer import Observer
from callboard.runtime.observers import Observers

if TYPE_CHECKING:
    from opentelemetry.metrics import MeterProvider
    from opentelemetry.trace import TracerProvider

    from callboard.runtime.metrics import MessageMeter


def observers_for(
    tracer_provider: "TracerProvider | None",
    trace_messages: float,
    meter: Observer | None,
    journal: Observer | None,
) -> Observer | None:
    """Return who is told of every message; None for nobody, which is what costs nothing."""
    tracer: Observer | None = None
    if trace_messages or tracer_provider is not None:
        # OpenTelemetry takes a third of the package's import time; most programs trace no messages.
        from callboard.runtime.telemetry import MessageTracer  # noqa: PLC0415 - see above

        tracer = MessageTracer(tracer_provider, float(trace_messages or 1.0))
    # The journal comes last: it may refuse what is sent.
    wanted = [observer for observer in (tracer, meter, journal) if observer is not None]
    return Observers(*wanted) if len(wanted) > 1 else next(iter(wanted), None)


def message_meter(provider: "MeterProvider | None") -> "MessageMeter | None":
    """Return what measures messages and actors, where anything does."""
    if provider is None:
        return None
    from callboard.runtime.metrics import MessageMeter  # noqa: PLC0415 - as for spans

    return MessageMeter(provider)
