"""Messages of a journal as lines: for people, and as JSON for programs."""

import json
from datetime import UTC, datetime

from callboard.agents.cli.printable import printable
from callboard.runtime.journal.life import Life

BODY_WIDTH = 80
"""Characters of a body that are shown to people, unless they ask for all."""


def text_line(life: Life, *, whole: bool) -> str:
    """Return a message in one printable line.

    Args:
        life: The message.
        whole: Show all of its body.
    """
    accepted = life.accepted
    when = datetime.fromtimestamp(accepted.time / 1e9, UTC).astimezone()
    body = "" if accepted.body is None else json.dumps(accepted.body, ensure_ascii=False)
    if not whole and len(body) > BODY_WIDTH:
        body = f"{body[: BODY_WIDTH - 3]}..."
    parts = (
        f"#{accepted.sequence}",
        f"{when:%Y-%m-%d %H:%M:%S}.{when.microsecond // 1000:03d}",
        f"{_outcome(life):<10}",
        f"{accepted.kind} {accepted.message.rpartition('.')[2]}",
        f"{accepted.sender or '-'} -> {accepted.recipient}",
        _duration(life),
        body,
    )
    return " ".join(printable("  ".join(part for part in parts if part)).splitlines())


def json_line(life: Life) -> str:
    """Return a message as one line of JSON."""
    accepted, started, ended = life.accepted, life.started, life.ended
    return json.dumps(
        {
            "sequence": accepted.sequence,
            "time": _iso(accepted.time),
            "started": None if started is None else _iso(started.time),
            "ended": None if ended is None else _iso(ended.time),
            "outcome": life.outcome,
            "reason": None if ended is None else ended.reason,
            "error": None if ended is None else ended.error,
            "kind": accepted.kind,
            "message": accepted.message,
            "version": accepted.version,
            "sender": accepted.sender,
            "recipient": accepted.recipient,
            "body": accepted.body,
        }
    )


def _outcome(life: Life) -> str:
    why = None if life.ended is None else life.ended.reason or life.ended.error
    return life.outcome if why is None else f"{life.outcome} ({why})"


def _duration(life: Life) -> str:
    if life.started is None or life.ended is None:
        return ""
    waited = (life.started.time - life.accepted.time) / 1e6
    took = (life.ended.time - life.started.time) / 1e6
    return f"{waited:.1f}+{took:.1f} ms"


def _iso(nanoseconds: int) -> str:
    return datetime.fromtimestamp(nanoseconds / 1e9, UTC).isoformat()
