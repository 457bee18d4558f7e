"""Puts the page together: markup, style, script and recording in one document.

The page runs under a policy that allows nothing but its own script and style, by their hashes; it
can neither load nor send anything. What was recorded stands in it as data, never as markup.
"""

import json
from base64 import b64encode
from hashlib import sha256
from html import escape
from importlib.resources import files
from typing import Any

from callboard.agents.timeline.columns import to_columns
from callboard.agents.timeline.events import Recorded

SCRIPTS = (
    "recording.js",
    "view.js",
    "paint.js",
    "path.js",
    "sequence.js",
    "details.js",
    "main.js",
)
"""The parts of the page's one script, in the order in which they build on one another."""


def render_page(recorded: Recorded, *, title: str, subtitle: str) -> str:
    """Return the whole document.

    Args:
        recorded: What to draw.
        title: The page's heading.
        subtitle: What stands beside it.
    """
    folder = files("callboard.agents.timeline")
    style = folder.joinpath("page.css").read_text("utf-8")
    script = "\n".join(folder.joinpath(name).read_text("utf-8") for name in SCRIPTS)
    pieces = {
        "policy": _policy(script, style),
        "title": escape(title),
        "subtitle": escape(subtitle),
        "style": style,
        "recording": _embedded(to_columns(recorded)),
        "script": script,
    }
    return _filled(folder.joinpath("page.html").read_text("utf-8"), pieces)


def _filled(template: str, pieces: dict[str, str]) -> str:
    # One pass from left to right: a piece that happens to hold a placeholder is left alone.
    parts = template.split("{{")
    filled = [parts[0]]
    for part in parts[1:]:
        name, _, rest = part.partition("}}")
        filled += (pieces[name], rest)
    return "".join(filled)


def _policy(script: str, style: str) -> str:
    return (
        "default-src 'none'; base-uri 'none'; form-action 'none'; "
        f"script-src '{_source(script)}'; style-src '{_source(style)}'"
    )


def _source(text: str) -> str:
    return "sha256-" + b64encode(sha256(text.encode("utf-8")).digest()).decode("ascii")


def _embedded(value: Any) -> str:
    # Inside <script> only "</script" and "<!--" are special to HTML, and both begin with "<".
    return json.dumps(value, separators=(",", ":"), allow_nan=False).replace("<", "\\u003c")
