"""Random strings: nonsense words, and strings of a given length, pattern or format."""

import base64
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from functools import partial
from random import Random
from uuid import UUID

from callboard.backends.random_pattern import random_match
from callboard.backends.schema_merge import Schema, UnsupportedSchemaError

SYLLABLES = ("ba", "di", "fo", "gu", "ka", "le", "mi", "no", "pu", "ra", "se", "ti", "vo", "zu")
LENGTH_SPREAD = 12
"""A string has at most this many characters more than it must."""
ATTEMPTS = 50


def random_word(rng: Random) -> str:
    """Draw a nonsense word of one to three syllables."""
    return "".join(rng.choices(SYLLABLES, k=rng.randint(1, 3)))


def random_words(rng: Random) -> str:
    """Draw a nonsense phrase of two to eight words."""
    return " ".join(random_word(rng) for _ in range(rng.randint(2, 8)))


def random_string(schema: Schema, rng: Random) -> str:
    """Draw a string that satisfies a schema's length, pattern and format.

    Unknown formats are annotations, as JSON schema has it. Patterns are searched for, not matched
    to the whole string, also as JSON schema has it.

    Args:
        schema: A flat JSON schema of type string.
        rng: Where the randomness comes from.

    Raises:
        UnsupportedSchemaError: If no such string was found.
    """
    shortest = int(schema.get("minLength", 0))
    longest = schema.get("maxLength")
    if longest is not None and longest < shortest:
        raise UnsupportedSchemaError(f"no string is {shortest} to {longest} characters long")
    draw = _drawer(schema)
    if draw is None:
        most = shortest + LENGTH_SPREAD
        return _sized(rng.randint(shortest, most if longest is None else min(longest, most)), rng)
    for _ in range(ATTEMPTS):
        text = draw(rng)
        if len(text) >= shortest and (longest is None or len(text) <= longest):
            return text
    raise UnsupportedSchemaError(f"no string was found for {dict(schema)!r}")


def _drawer(schema: Schema) -> Callable[[Random], str] | None:
    if "pattern" in schema:
        return partial(_matching, schema["pattern"])
    return _FORMATS.get(schema.get("format", ""))


def _matching(pattern: str, rng: Random) -> str:
    for _ in range(ATTEMPTS):
        if re.search(pattern, text := random_match(pattern, rng)):
            return text
    raise UnsupportedSchemaError(f"no string was found that matches {pattern!r}")


def _sized(length: int, rng: Random) -> str:
    return "".join(rng.choices(SYLLABLES, k=length // 2 + 1))[:length]


def _moment(rng: Random) -> datetime:
    return datetime(2000, 1, 1, tzinfo=UTC) + timedelta(seconds=rng.randrange(10**9))


def _hex(rng: Random) -> str:
    return f"{rng.getrandbits(16):x}"


def _ipv4(rng: Random) -> str:
    return ".".join(str(rng.randrange(256)) for _ in range(4))


def _ipv6(rng: Random) -> str:
    return ":".join(_hex(rng) for _ in range(8))


def _url(rng: Random) -> str:
    return f"https://{random_word(rng)}.example/{random_word(rng)}"


def _base64(rng: Random) -> str:
    return base64.b64encode(rng.randbytes(rng.randint(0, 12))).decode()


_FORMATS: Mapping[str, Callable[[Random], str]] = {
    "date": lambda rng: _moment(rng).date().isoformat(),
    "date-time": lambda rng: _moment(rng).isoformat().replace("+00:00", "Z"),
    "time": lambda rng: _moment(rng).time().isoformat() + "Z",
    "duration": lambda rng: f"P{rng.randrange(30)}DT{rng.randrange(24)}H{rng.randrange(60)}M",
    "uuid": lambda rng: str(UUID(int=rng.getrandbits(128), version=4)),
    "email": lambda rng: f"{random_word(rng)}@{random_word(rng)}.com",
    "hostname": lambda rng: f"{random_word(rng)}.example",
    "uri": _url,
    "url": _url,
    "ipv4": _ipv4,
    "ipv6": _ipv6,
    "ipvanyaddress": _ipv4,
    "ipv4network": lambda rng: f"{_ipv4(rng)}/32",
    "ipv6network": lambda rng: f"{_ipv6(rng)}/128",
    "ipvanynetwork": lambda rng: f"{_ipv4(rng)}/32",
    "ipv4interface": lambda rng: f"{_ipv4(rng)}/24",
    "ipv6interface": lambda rng: f"{_ipv6(rng)}/64",
    "ipvanyinterface": lambda rng: f"{_ipv4(rng)}/24",
    "json-pointer": lambda rng: f"/{random_word(rng)}/{rng.randrange(10)}",
    "regex": random_word,
    "json-string": lambda rng: str(rng.randrange(1000)),
    "base64": _base64,
    "base64url": _base64,
}
