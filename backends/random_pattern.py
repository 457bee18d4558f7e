"""Random strings for a regular expression, read with the parser that `re` itself uses.

`re._parser` is private, stable since Python 3.11, and the only reader of patterns there is; it is
touched here alone, by the names of its opcodes.
"""

import importlib
import re
import string
from collections.abc import Callable, Iterable, Mapping
from random import Random
from typing import Any, TypeAlias

from callboard.backends.schema_merge import UnsupportedSchemaError

REPEAT_SPREAD = 3
"""An unbounded repetition has at most this many more turns than it must."""

Draw: TypeAlias = Callable[[Any, Random], str]

_PRINTABLE = string.ascii_letters + string.digits + string.punctuation + " "
_CATEGORIES: Mapping[str, str] = {
    "CATEGORY_DIGIT": string.digits,
    "CATEGORY_NOT_DIGIT": string.ascii_letters + string.punctuation,
    "CATEGORY_SPACE": " ",
    "CATEGORY_NOT_SPACE": string.ascii_letters + string.digits + string.punctuation,
    "CATEGORY_WORD": string.ascii_letters + string.digits + "_",
    "CATEGORY_NOT_WORD": string.punctuation.replace("_", "") + " ",
}


def random_match(pattern: str, rng: Random) -> str:
    """Draw a string that a pattern is likely to match: anchors and lookarounds are passed over.

    Args:
        pattern: A regular expression without back references.
        rng: Where the randomness comes from.

    Raises:
        UnsupportedSchemaError: If the pattern is not understood.
    """
    parser: Any = importlib.import_module("re._parser")
    try:
        return _sequence(parser.parse(pattern), rng)
    except (re.error, RecursionError) as error:
        raise UnsupportedSchemaError(
            f"the pattern {pattern!r} is not understood: {error}"
        ) from error


def _sequence(nodes: Iterable[Any], rng: Random) -> str:
    return "".join(_node(str(operation), argument, rng) for operation, argument in nodes)


def _node(operation: str, argument: Any, rng: Random) -> str:
    draw = _NODES.get(operation)
    if draw is None:
        raise UnsupportedSchemaError(f"patterns with {operation.lower()} are not understood")
    return draw(argument, rng)


def _repeat(argument: Any, rng: Random) -> str:
    least, most, body = argument
    count = rng.randint(least, min(int(most), least + REPEAT_SPREAD))
    return "".join(_sequence(body, rng) for _ in range(count))


def _nothing(argument: Any, rng: Random) -> str:  # noqa: ARG001 - one signature for all nodes
    return ""


_NODES: Mapping[str, Draw] = {
    "LITERAL": lambda code, _: chr(code),
    "NOT_LITERAL": lambda code, rng: rng.choice(_PRINTABLE.replace(chr(code), "")),
    "ANY": lambda _, rng: rng.choice(_PRINTABLE),
    "IN": lambda items, rng: rng.choice(_members(items)),
    "MAX_REPEAT": _repeat,
    "MIN_REPEAT": _repeat,
    "POSSESSIVE_REPEAT": _repeat,
    "BRANCH": lambda argument, rng: _sequence(rng.choice(argument[1]), rng),
    "SUBPATTERN": lambda argument, rng: _sequence(argument[-1], rng),
    "ATOMIC_GROUP": _sequence,
    "AT": _nothing,
    "ASSERT": _nothing,
    "ASSERT_NOT": _nothing,
}


def _members(items: list[Any]) -> str:
    negated = str(items[0][0]) == "NEGATE"
    members = "".join(_member(str(kind), argument) for kind, argument in items[negated:])
    if negated:
        members = "".join(character for character in _PRINTABLE if character not in members)
    if not members:
        raise UnsupportedSchemaError("a character class has no printable ASCII member")
    return members


def _member(kind: str, argument: Any) -> str:
    if kind == "LITERAL":
        return chr(argument)
    if kind == "RANGE":
        first, last = argument
        return "".join(map(chr, range(first, min(last, first + 255) + 1)))
    return _CATEGORIES[str(argument)]
