"""OpenAI's dicts become messages, and nonsense becomes an error that names it."""

import base64
from pathlib import Path
from typing import Any

import pytest

from callboard.backends import (
    AssistantMessage,
    ImagePart,
    SystemMessage,
    TextPart,
    ToolCall,
    ToolMessage,
    UserMessage,
)
from callboard.backends.message_reading import to_message, to_messages

PNG = b"\x89PNG\r\n\x1a\n" + bytes(8)
CALL = {"id": "c1", "type": "function", "function": {"name": "look", "arguments": "{}"}}


@pytest.mark.parametrize(
    ("given", "read"),
    [
        ("hi", UserMessage("hi")),
        ({"role": "user", "content": "hi", "name": "ann"}, UserMessage("hi", "ann")),
        ({"role": "user", "content": None}, UserMessage("")),
        ({"role": "system", "content": "be"}, SystemMessage("be")),
        ({"role": "developer", "content": "be"}, SystemMessage("be")),
        ({"role": "system", "content": [{"type": "text", "text": "be"}]}, SystemMessage("be")),
        ({"role": "assistant", "content": "yes"}, AssistantMessage("yes")),
        ({"role": "assistant", "content": None, "refusal": "no"}, AssistantMessage(refusal="no")),
        (
            {"role": "assistant", "content": "a", "reasoning_content": "b"},
            AssistantMessage("a", reasoning="b"),
        ),
        (
            {"role": "assistant", "tool_calls": [CALL]},
            AssistantMessage(tool_calls=(ToolCall(id="c1", name="look", arguments="{}"),)),
        ),
        ({"role": "tool", "tool_call_id": "c1", "content": "x"}, ToolMessage("x", "c1")),
        (
            {
                "role": "user",
                "content": [
                    "so",
                    {"type": "text", "text": "what"},
                    {"type": "image_url", "image_url": "https://e.org/a.png"},
                    {"type": "image_url", "image_url": {"url": "data:x", "detail": "low"}},
                ],
            },
            UserMessage(
                (
                    TextPart("so"),
                    TextPart("what"),
                    ImagePart(url="https://e.org/a.png"),
                    ImagePart(url="data:x", detail="low"),
                )
            ),
        ),
    ],
)
def test_a_message_is_read(given: Any, read: Any) -> None:
    """Each accepted form becomes the one message that it means."""
    assert to_message(given) == read
    assert to_messages(given) == to_messages([given]) == (read,)


@pytest.mark.parametrize(
    ("given", "complaint"),
    [
        ({"role": "wizard", "content": "hi"}, "'wizard'"),
        ({"content": "hi"}, "None"),
        ({"role": "tool", "content": "x"}, "tool_call_id"),
        ({"role": "user", "content": [{"type": "smell"}]}, "'smell'"),
    ],
)
def test_nonsense_is_named(given: Any, complaint: str) -> None:
    """The error quotes what was wrong."""
    with pytest.raises(ValueError, match=complaint):
        to_message(given)


def test_images_are_embedded(tmp_path: Path) -> None:
    """Bytes and files become data URIs with the media type that their content shows."""
    path = tmp_path / "picture.dat"
    path.write_bytes(PNG)
    uri = "data:image/png;base64," + base64.b64encode(PNG).decode()
    assert ImagePart.from_bytes(PNG).url == ImagePart.from_path(path).url == uri
    assert ImagePart.from_bytes(b"?", "image/x").url == "data:image/x;base64,Pw=="
    assert ImagePart.from_bytes(b"RIFF____WEBP").url.startswith("data:image/webp;")


@pytest.mark.parametrize("make", [ImagePart.from_bytes, ImagePart.from_url])
def test_what_is_no_image_is_refused(make: Any) -> None:
    """An image that is none is an error before anything is sent."""
    with pytest.raises(ValueError, match=r"no PNG|starts with"):
        make(b"text" if make == ImagePart.from_bytes else "/etc/passwd")
