"""Reads docstrings in the styles of Google, NumPy and Sphinx: what a function does, and takes."""

import inspect
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

_GOOGLE_HEAD = re.compile(r"(?:Args|Arguments|Parameters|Params|Keyword Args|Other Parameters):\s*")
_ANY_HEAD = re.compile(
    r"(?:Args|Arguments|Parameters|Params|Keyword Args|Other Parameters|Returns?|Yields?|Raises"
    r"|Examples?|Notes?|Warnings?|See Also|References|Todo|Attributes):\s*"
)
_GOOGLE_ENTRY = re.compile(
    r"\*{0,2}(?P<name>\w+)\s*(?:\([^()]*(?:\([^()]*\)[^()]*)*\))?:\s?(?P<text>.*)"
)
_NUMPY_ENTRY = re.compile(r"(?P<names>\*{0,2}\w+(?:\s*,\s*\*{0,2}\w+)*)\s*(?::.*)?")
_SPHINX_FIELD = re.compile(r":(?P<kind>\w+)(?:\s+(?P<words>[^:]*))?:\s?(?P<text>.*)")
_SPHINX_PARAMETERS = frozenset({"param", "parameter", "arg", "argument", "key", "keyword"})
_NUMPY_PARAMETERS = frozenset({"Parameters", "Other Parameters"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Docstring:
    """What a docstring says, less its markup."""

    description: str = ""
    """Everything before the first section."""
    parameters: Mapping[str, str] = field(default_factory=dict[str, str])
    """What it says of each parameter, on one line."""


def read_docstring(text: str | None) -> Docstring:
    """Read a docstring; what is in none of the three styles is description.

    Args:
        text: The docstring as it stands in the source, indentation included; None for none.
    """
    if not text:
        return Docstring()
    lines = inspect.cleandoc(text).splitlines()
    parameters = {**_google(lines), **_numpy(lines), **_sphinx(lines)}
    description = "\n".join(lines[: _first_section(lines)]).strip()
    return Docstring(description=description, parameters=parameters)


def _first_section(lines: Sequence[str]) -> int:
    for number, line in enumerate(lines):
        if _ANY_HEAD.fullmatch(line) or _is_underlined(lines, number) or _SPHINX_FIELD.match(line):
            return number
    return len(lines)


def _is_underlined(lines: Sequence[str], number: int) -> bool:
    below = lines[number + 1].strip() if number + 1 < len(lines) else ""
    return bool(lines[number].strip()) and len(below) >= 3 and set(below) == {"-"}


def _google(lines: Sequence[str]) -> dict[str, str]:
    entries: dict[str, str] = {}
    for start, line in enumerate(lines):
        if _GOOGLE_HEAD.fullmatch(line):
            entries.update(_google_entries(_block(lines, start + 1)))
    return entries


def _google_entries(block: Sequence[str]) -> dict[str, str]:
    entries: dict[str, str] = {}
    name = ""
    for line in block:
        found = _GOOGLE_ENTRY.fullmatch(line) if not line.startswith(" ") else None
        if found:
            name = found["name"]
        if name:
            _append(entries, name, found["text"] if found else line)
    return entries


def _numpy(lines: Sequence[str]) -> dict[str, str]:
    entries: dict[str, str] = {}
    for start, line in enumerate(lines):
        if line.strip() in _NUMPY_PARAMETERS and _is_underlined(lines, start):
            entries.update(_numpy_entries(lines, start + 2))
    return entries


def _numpy_entries(lines: Sequence[str], start: int) -> dict[str, str]:
    entries: dict[str, str] = {}
    names: list[str] = []
    for number in range(start, len(lines)):
        line = lines[number]
        if _is_underlined(lines, number):
            break
        if line.startswith(" ") or not line.strip():
            for name in names:
                _append(entries, name, line)
        elif found := _NUMPY_ENTRY.fullmatch(line):
            names = [name.strip().lstrip("*") for name in found["names"].split(",")]
    return entries


def _sphinx(lines: Sequence[str]) -> dict[str, str]:
    entries: dict[str, str] = {}
    name = ""
    for line in lines:
        if found := _SPHINX_FIELD.match(line):
            words = (found["words"] or "").split()
            name = words[-1].lstrip("*") if found["kind"] in _SPHINX_PARAMETERS and words else ""
            line = found["text"]  # noqa: PLW2901 - what is left of it
        if name:
            _append(entries, name, line)
    return entries


def _block(lines: Sequence[str], start: int) -> list[str]:
    """Return the indented lines from a place on, without their common indentation."""
    end = start
    while end < len(lines) and (not lines[end].strip() or lines[end].startswith(" ")):
        end += 1
    filled = [line for line in lines[start:end] if line.strip()]
    margin = min((len(line) - len(line.lstrip()) for line in filled), default=0)
    return [line[margin:] for line in filled]


def _append(entries: dict[str, str], name: str, line: str) -> None:
    entries[name] = f"{entries.get(name, '')} {line.strip()}".strip()
