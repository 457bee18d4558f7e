"""Records a run, and writes it as one HTML page."""

from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path

from opentelemetry.trace import TracerProvider

from callboard.agents.timeline.events import Recorded
from callboard.agents.timeline.page import render_page


class Timeline:
    """What is being recorded, or was."""

    def __init__(self, tracer_provider: TracerProvider, recorded: Callable[[], Recorded]) -> None:
        self.tracer_provider = tracer_provider
        """Where spans must go to be recorded: hand it to `Runtime` and to `Tracing`."""
        self._recorded = recorded

    @property
    def recorded(self) -> Recorded:
        """The events so far, in order of time."""
        return self._recorded()

    def html(self, *, title: str = "callboard timeline", subtitle: str = "") -> str:
        """Return the page: one document with everything in it, which loads nothing.

        Args:
            title: The page's heading.
            subtitle: What stands beside it, for example the seed.
        """
        return render_page(self.recorded, title=title, subtitle=subtitle)

    def write(
        self, path: str | Path, *, title: str = "callboard timeline", subtitle: str = ""
    ) -> Path:
        """Write the page; folders on the way are made, an earlier page is replaced.

        Args:
            path: The file, usually named `*.html`.
            title: The page's heading.
            subtitle: What stands beside it.

        Returns:
            The absolute path.

        Raises:
            OSError: If the file can't be written.
        """
        target = Path(path).absolute()
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(self.html(title=title, subtitle=subtitle), encoding="utf-8")
        return target


@contextmanager
def record_timeline(
    tracer_provider: TracerProvider | None = None, *, limit: int | None = None
) -> Generator[Timeline]:
    """Record the spans that end inside the block.

    With a provider of the SDK given, the recorder is added to it, so that exporters of your own go
    on as before. Without one, a provider is made for this recording alone, and nothing global
    changes: hand `timeline.tracer_provider` on to whatever shall be recorded.

    What is kept of a span is who, what and when, never the contents of messages.

    Args:
        tracer_provider: An `opentelemetry.sdk.trace.TracerProvider`.
        limit: Events to keep.

    Yields:
        The timeline; it can still be written after the block.

    Raises:
        TypeError: If the provider is not one of the SDK.
    """
    from opentelemetry.sdk.trace import TracerProvider as SdkProvider  # noqa: PLC0415  slow

    from callboard.agents.timeline.recorder import LIMIT, SpanRecorder  # noqa: PLC0415  slow

    provider = SdkProvider() if tracer_provider is None else tracer_provider
    if not isinstance(provider, SdkProvider):
        raise TypeError(
            f"a timeline records from an opentelemetry.sdk.trace.TracerProvider, got {provider!r}"
        )
    recorder = SpanRecorder(LIMIT if limit is None else limit)
    provider.add_span_processor(recorder)
    try:
        yield Timeline(provider, recorder.recorded)
    finally:
        recorder.stop()
