"""Whoever lacks the extra is told its name."""

import sys

import pytest

from callboard.backends.errors import BackendError
from callboard.backends.local.backend import LocalBackend
from callboard.backends.local.errors import MissingExtraError


@pytest.mark.parametrize("package", ["torch", "transformers"])
def test_a_missing_package_names_the_extra(package: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The error is typed, an ImportError, and says what to type."""
    monkeypatch.setitem(sys.modules, "torch", sys)
    monkeypatch.setitem(sys.modules, "transformers", sys)
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(MissingExtraError, match=r"pip install 'callboard\[local\]'") as caught:
        LocalBackend(object(), object())
    assert caught.value.package == package
    assert isinstance(caught.value, BackendError)
    assert isinstance(caught.value, ImportError)
