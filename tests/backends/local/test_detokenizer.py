"""The detokenizer gives whole characters only, and all of them."""

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from callboard.backends.local.detokenizer import HALF, Detokenizer

TOKENS = st.lists(st.integers(0, 255))


def decode(ids: Sequence[int]) -> str:
    """Decode bytes as byte-level tokenizers do: each token one byte."""
    return bytes(ids).decode(errors="replace")


def pieces(ids: Sequence[int], hidden: frozenset[int] = frozenset()) -> list[str]:
    """Feed ids one by one, and return what comes out, the flush last."""
    detokenizer = Detokenizer(decode, hidden)
    return [*map(detokenizer.push, ids), detokenizer.flush()]


@given(TOKENS)
def test_the_pieces_are_the_whole(ids: list[int]) -> None:
    """Whatever the bytes, the pieces together are what decoding at once gives."""
    assert "".join(pieces(ids)) == decode(ids)


@given(st.text())
def test_no_character_is_told_in_halves(text: str) -> None:
    """No piece of a proper text ends in a replacement character, and none is left to the end."""
    if HALF in text:
        return
    told = pieces(list(text.encode()))
    assert "".join(told) == text
    assert not any(HALF in piece for piece in told)
    assert told[-1] == ""


def test_a_character_comes_with_its_last_byte() -> None:
    """Four bytes of an emoji give nothing, nothing, nothing and the emoji."""
    assert pieces(list("🤖".encode())) == ["", "", "", "🤖", ""]


def test_half_a_character_at_the_end_is_told_as_such() -> None:
    """An answer that is cut off in the middle of a character says so."""
    assert pieces(list("a🤖".encode())[:-1]) == ["a", "", "", "", HALF]


def test_hidden_tokens_leave_no_trace() -> None:
    """Special tokens are no text, and don't part the characters around them."""
    assert "".join(pieces([97, 7, 98], frozenset({7}))) == "ab"
