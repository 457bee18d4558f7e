"""Reads what a server says about its own failure: a string, a list, an object, or a page."""

import json
from dataclasses import dataclass
from typing import Any

from callboard.backends.wire.foreign import field, items, text

MESSAGE_LIMIT = 500
"""Characters of a foreign message that our own message quotes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorBody:
    """What a foreign error body says."""

    message: str
    """The server's own words, shortened; empty where there are none."""
    words: frozenset[str]
    """Its `code`, `type` and inner codes, in lower case."""
    code: int | None
    """A status that the body itself names, as gateways do."""
    text: str
    """The whole body as text."""


def read_error_body(body: Any) -> ErrorBody:
    """Read a foreign error body.

    Args:
        body: Decoded JSON of any shape, or text.
    """
    error = _error(body)
    inner = field(error, "innererror") or field(error, "inner_error")
    named = [
        field(error, "code"),
        field(error, "type"),
        field(inner, "code"),
        field(error, "status"),
    ]
    message = _message(error)
    return ErrorBody(
        message=" ".join(message.split())[:MESSAGE_LIMIT],
        words=frozenset(word.lower() for word in named if isinstance(word, str)),
        code=next((code for code in map(_status, named) if code is not None), None),
        text=body if isinstance(body, str) else _dump(body),
    )


def _error(body: Any) -> Any:
    """Find the object that speaks of the error, in whatever it is wrapped."""
    inside = items(body)
    if inside:
        return _error(inside[0])
    error = field(body, "error")
    return body if error is None or isinstance(error, bool) else error


def _message(error: Any) -> str:
    for said in (error, field(error, "message"), field(error, "detail"), field(error, "msg")):
        if isinstance(said, str):
            return "" if _is_page(said) else said
        if items(said):
            return "; ".join(filter(None, map(_message, items(said))))
    return ""


def _is_page(said: str) -> bool:
    return said.lstrip()[:15].lower().startswith(("<!doctype", "<html", "<?xml"))


def _status(value: Any) -> int | None:
    number = value if type(value) is int else None
    if number is None and (text(value) or "").isdecimal():
        number = int(value)
    return number if number is not None and 400 <= number < 600 else None


def _dump(body: Any) -> str:
    if body is None:
        return ""
    try:
        return json.dumps(body, ensure_ascii=False)
    except (TypeError, ValueError):
        return str(body)
