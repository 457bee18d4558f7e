"""Usage: the tokens of one or more model calls."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """Tokens counted by the backend; adds up with `+`. A server that says nothing counts as 0."""

    input: int = 0
    """Prompt tokens, the cached ones included."""
    output: int = 0
    """Completion tokens, the reasoning ones included."""
    cached: int = 0
    """Prompt tokens that the server had already."""
    reasoning: int = 0
    """Completion tokens spent on reasoning."""

    @property
    def total(self) -> int:
        """Input and output tokens together."""
        return self.input + self.output

    def __add__(self, other: "Usage") -> "Usage":
        return Usage(
            input=self.input + other.input,
            output=self.output + other.output,
            cached=self.cached + other.cached,
            reasoning=self.reasoning + other.reasoning,
        )
