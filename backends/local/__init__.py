"""callboard.backends.local: a transformers model in this process, behind the same interface."""

from callboard.backends.local.backend import LocalBackend
from callboard.backends.local.errors import EngineError, MissingExtraError

__all__ = ["EngineError", "LocalBackend", "MissingExtraError"]
