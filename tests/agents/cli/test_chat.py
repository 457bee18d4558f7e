"""`callboard chat`, on pipes and at a terminal, with a real endpoint."""

import json
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

PROGRAM = [sys.executable, "-W", "error", "-m", "callboard.agents.cli"]
ANSWER = "Hello from the test server."


def chat(server: Any, model: str) -> list[str]:
    """Return the arguments that talk with a model of the test server."""
    return ["chat", "--base-url", server.url, "--model", model]


def test_each_line_of_a_pipe_is_a_turn(run: Any, chat_server: Any) -> None:
    """Answers alone stand on stdout; the model sees the conversation grow."""
    model = chat_server.script("plain")
    done = run(*chat(chat_server, model), "-i", "Be brief.", text="one\n\n  two \n")
    assert (done.status, done.out, done.err) == (0, f"{ANSWER}\n{ANSWER}\n", "")
    said = [m["content"] for m in chat_server.requests(model)[1]["body"]["messages"]]
    assert said == ["Be brief.", "one", ANSWER, "two"]


def test_the_key_comes_from_the_named_variable(run: Any, chat_server: Any) -> None:
    """`--api-key-env` names it; the key is sent and never shown."""
    model = chat_server.script("plain")
    done = run(*chat(chat_server, model), "--api-key-env", "MY_KEY", text="hi\n", MY_KEY="sekret-1")
    assert done.status == 0
    assert chat_server.requests(model)[0]["headers"]["authorization"] == "Bearer sekret-1"
    assert "sekret" not in done.out + done.err


def test_without_an_endpoint_answers_are_random_and_repeatable(run: Any) -> None:
    """Offline, without a key, and the same for the same seed."""
    first, same, other = (run("chat", "--seed", seed, text="hi\n") for seed in ("1", "1", "2"))
    assert first.status == 0
    assert first.out.strip()
    assert first.out == same.out != other.out


def test_reset_save_load_and_exit(run: Any, chat_server: Any, tmp_path: Path) -> None:
    """The commands do what they say, and a saved conversation goes on later."""
    model = chat_server.script("plain")
    text = "forgotten\n/reset\nkept\n/save talk.json\n/exit\nnever said\n"
    done = run(*chat(chat_server, model), text=text)
    assert (done.status, done.out) == (0, f"{ANSWER}\n{ANSWER}\n")
    assert "saved 2 messages to talk.json" in done.err
    saved = json.loads((tmp_path / "talk.json").read_text())
    assert [m["content"] for m in saved["messages"]] == ["kept", ANSWER]
    run(*chat(chat_server, model), "--load", "talk.json", text="more\n")
    said = [m["content"] for m in chat_server.requests(model)[-1]["body"]["messages"]]
    assert said == ["kept", ANSWER, "more"]


def test_a_window_shortens_what_the_model_sees(run: Any, chat_server: Any) -> None:
    """`--window 1` shows it the last exchange."""
    model = chat_server.script("plain")
    run(*chat(chat_server, model), "--window", "1", text="one\ntwo\nthree\n")
    said = [m["content"] for m in chat_server.requests(model)[2]["body"]["messages"]]
    assert said == ["two", ANSWER, "three"]


def test_a_command_that_can_not_be_done_fails_a_pipe(run: Any) -> None:
    """Nobody sits there to mend it, so it ends, in one line and with status 1."""
    for text, said in (("/save no/where.json\n", "no/where.json"), ("/dance\n", "/reset forgets")):
        done = run("chat", text=text)
        assert done.status == 1
        assert said in done.err
        assert done.err.count("\n") == 1


def test_an_unreachable_host_is_status_4_and_one_helpful_line(run: Any) -> None:
    """What was tried, and what to check."""
    done = run("chat", "--base-url", "http://127.0.0.1:9/v1", "--model", "m", text="hi\n")
    assert done.status == 4
    assert done.err.startswith("callboard: ")
    assert "http://127.0.0.1:9/v1" in done.err
    assert done.err.count("\n") == 1


def test_an_error_of_the_endpoint_ends_a_pipe(run: Any, chat_server: Any) -> None:
    """A refused key is status 4, a refused request is status 1, each in one line."""
    for code, status in ((401, 4), (400, 1)):
        model = chat_server.script({"do": "status", "status": code, "message": "no way"})
        done = run(*chat(chat_server, model), text="hi\nnever said\n")
        assert done.status == status
        assert "no way" in done.err
        assert "Traceback" not in done.err
        assert len(chat_server.requests(model)) == 1


def test_control_characters_of_a_model_do_not_reach_the_terminal(
    run: Any, chat_server: Any
) -> None:
    """An answer can't steer the terminal that shows it."""
    model = chat_server.script({"do": "plain", "text": "a\x1b[2Jb\x07\x9bc\n\td"})
    assert run(*chat(chat_server, model), text="hi\n").out == "a[2Jbc\n\td\n"


def test_text_that_is_no_text_is_no_traceback(run: Any, chat_server: Any) -> None:
    """Bytes that are not UTF-8 become replacement characters."""
    model = chat_server.script("plain")
    done = run(*chat(chat_server, model), text=b"caf\xe9\n")
    assert done.status == 0
    assert chat_server.requests(model)[0]["body"]["messages"][0]["content"] == "caf\ufffd"


def test_an_error_in_many_lines_is_told_in_one(run: Any, chat_server: Any) -> None:
    """Whatever the server writes, the terminal gets one line, without control characters."""
    step = {"do": "status", "status": 400, "message": "one\ntwo\x1b[2J"}
    done = run(*chat(chat_server, chat_server.script(step)), text="hi\n")
    assert done.status == 1
    assert "one two[2J" in done.err
    assert done.err.count("\n") == 1


def test_an_answer_that_breaks_off_is_an_error(run: Any, chat_server: Any) -> None:
    """The pieces stand on a line of their own, and nobody takes them for an answer."""
    model = chat_server.script({"do": "reset_mid_stream", "pieces": 2})
    done = run(*chat(chat_server, model), text="hi\n")
    assert (done.status, done.out) == (4, "word0 word1 \n")
    assert done.err.count("\n") == 1


def test_a_reader_who_leaves_ends_the_chat_quietly(tmp_path: Path) -> None:
    """`callboard chat | head -1` is no failure that needs a traceback."""
    command = " ".join(map(shlex.quote, [*PROGRAM, "chat"]))
    done = subprocess.run(
        ["bash", "-c", f"yes hi | {command} | head -1"],
        capture_output=True,
        text=True,
        timeout=50,
        cwd=tmp_path,
    )
    assert done.stdout.count("\n") == 1
    assert done.stderr == ""


def test_at_a_terminal_a_chat_goes_on_after_errors(talk: Any, chat_server: Any) -> None:
    """Greeting, prompt, streamed answer, an error in one line, and on; Ctrl-D leaves with 0."""
    model = chat_server.script(
        "plain", {"do": "status", "status": 400, "message": "no way"}, "plain"
    )
    session = talk(*chat(chat_server, model))
    session.expect("/reset forgets")
    session.expect("you> ")
    session.type("hi\n")
    session.expect(ANSWER)
    session.expect("you> ")
    session.type("bad\n")
    session.expect("no way")
    session.expect("you> ")
    session.type("/dance\n")
    session.expect("/dance: /reset forgets")
    session.expect("you> ")
    session.type("again\n")
    session.expect(ANSWER)
    session.expect("you> ")
    session.type("\x04")
    assert session.leave() == 0
    said = [m["content"] for m in chat_server.requests(model)[-1]["body"]["messages"]]
    assert said == ["hi", ANSWER, "again"]


def test_thinking_is_shown_apart_from_the_answer(run: Any, talk: Any, chat_server: Any) -> None:
    """At a terminal before the answer, on a pipe not at all."""
    session = talk(*chat(chat_server, "reasoning"))
    session.expect("you> ")
    session.type("hi\n")
    session.expect("Let me think.\r\n")
    session.expect("42\r\n")
    session.expect("you> ")
    session.type("/exit\n")
    assert session.leave() == 0
    assert run(*chat(chat_server, "reasoning"), text="hi\n").out == "42\n"


def test_ctrl_c_stops_the_answer_and_then_leaves(talk: Any, chat_server: Any) -> None:
    """The connection is closed, the conversation is as before, and the next Ctrl-C is the end."""
    model = chat_server.script({"do": "hang_mid_stream", "pieces": 2}, "plain")
    session = talk(*chat(chat_server, model))
    session.expect("you> ")
    session.type("hi\n")
    session.expect("word1")
    session.type("\x03")
    session.expect("stopped")
    chat_server.wait_for_closed(model)
    session.expect("you> ")
    session.type("again\n")
    session.expect(ANSWER)
    session.expect("you> ")
    assert session.leave("\x03") == 130
    said = [m["content"] for m in chat_server.requests(model)[-1]["body"]["messages"]]
    assert said == ["again"]


def test_a_terminal_without_an_endpoint_says_that_answers_are_random(talk: Any) -> None:
    """Nobody mistakes random words for a model."""
    session = talk("chat")
    session.expect("answers are random, see --base-url and --model")
    session.expect("you> ")
    session.type("/exit\n")
    assert session.leave() == 0
