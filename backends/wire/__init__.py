"""The chat completions format: pure functions between our values and the wire."""
