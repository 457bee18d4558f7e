"""Decodes the JSON of foreign servers: fast, and with patience for what is nearly JSON."""

import json
from collections.abc import Iterable, Mapping
from typing import Any, cast

from pydantic_core import from_json

from callboard.backends.errors import BackendProtocolError

_BOM = b"\xef\xbb\xbf"


def decode_json(data: bytes) -> Any:
    """Decode one JSON value. Raw control characters and lone surrogates are let pass, mended.

    Args:
        data: UTF-8, with or without a byte order mark.

    Raises:
        BackendProtocolError: If it is empty, or no JSON.
    """
    try:
        return from_json(data)
    except ValueError:
        return _decode_patiently(data)


def _decode_patiently(data: bytes) -> Any:
    words = data.removeprefix(_BOM).decode("utf-8", "replace")
    if not words.strip():
        raise BackendProtocolError(
            "the server's answer is empty; if that does not pass, check the server's own log, and "
            "that base_url points to an OpenAI-compatible API",
            body="",
        )
    try:
        return _mended(json.loads(words, strict=False))
    except (ValueError, RecursionError) as error:
        raise BackendProtocolError(
            f"the server's answer is no JSON ({error}); if that does not pass, check that base_url "
            "points to an OpenAI-compatible API (the answer's start is in `body`)",
            body=words,
        ) from None


def _mended(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, list):
        return list(map(_mended, cast("Iterable[Any]", value)))
    if isinstance(value, dict):
        pairs = cast("Mapping[str, Any]", value).items()
        return {_mended(key): _mended(item) for key, item in pairs}
    return value


def decode_events(data: bytes) -> list[Any]:
    """Decode the data of one event: one JSON value, as a rule.

    Servers that forget the empty line between two events have several, one on each line.

    Args:
        data: The event's data, its lines joined by line feeds.

    Raises:
        BackendProtocolError: If it is no JSON.
    """
    lines = data.split(b"\n")
    if len(lines) == 1:
        return [decode_json(data)]
    try:
        return [from_json(data)]
    except ValueError:
        return [decode_json(line) for line in lines if line.strip() not in (b"", b"[DONE]")]
