"""kill -9: nothing that was acknowledged is lost, whenever it comes; and a control that loses."""

import random
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest

from callboard.runtime.journal import JournalReader, lives
from callboard.runtime.journal.writer import SegmentWriter

CHILD = Path(__file__).with_name("crash_child.py")
LOOPS = ("asyncio", "uvloop", "trio")


@dataclass(frozen=True)
class Crash:
    """What a killed program had said, and what its journal says."""

    acknowledged: int
    lost: list[str]
    torn: bool
    finished: bool


def start(folder: Path, loop: str, mode: str, kill_at: int) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, str(CHILD), str(folder), loop, mode, str(kill_at)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def examine(folder: Path, said: str) -> Crash:
    """Compare what was acknowledged with what the reopened journal holds."""
    reader = JournalReader(folder)
    told = list(lives(reader))
    SegmentWriter(folder, 1 << 20).close()  # reopening cuts off the torn tail
    after = JournalReader(folder)
    assert list(lives(after)) == told
    assert after.torn is None
    kept = {f"told {-life.accepted.body['n']}" for life in told}
    kept |= {f"asked {life.accepted.body['n']}" for life in told if life.outcome == "handled"}
    lines = said.splitlines()
    finished = "done 0" in lines
    acknowledged = [line for line in lines if line != "done 0"]
    lost = [line for line in acknowledged if line not in kept]
    return Crash(len(acknowledged), lost, reader.torn is not None, finished)


def kill_later(folder: Path, loop: str, mode: str, delay: float) -> Crash:
    """Kill the program some time after its first acknowledgement."""
    with start(folder, loop, mode, -1) as child:
        assert child.stdout is not None
        first = child.stdout.readline()
        time.sleep(delay)  # not for synchronisation: the moment is what varies
        child.kill()
        rest, errors = child.communicate()
    assert child.returncode == -signal.SIGKILL, errors
    return examine(folder, first + rest)


def kill_at_call(folder: Path, loop: str, call: int) -> Crash:
    """Let the program kill itself at one of its system calls."""
    with start(folder, loop, "honest", call) as child:
        said, errors = child.communicate()
    crash = examine(folder, said) if list(folder.glob("*.journal")) else Crash(0, [], False, False)
    assert child.returncode == (0 if crash.finished else -signal.SIGKILL), errors
    return crash


def test_nothing_acknowledged_is_lost_at_random_moments(tmp_path: Path) -> None:
    """Twenty-four programs are killed at random moments; each of their words holds."""
    chance = random.Random(24)
    delays = [chance.uniform(0, 0.15) for _ in range(24)]

    def kill(i: int) -> Crash:
        return kill_later(tmp_path / str(i), LOOPS[i % 3], "honest", delays[i])

    with ThreadPoolExecutor(4) as pool:
        crashes = list(pool.map(kill, range(24)))
    assert [crash.lost for crash in crashes if crash.lost] == []
    assert sum(crash.acknowledged for crash in crashes) > 200


@pytest.mark.parametrize("loop", LOOPS)
def test_nothing_acknowledged_is_lost_at_any_system_call(tmp_path: Path, loop: str) -> None:
    """Killed before, after and in the middle of each write and sync; torn tails included."""
    calls = range(0, 36, 1) if loop == "asyncio" else range(0, 36, 6)
    with ThreadPoolExecutor(4) as pool:
        crashes = list(pool.map(lambda k: kill_at_call(tmp_path / str(k), loop, k), calls))
    assert [crash.lost for crash in crashes if crash.lost] == []
    assert any(crash.torn for crash in crashes)
    assert any(crash.acknowledged for crash in crashes)
    assert not all(crash.finished for crash in crashes)


def test_the_control_is_caught(tmp_path: Path) -> None:
    """A journal that acknowledges before the disk has it loses words, and the test sees it."""
    crashes = [kill_later(tmp_path / str(i), "asyncio", "control", 0.02) for i in range(3)]
    assert any(crash.lost for crash in crashes)
