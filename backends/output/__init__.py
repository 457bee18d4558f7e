"""Output types: what a model is asked for, and what its answer is held to."""

from callboard.backends.output.output_type import OutputType, Reading, output_type
from callboard.backends.output.strict_schema import NotStrictError, strict_schema

__all__ = ["NotStrictError", "OutputType", "Reading", "output_type", "strict_schema"]
