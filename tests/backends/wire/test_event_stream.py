"""Server-sent events, cut wherever the network likes."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callboard.backends import BackendProtocolError
from callboard.backends.wire.event_stream import EventStream

EVENTS = [
    (b"data: a\n\n", [b"a"]),
    (b"data:a\n\n", [b"a"]),
    (b"data:  a\n\n", [b" a"]),
    (b"data: a\r\n\r\n", [b"a"]),
    (b"data: a\r\rdata: b\r\r", [b"a", b"b"]),
    (b"data: a\ndata: b\n\n", [b"a\nb"]),
    (b"data\ndata: b\n\n", [b"\nb"]),
    (b": comment\n\ndata: a\n\n", [b"a"]),
    (b"event: x\nid: 4\nretry: 10\ndata: a\n\n", [b"a"]),
    (b"\xef\xbb\xbfdata: a\n\n", [b"a"]),
    (b"\n\n\ndata: a\n\n\n", [b"a"]),
    (b"data: a\n\ndata: b", [b"a", b"b"]),
    (b"data: a\n", [b"a"]),
    (b"data: a\r", [b"a"]),
    ("data: é☃😀\n\n".encode(), ["é☃😀".encode()]),
    (b"database: x\n\n", []),
    (b"data: a\x0bb\x0c\x1c\x85c\n\n", [b"a\x0bb\x0c\x1c\x85c"]),
    (b"data: [DONE]\n\n", [b"[DONE]"]),
    (b"", []),
]


def read(*pieces):
    stream = EventStream()
    return [data for piece in pieces for data in stream.feed(piece)] + stream.end()


@pytest.mark.parametrize(("raw", "expected"), EVENTS)
def test_events(raw, expected):
    """Every form of the format is read."""
    assert read(raw) == expected


@pytest.mark.parametrize(("raw", "expected"), EVENTS)
def test_cut_at_every_byte(raw, expected):
    """Where the network cuts the stream makes no difference: at any byte, and at all of them."""
    for cut in range(len(raw) + 1):
        assert read(raw[:cut], raw[cut:]) == expected
    assert read(*(raw[i : i + 1] for i in range(len(raw)))) == expected


LINE_ENDS = st.sampled_from([b"\n", b"\r", b"\r\n"])
DATA = st.binary(max_size=8).map(lambda raw: raw.replace(b"\n", b"").replace(b"\r", b""))


@st.composite
def streams(draw):
    """A stream of events, and the data that is in them."""
    raw, expected = draw(st.sampled_from([b"", b"\xef\xbb\xbf"])), []
    for lines in draw(st.lists(st.lists(DATA, min_size=1, max_size=3), max_size=5)):
        if draw(st.booleans()):
            raw += b": ping" + draw(LINE_ENDS)
        for line in lines:
            raw += b"data: " + line + draw(LINE_ENDS)
        raw += draw(LINE_ENDS)
        expected.append(b"\n".join(lines))
    return raw, expected


@given(streams(), st.data())
def test_any_stream_in_any_pieces(stream, data):
    """Line ends mixed, comments between, cut anywhere: the data comes out whole and in order."""
    raw, expected = stream
    # A CR and a lone LF after it are one line end, so mixed ones may swallow an empty line.
    whole = read(raw)
    if b"\r" not in raw:
        assert whole == expected
    cuts = sorted(data.draw(st.lists(st.integers(0, len(raw)), max_size=6)))
    edges = itertools.pairwise([0, *cuts, len(raw)])
    assert read(*(raw[start:end] for start, end in edges)) == whole


@given(st.lists(DATA.filter(bool), min_size=1), LINE_ENDS)
def test_one_kind_of_line_end(lines, end):
    """With one kind of line end throughout, each event has the data that was written."""
    raw = b"".join(b"data: " + line + end + end for line in lines)
    assert read(raw) == lines


def test_events_come_as_soon_as_they_are_whole():
    """An event is not held back until the next one, not even when a CR ends it."""
    stream = EventStream()
    assert stream.feed(b"data: a\n") == []
    assert stream.feed(b"\n") == [b"a"]
    assert stream.feed(b"data: b\r\r") == [b"b"]
    assert stream.feed(b"\ndata: c\r\n\r") == [b"c"]
    assert stream.feed(b"\n") == []


def feed_often(stream, piece):
    for _ in range(20):
        stream.feed(piece)


def test_a_line_without_end():
    """A line that never ends is given up at the limit."""
    stream = EventStream(limit=100)
    with pytest.raises(BackendProtocolError, match="100 bytes"):
        feed_often(stream, b"data: xxxx")


def test_an_event_without_end():
    """So is an event of ever more lines."""
    stream = EventStream(limit=100)
    with pytest.raises(BackendProtocolError, match="100 bytes"):
        feed_often(stream, b"data: xxxxxxxx\n")


def test_many_events_are_no_long_one():
    """The limit is that of one event."""
    stream = EventStream(limit=100)
    assert sum(len(stream.feed(b"data: xxxx\n\n")) for _ in range(1000)) == 1000
