"""Docstrings in three styles, and in none."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callboard.backends.docstring import read_docstring

GOOGLE = """Look for quotes.

    It looks everywhere.

    Args:
        side (Literal["bid", "ask"], optional): Which side,
            of the two: bid or ask.
        depth: How many.

            Up to five.
        **options: More.

    Returns:
        result: The quotes.
    """

NUMPY = """
    Look for quotes.

    It looks everywhere.

    Parameters
    ----------
    side : {'bid', 'ask'}, optional
        Which side,
        of the two: bid or ask.
    depth, other : int
        How many.

        Up to five.

    Returns
    -------
    result : list
        The quotes.
    """

SPHINX = """Look for quotes.

    It looks everywhere.

    :param side: Which side,
        of the two: bid or ask.
    :type side: str
    :param int depth: How many.
        Up to five.
    :returns: The quotes.
    :raises ValueError: Never.
    """


@pytest.mark.parametrize("text", [GOOGLE, NUMPY, SPHINX])
def test_each_style_is_read(text: str) -> None:
    """Descriptions of several lines become one; returns and types are no parameters."""
    found = read_docstring(text)
    assert found.description == "Look for quotes.\n\nIt looks everywhere."
    assert found.parameters["side"] == "Which side, of the two: bid or ask."
    assert found.parameters["depth"] == "How many. Up to five."
    assert set(found.parameters) <= {"side", "depth", "other", "options"}


@pytest.mark.parametrize("text", [None, "", "   \n  "])
def test_no_docstring_is_no_description(text: str | None) -> None:
    """And no parameters."""
    found = read_docstring(text)
    assert (found.description, dict(found.parameters)) == ("", {})


def test_plain_prose_is_description() -> None:
    """Colons and dashes in it are no sections."""
    text = "Note: this is prose.\n\nIt has - dashes: and colons."
    assert read_docstring(text).description == text


@given(st.text(alphabet=st.sampled_from(list("ab :-*()\n\tArgs:Parameters---:param x:"))))
def test_any_text_is_read(text: str) -> None:
    """Whatever its shape: nothing is raised, and a parameter has a name."""
    assert "" not in read_docstring(text).parameters
