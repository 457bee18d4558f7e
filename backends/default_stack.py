"""default_stack: the middleware that we recommend around any backend, in the order we recommend."""

from typing import TYPE_CHECKING

from callboard.backends.backend import Backend, Middleware
from callboard.backends.identity import identify
from callboard.backends.middleware.concurrency_limit import ConcurrencyLimit
from callboard.backends.middleware.deadline import Deadline
from callboard.backends.middleware.logging import EventLogger, Logging
from callboard.backends.middleware.metrics import Metrics
from callboard.backends.middleware.retry import Retry
from callboard.backends.middleware.structured_output import StructuredOutput
from callboard.backends.middleware.timeout import Timeout
from callboard.backends.middleware.tools import Tools
from callboard.backends.middleware.tracing import Tracing
from callboard.backends.middleware.usage_meter import UsageMeter
from callboard.backends.stack import Stack, stack

if TYPE_CHECKING:
    from opentelemetry.metrics import MeterProvider
    from opentelemetry.trace import TracerProvider


def default_stack(
    backend: Backend,
    *,
    timeout: float | None = 600.0,
    attempt_timeout: float | None = 300.0,
    between_deltas_timeout: float | None = 120.0,
    max_tool_rounds: int = 8,
    tool_timeout: float | None = 60.0,
    repairs: int = 1,
    max_retries: int = 2,
    retry: Retry | None = None,
    max_concurrency: int | ConcurrencyLimit | None = 1000,
    usage_meter: UsageMeter | None = None,
    tracer_provider: "TracerProvider | None" = None,
    meter_provider: "MeterProvider | None" = None,
    logger: EventLogger | None = None,
) -> Stack:
    """Wrap a backend in what almost everyone wants, in the order that works.

        Tracing(operation) > Logging > Deadline > Tools > StructuredOutput > Retry
        > ConcurrencyLimit > UsageMeter > Tracing(attempt) > Timeout > backend

    For another order, or for middleware of your own in between, use `stack`: each layer is public.

    Args:
        backend: What answers in the end; the stack owns it, and closes it.
        timeout: Seconds for a whole call, for requests that name none.
        attempt_timeout: Seconds for one attempt.
        between_deltas_timeout: Seconds of silence in the middle of a streamed answer.
        max_tool_rounds: Turns of tool calls that one request may take.
        tool_timeout: Seconds for one tool call, where the tool names none.
        repairs: Further tries after an answer that does not fit the output type.
        max_retries: Attempts after the first, of errors that may pass.
        retry: Takes the place of the Retry that `max_retries` would make.
        max_concurrency: Model calls at a time; the others wait their turn, first come first
            served, within their deadlines. An instance may be shared with other stacks; None: no
            limit.
        usage_meter: Counts the calls and tokens; share it to count several stacks together.
        tracer_provider: Makes the spans; OpenTelemetry's global one when None.
        meter_provider: Makes histograms of durations and tokens; none are made when None.
        logger: Takes the log events; see `Logging`.

    Raises:
        ValueError: If a number is out of its range.
    """
    identity = identify(backend)
    layers: list[Middleware] = [
        Tracing("operation", identity=identity, tracer_provider=tracer_provider),
        Logging(identity, logger=logger),
        Deadline(timeout),
        Tools(max_tool_rounds, timeout=tool_timeout, tracer_provider=tracer_provider),
        StructuredOutput(repairs),
        Retry(max_retries) if retry is None else retry,
    ]
    if isinstance(max_concurrency, int):
        max_concurrency = ConcurrencyLimit(max_concurrency)
    if max_concurrency is not None:
        layers.append(max_concurrency)
    layers.append(UsageMeter(identity) if usage_meter is None else usage_meter.under(identity))
    if meter_provider is not None:
        layers.append(Metrics(identity, meter_provider=meter_provider))
    layers += [
        Tracing("attempt", identity=identity, tracer_provider=tracer_provider),
        Timeout(attempt_timeout, between_deltas=between_deltas_timeout),
    ]
    return stack(backend, *layers)
