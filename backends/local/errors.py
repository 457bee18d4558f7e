"""What can go wrong with a model in the process, beyond the errors of every backend.

BackendError
├── EngineError        the model's thread can't serve: closed, dead, or left behind by a fork
└── MissingExtraError  torch or transformers is not installed; also an ImportError
"""

from typing import Literal

from callboard.backends.errors import BackendError

EngineEnd = Literal["closed", "died", "forked"]
"""Why a model's thread serves no more."""


class EngineError(BackendError):
    """The thread that owns the model can't serve; `reason` says why."""

    def __init__(self, message: str, *, reason: EngineEnd) -> None:
        super().__init__(message)
        self.reason = reason
        """`closed` by `aclose`, `died` by itself, or `forked`: it stayed in the parent process."""


class MissingExtraError(BackendError, ImportError):
    """A package that the in-process model needs is not installed."""

    def __init__(self, package: str) -> None:
        super().__init__(
            f"the in-process model needs {package}, which is not installed: "
            "pip install 'callboard[local]'"
        )
        self.package = package
        """What could not be imported."""
