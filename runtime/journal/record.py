"""Records: what a journal says, one record for each step in the life of a message.

Written in a hurry, by formatting; read at leisure, and with suspicion.
"""

import json
from dataclasses import dataclass
from json.encoder import encode_basestring_ascii
from typing import Any, Literal, get_args

SessionEvent = Literal["opened", "closed"]
FateEvent = Literal["started", "redelivered", "handled", "failed", "dead"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionRecord:
    """A runtime begins to write, or ends in good order. After a crash the end is missing."""

    sequence: int
    """The record's number: 0, 1, 2 ... through all segments and sessions."""
    time: int
    """Wall clock, ns since 1970."""
    event: SessionEvent
    runtime: str
    """Name of the runtime."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AcceptedRecord:
    """A message got into a mailbox."""

    sequence: int
    """The record's number, by which later records refer to the message."""
    time: int
    """Wall clock, ns since 1970."""
    recipient: str
    """Path of the receiving actor."""
    sender: str | None
    """Path of the sending actor; None for code outside of actors."""
    kind: str
    """ask, tell, publish or control."""
    message: str
    """Qualified name of the message's class."""
    version: int
    """The class's `schema_version`."""
    body: Any
    """The message as plain JSON values; None for what the runtime itself sends."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FateRecord:
    """What became of a message."""

    sequence: int
    """The record's number."""
    time: int
    """Wall clock, ns since 1970."""
    event: FateEvent
    of: int
    """The number of the message's AcceptedRecord."""
    reason: str | None = None
    """Why it is dead."""
    error: str | None = None
    """Class of the exception that its handler raised; never its text."""


Record = SessionRecord | AcceptedRecord | FateRecord

_SESSION_EVENTS: tuple[str, ...] = get_args(SessionEvent)
_FATE_EVENTS: tuple[str, ...] = get_args(FateEvent)


def quoted(text: str | None) -> bytes:
    """Return JSON for a text."""
    return b"null" if text is None else encode_basestring_ascii(text).encode()


def session_payload(sequence: int, time: int, event: SessionEvent, runtime: str) -> bytes:
    """Return the JSON of a SessionRecord."""
    form = b'{"n":%d,"t":%d,"e":%b,"runtime":%b}'
    return form % (sequence, time, quoted(event), quoted(runtime))


def accepted_payload(
    sequence: int,
    time: int,
    recipient: str,
    sender: str | None,
    kind: str,
    message: str,
    version: int,
    body: bytes,
) -> bytes:
    """Return the JSON of an AcceptedRecord.

    Args:
        sequence: The record's number.
        time: Wall clock, ns.
        recipient: Path of the receiving actor.
        sender: Path of the sending one.
        kind: How it was sent.
        message: Qualified name of the message's class.
        version: The class's `schema_version`.
        body: The message as JSON, in one line.
    """
    return b'{"n":%d,"t":%d,"e":"accepted","to":%b,"by":%b,"k":"%b","m":%b,"v":%d,"b":%b}' % (
        sequence,
        time,
        quoted(recipient),
        quoted(sender),
        kind.encode(),
        quoted(message),
        version,
        body,
    )


def fate_payload(
    sequence: int,
    time: int,
    event: FateEvent,
    of: int,
    reason: str | None = None,
    error: str | None = None,
) -> bytes:
    """Return the JSON of a FateRecord."""
    start = b'{"n":%d,"t":%d,"e":"%b","of":%d' % (sequence, time, event.encode(), of)
    why = b"" if reason is None else b',"why":' + quoted(reason)
    raised = b"" if error is None else b',"error":' + quoted(error)
    return start + why + raised + b"}"


def read_record(payload: bytes) -> Record:
    """Return the record that some JSON stands for; keys that are not known here are passed over.

    Raises:
        ValueError: It is no record.
    """
    try:
        return _read(json.loads(payload))
    except (KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ValueError(f"it is no record: {error!r}") from error


def _read(fields: Any) -> Record:
    sequence, time, event = _int(fields["n"]), _int(fields["t"]), fields["e"]
    if event == "accepted":
        return AcceptedRecord(
            sequence=sequence,
            time=time,
            recipient=_text(fields["to"]),
            sender=None if fields["by"] is None else _text(fields["by"]),
            kind=_text(fields["k"]),
            message=_text(fields["m"]),
            version=_int(fields["v"]),
            body=fields["b"],
        )
    if event in _FATE_EVENTS:
        reason, error = fields.get("why"), fields.get("error")
        return FateRecord(
            sequence=sequence,
            time=time,
            event=event,
            of=_int(fields["of"]),
            reason=None if reason is None else _text(reason),
            error=None if error is None else _text(error),
        )
    if event in _SESSION_EVENTS:
        runtime = _text(fields["runtime"])
        return SessionRecord(sequence=sequence, time=time, event=event, runtime=runtime)
    raise ValueError(f"there are no records of {event!r}")


def _int(value: Any) -> int:
    if type(value) is not int:
        raise TypeError(f"{value!r} is no whole number")
    return value


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is no text")
    return value
