"""Addresses are values: they print, compare, parse and pickle."""

import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callboard.runtime.address import Address, check_name

NAMES = st.text(st.characters(exclude_characters="/"), min_size=1)


@given(runtime=NAMES, path=st.lists(NAMES, min_size=1).map("/".join))
def test_uri_reads_back(runtime: str, path: str) -> None:
    """Every address can be read back from its URI, and survives pickling."""
    address = Address(runtime, path)
    assert Address.parse(address.uri) == address
    assert pickle.loads(pickle.dumps(address)) == address


def test_prints_as_its_path() -> None:
    """People see the path; the name is its last part."""
    address = Address("main", "market/trader-3")
    assert str(address) == "market/trader-3"
    assert address.name == "trader-3"


@pytest.mark.parametrize(
    "uri", ["", "main/a", "callboard://", "callboard://main", "callboard:///a"]
)
def test_rejects_what_is_no_address(uri: str) -> None:
    """Text of another form is refused with the form that was expected."""
    with pytest.raises(ValueError, match="callboard://runtime/path"):
        Address.parse(uri)


@pytest.mark.parametrize("name", ["", "a/b", "/"])
def test_rejects_impossible_names(name: str) -> None:
    """A name is one part of a path."""
    with pytest.raises(ValueError, match="non-empty"):
        check_name(name)
