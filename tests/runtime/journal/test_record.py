"""Records: any sequence of events comes back as it was."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callboard.runtime.journal.record import (
    AcceptedRecord,
    FateRecord,
    Record,
    SessionRecord,
    accepted_payload,
    fate_payload,
    read_record,
    session_payload,
)

NUMBERS = st.integers(0, 2**63)
TEXTS = st.text(max_size=20)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=8,
)
RECORDS = st.one_of(
    st.builds(
        SessionRecord,
        sequence=NUMBERS,
        time=NUMBERS,
        event=st.sampled_from(["opened", "closed"]),
        runtime=TEXTS,
    ),
    st.builds(
        AcceptedRecord,
        sequence=NUMBERS,
        time=NUMBERS,
        recipient=TEXTS,
        sender=st.none() | TEXTS,
        kind=st.sampled_from(["ask", "tell", "publish", "control"]),
        message=TEXTS,
        version=st.integers(0, 99),
        body=JSON,
    ),
    st.builds(
        FateRecord,
        sequence=NUMBERS,
        time=NUMBERS,
        event=st.sampled_from(["started", "redelivered", "handled", "failed", "dead"]),
        of=NUMBERS,
        reason=st.none() | TEXTS,
        error=st.none() | TEXTS,
    ),
)


def payload(record: Record) -> bytes:
    """Write a record as the journal does."""
    match record:
        case SessionRecord():
            return session_payload(record.sequence, record.time, record.event, record.runtime)
        case FateRecord():
            return fate_payload(
                record.sequence,
                record.time,
                record.event,
                record.of,
                record.reason,
                record.error,
            )
        case AcceptedRecord():
            return accepted_payload(
                record.sequence,
                record.time,
                record.recipient,
                record.sender,
                record.kind,
                record.message,
                record.version,
                json.dumps(record.body).encode(),
            )


@given(RECORDS)
def test_records_round_trip(record: Record) -> None:
    """Whatever a record holds, it is one line and is read back the same."""
    written = payload(record)
    assert b"\n" not in written
    assert read_record(written) == record


@given(st.binary(max_size=50) | JSON.map(lambda value: json.dumps(value).encode()))
def test_anything_else_is_a_value_error(data: bytes) -> None:
    """Foreign bytes never raise anything but ValueError."""
    with pytest.raises(ValueError):  # noqa: PT011  its text is not promised
        read_record(data)


@pytest.mark.parametrize(
    "fields",
    [
        {"n": 1, "t": 2, "e": "forgotten"},
        {"n": True, "t": 2, "e": "started", "of": 0},
        {"n": 1, "t": 2, "e": "accepted", "to": 5},
        {"n": 1, "t": 2, "e": ["opened"], "runtime": "main"},
    ],
)
def test_unknown_records_are_refused(fields: dict[str, Any]) -> None:
    """An event or a type that nobody knows is no record."""
    with pytest.raises(ValueError):  # noqa: PT011  its text is not promised
        read_record(json.dumps(fields).encode())


def test_keys_of_the_future_are_passed_over() -> None:
    """A later minor version may add what this one need not know."""
    record = read_record(b'{"n":1,"t":2,"e":"closed","runtime":"main","weather":"fine"}')
    assert record == SessionRecord(sequence=1, time=2, event="closed", runtime="main")
