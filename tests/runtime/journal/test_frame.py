"""Frames: what is written is read, and what is damaged is noticed."""

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callboard.runtime.journal.frame import LIMIT, Damage, encode_frame, holds_frame, read_frame

PAYLOADS = st.binary(max_size=60).map(lambda data: data.replace(b"\n", b" "))


@given(st.lists(PAYLOADS, max_size=8))
def test_frames_round_trip(payloads: list[bytes]) -> None:
    """Frames that follow one another are read one by one, and then comes the end."""
    stream = io.BytesIO(b"".join(map(encode_frame, payloads)))
    assert [read_frame(stream) for _ in payloads] == payloads
    assert read_frame(stream) is None


def test_a_frame_is_a_line_of_text() -> None:
    """The form is for ever: length, checksum, JSON, line feed."""
    assert encode_frame(b'{"n":17}') == b'00000008 989916fc {"n":17}\n'


@given(PAYLOADS, st.data())
def test_a_flipped_bit_is_noticed(payload: bytes, data: st.DataObject) -> None:
    """Any one bit of a frame may flip: it is then no frame, not even another one."""
    frame = bytearray(encode_frame(payload))
    place = data.draw(st.integers(0, len(frame) - 1))
    frame[place] ^= 1 << data.draw(st.integers(0, 7))
    assert isinstance(read_frame(io.BytesIO(bytes(frame))), Damage)


@given(PAYLOADS, st.data())
def test_a_cut_frame_is_noticed(payload: bytes, data: st.DataObject) -> None:
    """A frame that ends too early is damage, except if nothing of it is left."""
    frame = encode_frame(payload)
    length = data.draw(st.integers(1, len(frame) - 1))
    assert isinstance(read_frame(io.BytesIO(frame[:length])), Damage)


def test_a_length_beyond_the_limit_allocates_nothing() -> None:
    """A foreign length is checked before so much is read."""
    damage = read_frame(io.BytesIO(b"%08x 00000000 {}" % (LIMIT + 1)))
    assert isinstance(damage, Damage)
    assert "limit" in damage.problem


@pytest.mark.parametrize(("rest", "found"), [(b"", False), (encode_frame(b"{}"), True)])
def test_whole_frames_are_found_behind_damage(rest: bytes, found: bool) -> None:
    """That is what tells corruption from a torn tail."""
    assert holds_frame(io.BytesIO(encode_frame(b"{}")[:-3] + b"\x00" + rest), 1) is found
