"""Every example runs, quickly and without a word of complaint."""

import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = sorted((Path(__file__).parents[1] / "examples").glob("*.py"))
NEEDS_LOCAL = "local"


def test_there_are_enough_examples() -> None:
    """A new user finds one for each idea."""
    assert len(EXAMPLES) >= 5


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_the_example_runs(path: Path, tmp_path: Path) -> None:
    """It ends well, prints something, writes nothing to stderr, with warnings as errors."""
    if NEEDS_LOCAL in path.stem:
        pytest.importorskip("torch", reason="needs the extra `local`: make test-local")
    run = subprocess.run(
        [sys.executable, "-W", "error", str(path)],
        capture_output=True,
        text=True,
        timeout=50,
        cwd=tmp_path,
    )
    assert run.returncode == 0, run.stderr
    assert run.stdout.strip()
    assert not run.stderr


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_the_example_is_short(path: Path) -> None:
    """An example is read in one glance: about 40 lines."""
    assert len(path.read_text().splitlines()) <= 60
