"""The version of this distribution, readable without importing anything else."""

VERSION = "0.1.0"
"""The same as in pyproject.toml; a test compares them."""
