"""What every layer may know: the deadline that surrounds the current task."""

from callboard.ambient.deadline import (
    ambient_deadline,
    bounded_deadline,
    deadline_scope,
    set_ambient_deadline,
    time_left,
)

__all__ = [
    "ambient_deadline",
    "bounded_deadline",
    "deadline_scope",
    "set_ambient_deadline",
    "time_left",
]
