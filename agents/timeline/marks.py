"""Marks that a program sets while it runs: sections to choose from, and points to draw.

Both are ordinary spans of the OpenTelemetry API with the attributes of `words`; without an SDK they
cost next to nothing and go nowhere.
"""

from collections.abc import Generator, Mapping
from contextlib import contextmanager

from opentelemetry import trace
from opentelemetry.trace import Span, TracerProvider

from callboard.agents.timeline import words
from callboard.agents.timeline.words import Look

SCOPE = "callboard.agents.timeline"
"""Name of the tracer."""


class Section:
    """A section that is going on."""

    def __init__(self, span: Span) -> None:
        self._span = span

    def figure(self, label: str, value: str | float) -> None:
        """Show a figure with the section; the last value under a label holds."""
        self._span.set_attribute(words.FIGURE + label, value)


@contextmanager
def mark_section(
    name: str,
    *,
    group: str = "",
    axis: str = "",
    reference: tuple[float, float] | None = None,
    reference_name: str = "reference",
    tracer_provider: TracerProvider | None = None,
) -> Generator[Section]:
    """Make the block a section of the timeline, and the parent of the spans in it.

    Args:
        name: What the page calls it.
        group: Sections of one group stand together.
        axis: What the points inside are values of.
        reference: Lower and upper end of a band behind the points.
        reference_name: What that band is.
        tracer_provider: Where the span goes; the global one when None.

    Yields:
        The section, to set figures on.
    """
    attributes: dict[str, str | float] = {words.SECTION: name}
    if group:
        attributes[words.SECTION_GROUP] = group
    if axis:
        attributes[words.SECTION_AXIS] = axis
    if reference is not None:
        low, high = reference
        attributes |= {
            words.REFERENCE_LOW: low,
            words.REFERENCE_HIGH: high,
            words.REFERENCE_NAME: reference_name,
        }
    tracer = trace.get_tracer(SCOPE, tracer_provider=tracer_provider)
    with tracer.start_as_current_span(f"section {name}", attributes=attributes) as span:
        yield Section(span)


def mark_point(
    series: str,
    value: float,
    *,
    look: Look = "line",
    note: str = "",
    tracer_provider: TracerProvider | None = None,
) -> None:
    """Draw a point at the present moment.

    Args:
        series: The series that it belongs to.
        value: How high it lies.
        look: How the series is drawn; the first point's look holds for all.
        note: A few words shown with the point.
        tracer_provider: Where the span goes; the global one when None.
    """
    tracer = trace.get_tracer(SCOPE, tracer_provider=tracer_provider)
    span = tracer.start_span(f"point {series}")
    if span.is_recording():
        attributes: Mapping[str, str | float] = {
            words.POINT_SERIES: series,
            words.POINT_VALUE: value,
            words.POINT_LOOK: look,
            words.POINT_NOTE: note,
        }
        span.set_attributes(attributes)
    span.end()
