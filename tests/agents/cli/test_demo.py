"""`callboard demo`, as its users run it: the table, the page, a model of one's own, Ctrl-C."""

import json
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

QUICK = ("demo", "--periods", "2", "--quotes", "60")
LOOPS = ("asyncio", "uvloop", "trio")


def column(out: str, label: str) -> list[str]:
    """Return a row's values."""
    (line,) = [line for line in out.splitlines() if line.strip().startswith(label)]
    return line.strip().removeprefix(label).split()


def test_the_table_is_the_same_on_every_loop(run: Any) -> None:
    """Byte for byte, path of the page included."""
    first, *others = [run(*QUICK, "--seed", "7", "--event-loop", loop) for loop in LOOPS]
    assert first.status == 0
    assert first.err == ""
    assert "\x1b" not in first.out
    assert [other.out for other in others] == [first.out, first.out]
    assert run(*QUICK, "--seed", "7", "--trio").out == first.out
    assert run(*QUICK, "--seed", "8").out != first.out


def test_the_table_shows_both_arms_against_the_equilibrium(run: Any, tmp_path: Path) -> None:
    """Every figure that a reader wants, for ZI-C and ZI-U side by side, and where the page is."""
    out = run(*QUICK, "--quotes", "300").out
    assert "market classic: 6 buyers, 6 sellers, seed 0" in out
    assert "12 trades a period at 110 to 124, surplus 911" in out
    assert re.search(r"^ +ZI-C +ZI-U$", out, re.MULTILINE)
    assert column(out, "equilibrium price") == ["117.0", "117.0"]
    constrained, unconstrained = (float(part.rstrip("%")) for part in column(out, "efficiency"))
    assert constrained > 90 > unconstrained
    for label in ("trades", "mean price", "model calls", "tokens"):
        assert all(float(value.replace(",", "")) > 0 for value in column(out, label))
    for label in ("retries", "failed calls", "failed quotes"):
        assert column(out, label) == ["0", "0"]
    page = tmp_path / "runs" / "demo.html"
    assert out.endswith(f"\nTimeline: {page}\n")
    assert page.stat().st_size > 50_000


def test_unconstrained_alone_is_the_same_zi_u(run: Any) -> None:
    """An arm draws from the seed whether the other one runs or not."""
    both = json.loads(run(*QUICK, "--json", "--no-timeline").out)
    alone = json.loads(run(*QUICK, "--json", "--no-timeline", "--unconstrained").out)
    assert [arm["name"] for arm in both["runs"]] == ["ZI-C", "ZI-U"]
    assert alone["runs"] == both["runs"][1:]


def test_json_has_every_figure_and_nothing_else_is_on_stdout(run: Any, tmp_path: Path) -> None:
    """For scripts: one object, prices included."""
    done = run(*QUICK, "--json", "--market", "scarce", "-o", "page.html")
    told = json.loads(done.out)
    assert told["market"]["name"] == "scarce"
    assert told["equilibrium"] == {"quantity": 9, "low": 145, "high": 150, "surplus": 860}
    assert told["timeline"] == str(tmp_path / "page.html")
    for arm in told["runs"]:
        assert len(arm["periods"]) == 2
        assert arm["trades"] == sum(len(period["prices"]) for period in arm["periods"])
        assert arm["calls"] >= arm["quotes"] > 0
        assert arm["tokens"]["input"] > arm["tokens"]["output"] > 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--market", "nowhere"), "no market is named 'nowhere'; there are classic"),
        (("--periods", "0"), "--periods"),
        (("--output", "."), "names a folder; try demo.html"),
        (("--output", "/proc/nowhere/demo.html"), "--output /proc/nowhere/demo.html"),
        (("--event-loop", "curio"), "--event-loop"),
        (("--base-url", "http://localhost:1"), "--model"),
    ],
)
def test_wrong_usage_is_told_before_anything_runs(run: Any, arguments: Any, said: str) -> None:
    """One line on stderr, status 2, nothing on stdout."""
    done = run("demo", *arguments)
    assert (done.status, done.out) == (2, "")
    assert said in done.err
    assert done.err.count("\n") == 1


@pytest.mark.parametrize("loop", LOOPS)
def test_a_model_of_ones_own_trades(run: Any, chat_server: Any, loop: str) -> None:
    """Over a real socket; every quote offers the tool and carries the bounds in its schema."""
    model = chat_server.script({"do": "json", "value": {"price": 117}})
    endpoint = ("--base-url", chat_server.url, "--model", model)
    done = run("demo", *endpoint, "--periods", "1", "--quotes", "7", "--event-loop", loop)
    assert done.status == 0, done.err
    assert re.search(r"^ +constrained +unconstrained$", done.out, re.MULTILINE)
    assert column(done.out, "mean price") == ["117.0", "117.0"]
    assert column(done.out, "failed quotes") == ["0", "0"]
    bodies = [request["body"] for request in chat_server.requests(model)]
    assert len(bodies) == 14
    for body in bodies:
        assert [tool["function"]["name"] for tool in body["tools"]] == ["best_quotes"]
        assert "continuous double auction" in body["messages"][0]["content"]
    schemas = [body["response_format"]["json_schema"]["schema"] for body in bodies]
    bounds = {
        (s["properties"]["price"]["minimum"], s["properties"]["price"]["maximum"]) for s in schemas
    }
    assert (1, 200) in bounds
    assert len(bounds) > 4


def test_a_real_model_gets_fewer_quotes(run: Any, chat_server: Any) -> None:
    """Two periods of sixty, unless more are asked for."""
    endpoint = ("--base-url", chat_server.url, "--model", "structured")
    told = json.loads(run("demo", *endpoint, "--json", "--no-timeline").out)
    constrained = told["runs"][0]
    assert [period["quotes"] for period in constrained["periods"]] == [60, 60]
    assert constrained["trades"] == 0  # The smallest price of each schema: nobody ever meets.


def test_failing_quotes_are_counted(run: Any, chat_server: Any) -> None:
    """A refused quote costs a turn; the run goes on and says how many there were."""
    model = chat_server.script(
        *[{"do": "json", "value": {"price": 117}}] * 3,
        {"do": "status", "status": 400, "message": "no"},
        {"do": "json", "value": {"price": 117}},
    )
    endpoint = ("--base-url", chat_server.url, "--model", model)
    done = run("demo", *endpoint, "--unconstrained", "--periods", "1", "--quotes", "10")
    assert done.status == 0
    assert column(done.out, "failed quotes") == ["1"]
    assert column(done.out, "failed calls") == ["1"]


def test_a_dead_endpoint_is_given_up(run: Any) -> None:
    """Nobody listens: the table of nothing, one line why, status 4."""
    done = run("demo", "--base-url", "http://127.0.0.1:9/v1", "--model", "none", "--unconstrained")
    assert done.status == 4
    assert column(done.out, "failed quotes") == ["6"]
    assert "unconstrained: given up, 6 quotes in a row failed" in done.err


def test_a_short_run_without_a_single_quote_failed(run: Any) -> None:
    """Too few quotes to lose patience over are still no success: one line why, status 4."""
    endpoint = ("--base-url", "http://127.0.0.1:9/v1", "--model", "none", "--unconstrained")
    done = run("demo", *endpoint, "--periods", "1", "--quotes", "3")
    assert done.status == 4
    assert column(done.out, "failed quotes") == ["3"]
    assert "unconstrained: every quote failed" in done.err


def test_a_wrong_key_is_given_up_and_never_shown(run: Any, chat_server: Any) -> None:
    """The endpoint refuses; the key stands nowhere, not in the page either."""
    key = "sk-very-secret-key-0123456789"
    model = chat_server.script({"do": "status", "status": 401, "message": f"bad key {key}"})
    endpoint = ("--base-url", chat_server.url, "--model", model, "--output", "page.html")
    done = run("demo", *endpoint, OPENAI_API_KEY=key)
    assert done.status == 4
    assert "given up" in done.err
    page = Path(re.search(r"Timeline: (.*)", done.out)[1]).read_text("utf-8")
    assert key not in done.out + done.err + page


def start(tmp_path: Path, *arguments: str) -> "subprocess.Popen[str]":
    """Start the demonstration in a process group of its own."""
    return subprocess.Popen(
        [sys.executable, "-W", "error", "-m", "callboard.agents.cli", "demo", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=tmp_path,
    )


@pytest.mark.parametrize("loop", LOOPS)
def test_ctrl_c_leaves_with_what_there_is(chat_server: Any, tmp_path: Path, loop: str) -> None:
    """A model that hangs is cancelled; the period before it is in the table; status 130."""
    quote = {"do": "json", "value": {"price": 117}}
    model = chat_server.script(*[quote] * 5, "hang")
    process = start(
        tmp_path,
        *("--base-url", chat_server.url, "--model", model, "--unconstrained"),
        *("--periods", "2", "--quotes", "5", "--event-loop", loop),
    )
    chat_server.wait_for_requests(model, 6)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert process.returncode == 130, err
    assert column(out, "periods") == ["1"]
    assert column(out, "quotes") == ["5"]
    assert "interrupted" in err
    assert "Traceback" not in err
    chat_server.wait_for_closed(model, 6)
    assert (tmp_path / "runs" / "demo.html").exists()


def test_at_a_terminal_progress_is_live(talk: Any) -> None:
    """Bars with the running efficiency, and then the table."""
    shown = talk(*QUICK)
    shown.expect("ZI-C")
    shown.expect("efficiency")
    shown.expect("Double auction")
    shown.expect("Timeline: ")
    assert shown.leave() == 0


def test_help_names_the_options(run: Any) -> None:
    """Every option of the demonstration is in its help."""
    shown = run("demo", "--help").out
    for option in ("--market", "--periods", "--quotes", "--unconstrained", "--output", "--json"):
        assert option in shown
