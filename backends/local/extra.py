"""Brings in torch and transformers, the one place that does, and only when a model is used.

They are foreign and heavy, and absent where nobody asked for the extra `local`; typed as Any, so
that the types of this package hold with and without them.
"""

from importlib import import_module
from typing import Any

from callboard.backends.local.errors import MissingExtraError


def load_torch() -> Any:
    """Return the module torch.

    Raises:
        MissingExtraError: If it is not installed.
    """
    return _load("torch")


def load_transformers() -> Any:
    """Return the module transformers.

    Raises:
        MissingExtraError: If it is not installed.
    """
    load_torch()  # transformers imports without it, and fails much later
    return _load("transformers")


def _load(package: str) -> Any:
    try:
        return import_module(package)
    except ModuleNotFoundError as error:
        if error.name != package:
            raise
        raise MissingExtraError(package) from error
