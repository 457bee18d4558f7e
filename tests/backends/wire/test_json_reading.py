"""JSON of foreign servers."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callboard.backends import BackendProtocolError
from callboard.backends.wire.json_reading import decode_events, decode_json

GOOD = [
    (b'{"a": 1}', {"a": 1}),
    (b" [1, 2.5, null, true] \n", [1, 2.5, None, True]),
    (b'\xef\xbb\xbf{"a": 1}', {"a": 1}),
    (b'{"a": "line\nbreak"}', {"a": "line\nbreak"}),
    (b'{"a": NaN}', None),
    (b'{"a": "\\ud83d\\ude00"}', {"a": "\U0001f600"}),
    (b'{"a": ["\\ud83d"]}', {"a": ["\ufffd"]}),
    ('{"a": "é"}'.encode(), {"a": "é"}),
]


@pytest.mark.parametrize(("raw", "expected"), GOOD)
def test_nearly_json(raw, expected):
    """Byte order marks, raw line breaks and half characters are let pass, mended."""
    value = decode_json(raw)
    assert value == expected if expected is not None else value["a"] != value["a"]


BAD = [b"", b"   ", b"{", b'{"a": ', b"<html></html>", b"\xff\xfe", b"nope", b"[" * 100_000]


@pytest.mark.parametrize("raw", BAD, ids=lambda raw: repr(raw[:10]))
def test_no_json(raw):
    """Everything else is a protocol error that keeps the start of what came."""
    with pytest.raises(BackendProtocolError) as caught:
        decode_json(raw)
    assert caught.value.body is not None
    assert len(caught.value.body) <= 2000


def test_events_glued_together():
    """Servers that forget the empty line between events are understood."""
    assert decode_events(b'{"a": 1}\n{"b": 2}\n[DONE]') == [{"a": 1}, {"b": 2}]
    assert decode_events(b'{"a":\n1}') == [{"a": 1}]


@given(st.binary(max_size=50))
def test_any_bytes(raw):
    """Any bytes at all are either a value or a protocol error."""
    with contextlib.suppress(BackendProtocolError):
        decode_json(raw)
