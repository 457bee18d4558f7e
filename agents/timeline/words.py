"""The span attributes by which any code puts sections and points onto a timeline."""

from typing import Final, Literal

SECTION: Final = "callboard.section.name"
"""On a span: its interval can be chosen in the page, under this name."""
SECTION_GROUP: Final = "callboard.section.group"
"""Sections of one group stand together in the page's list."""
SECTION_AXIS: Final = "callboard.section.axis"
"""What the points of the section are values of, for example `price`."""
REFERENCE_LOW: Final = "callboard.section.reference.low"
"""Lower end of the band that is drawn behind the points."""
REFERENCE_HIGH: Final = "callboard.section.reference.high"
"""Upper end of that band; equal to the lower one for a line."""
REFERENCE_NAME: Final = "callboard.section.reference.name"
"""What the band is, for the legend."""
FIGURE: Final = "callboard.section.figure."
"""Prefix: the rest of the attribute's name is a label, its value is shown under it."""

POINT_SERIES: Final = "callboard.point.series"
"""On a span: its end is drawn as a point of this series."""
POINT_VALUE: Final = "callboard.point.value"
"""How high the point lies."""
POINT_LOOK: Final = "callboard.point.look"
"""How the series is drawn, a `Look`."""
POINT_NOTE: Final = "callboard.point.note"
"""A few words shown with the point."""

Look = Literal["line", "dot", "up", "down", "faint"]
"""Joined dots, green dots, blue triangles that point up, orange ones that point down, small grey
dots. Shapes differ as well as colours, for those who can't tell the colours apart."""
