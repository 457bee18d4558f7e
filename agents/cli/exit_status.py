"""The statuses with which a command leaves."""

OK, FAILURE, USAGE, UNAVAILABLE, INTERRUPTED = 0, 1, 2, 4, 130
"""Done; failed; wrongly called; the backend can't be used; interrupted by the user."""
