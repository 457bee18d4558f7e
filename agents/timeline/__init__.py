"""The timeline: a run's OpenTelemetry spans, drawn as one page that stands alone."""

from callboard.agents.timeline.marks import mark_point, mark_section
from callboard.agents.timeline.recording import Timeline, record_timeline

__all__ = ["Timeline", "mark_point", "mark_section", "record_timeline"]
