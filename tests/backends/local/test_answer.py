"""An answer grows token by token; how it ended is known whatever was held back."""

from collections.abc import Sequence

from callboard.backends.delta import Delta
from callboard.backends.local.answer import Answer
from callboard.backends.local.detokenizer import HALF, Detokenizer
from callboard.backends.local.markup import Markup
from callboard.backends.local.sampler import Drawn
from callboard.backends.local.stop_strings import StopStrings

END = 0


def decode(ids: Sequence[int]) -> str:
    """Decode each token as one byte."""
    return bytes(ids).decode(errors="replace")


def grow(text: bytes, *, stop: str = "", told: list[Delta] | None = None) -> Answer:
    """Feed an answer one byte at a time, until it ends."""
    answer = Answer(
        Detokenizer(decode, frozenset({END})),
        StopStrings([stop]),
        Markup(thinking=True, calling=True),
        end_ids=frozenset({END}),
        first_call=3,
        tell=None if told is None else told.append,
    )
    for token in text:
        answer.take(Drawn(token=token, logprob=-1.0))
        if answer.ended:
            break
    return answer


def test_an_answer_that_ends() -> None:
    """The end token is recorded and is no text."""
    answer = grow(b"yes\0no")
    assert answer.close().content == "yes"
    assert answer.finish_reason == "stop"
    assert len(answer.drawn) == 4


def test_half_a_character_before_the_end_changes_nothing() -> None:
    """What is given out at the close does not undo the end."""
    answer = grow("a🤖".encode()[:-1] + b"\0")
    assert answer.close().content == "a" + HALF
    assert answer.finish_reason == "stop"


def test_an_answer_cut_short() -> None:
    """Without an end it was the limit, even if a whole tool call came before."""
    answer = grow(b'<tool_call>{"name": "f"}</tool_call> and')
    message = answer.close()
    assert [call.id for call in message.tool_calls] == ["call_3"]
    assert message.content == "and"
    assert answer.finish_reason == "length"


def test_a_stop_string_ends_it() -> None:
    """Nothing of it is told, nor anything after it."""
    told: list[Delta] = []
    answer = grow(b"one END two", stop="END", told=told)
    assert answer.close().content == "one "
    assert "".join(delta.text for delta in told) == "one "
    assert answer.finish_reason == "stop"


def test_nothing_said_is_an_empty_text() -> None:
    """An answer without a word is a text, and not a missing one."""
    assert grow(b"\0").close().content == ""


def test_only_calls_have_no_text() -> None:
    """A call alone leaves the content absent, as servers do."""
    answer = grow(b'<tool_call>{"name": "f"}</tool_call>\n\0')
    assert answer.close().content is None
    assert answer.finish_reason == "tool_calls"
