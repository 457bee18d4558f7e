"""`callboard replay`: what a journal says, for people and for programs."""

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, get_args

import pytest

from callboard.agents.cli.replay import Outcome
from callboard.runtime.dead_letters import Reason

GOLDEN = Path(__file__).parents[2] / "runtime" / "journal" / "golden" / "version-1"


def test_one_line_for_each_message(run: Any) -> None:
    """Number, time, outcome, kind and class, who to whom, how long, what."""
    done = run("replay", str(GOLDEN), TZ="UTC")
    assert (done.status, done.err) == (0, "")
    lines = done.out.splitlines()
    assert len(lines) == 15
    assert lines[0] == (
        "#3  2025-11-21 00:00:00.004  handled     ask Order  desk -> till  1.5+1.5 ms  "
        '{"n": 5, "note": "Grüße\\n☃"}'
    )
    assert "failed (LookupError)  ask Cancel  - -> till" in done.out
    assert "dead (stopped)  tell Order  - -> till  {" in done.out


@pytest.mark.parametrize(
    ("options", "count"),
    [
        (["--actor", "desk"], 2),
        (["--actor", "t*"], 14),
        (["--actor", "nobody"], 0),
        (["--type", "Cancel"], 1),
        (["--type", "shop.orders.*"], 15),
        (["--type", "Cancel", "--type", "Hang"], 2),
        (["--outcome", "handled"], 10),
        (["--outcome", "dead"], 2),
        (["--outcome", "unhandled"], 1),
        (["--outcome", "unfinished", "--outcome", "failed"], 3),
        (["--outcome", "handled", "--actor", "desk"], 2),
        (["--since", "2025-11-21"], 15),
        (["--until", "2025-11-21T00:00:00+0000"], 0),
        (["--since", "2025-11-21T00:00:01"], 0),
    ],
)
def test_filters(run: Any, options: list[str], count: int) -> None:
    """Each option narrows what is shown; a repeated one widens it again."""
    done = run("replay", str(GOLDEN), "--json", *options, TZ="UTC")
    assert done.status == 0
    assert len(done.out.splitlines()) == count


def test_json_is_for_programs(run: Any) -> None:
    """One object a line, with everything that is known."""
    done = run("replay", str(GOLDEN), "--json", "--type", "Cancel")
    assert json.loads(done.out) == {
        "sequence": 25,
        "time": "2025-11-21T00:00:00.037500+00:00",
        "started": "2025-11-21T00:00:00.039000+00:00",
        "ended": "2025-11-21T00:00:00.040500+00:00",
        "outcome": "failed",
        "reason": None,
        "error": "LookupError",
        "kind": "ask",
        "message": "shop.orders.Cancel",
        "version": 1,
        "sender": None,
        "recipient": "till",
        "body": {"number": 7},
    }


def test_one_segment_alone(run: Any) -> None:
    """A file shows that file; a message whose beginning is elsewhere is passed over."""
    segment = sorted(GOLDEN.glob("*.journal"))[1]
    done = run("replay", str(segment), "--json")
    assert done.status == 0
    assert 3 < len(done.out.splitlines()) < 15


def test_a_torn_tail_is_said(run: Any, tmp_path: Path) -> None:
    """What is whole is shown; the rest is a note."""
    folder = tmp_path / "torn"
    shutil.copytree(GOLDEN, folder)
    last = max(folder.glob("*.journal"))
    last.write_bytes(last.read_bytes()[:-5])
    done = run("replay", str(folder))
    assert done.status == 0
    assert len(done.out.splitlines()) == 14
    assert "torn bytes" in done.err


def test_damage_is_an_error_after_what_is_whole(run: Any, tmp_path: Path) -> None:
    """One line that names segment and offset, status 1."""
    folder = tmp_path / "damaged"
    shutil.copytree(GOLDEN, folder)
    first = min(folder.glob("*.journal"))
    first.write_bytes(first.read_bytes().replace(b'"n":4}', b'"n":5}').replace(b"till", b"tilt"))
    done = run("replay", str(folder))
    assert done.status == 1
    assert f"{first} is damaged at byte" in done.err
    assert len(done.err.splitlines()) == 1


@pytest.mark.parametrize("name", ["nowhere", "."])
def test_nothing_there(run: Any, name: str) -> None:
    """A folder without a journal, and no folder at all."""
    done = run("replay", name)
    assert done.status == 1
    assert "journal" in done.err
    assert "Traceback" not in done.err


def test_bad_options_are_usage_errors(run: Any) -> None:
    """The line says what can be meant."""
    done = run("replay", str(GOLDEN), "--outcome", "splendid")
    assert done.status == 2
    assert "unfinished" in done.err
    assert run("replay", str(GOLDEN), "--since", "yesterday").status == 2


def test_a_reader_who_has_seen_enough_gets_no_traceback() -> None:
    """`callboard replay FILE | head -1` ends quietly."""
    program = f"{sys.executable} -W error -m callboard.agents.cli replay {GOLDEN} --json"
    done = subprocess.run(
        ["bash", "-c", f"set -o pipefail; {program} | true"], capture_output=True, timeout=50
    )
    assert (done.returncode, done.stderr) == (0, b"")


def test_every_reason_can_be_asked_for() -> None:
    """A late reply is no end of a message; all other reasons of dead letters are."""
    ends = {"handled", "failed", "dead", "unfinished"}
    assert {outcome.value for outcome in Outcome} == {*get_args(Reason), *ends} - {"late_reply"}
