"""What every layer may know: deadlines, what secrets look like, where to log, how faces are made.

Names are imported when they are first used, so that a program pays for what it uses.
"""

from typing import TYPE_CHECKING

from callboard.ambient.face import lazy_face

if TYPE_CHECKING:
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

lazy_face(__name__, {"callboard.ambient.deadline": __all__})
