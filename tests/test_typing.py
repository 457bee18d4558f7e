"""What type checkers accept, and what they must refuse.

A file in tests/typing/reject marks each line that has to be an error: `# E` for both checkers,
`# E: mypy` or `# E: pyright` for one. Exactly the marked lines may be errors.
"""

import json
import re
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

import pytest

HERE = Path(__file__).parent / "typing"
ROOT = Path(__file__).parents[1]
MARK = re.compile(r"# E(?:: (?P<checker>mypy|pyright))?\s*$")
CHECKERS = ("mypy", "pyright")

pytestmark = pytest.mark.timeout(300)

Errors = dict[str, set[int]]


def mypy(folder: Path) -> Errors:
    """Run mypy over the files; return the lines with errors, by file name."""
    files = [str(path) for path in sorted(folder.glob("*.py"))]
    # Each file is a script of its own; incremental state would only collide with other runs.
    command = [
        sys.executable,
        "-m",
        "mypy",
        "--strict",
        "--scripts-are-modules",
        "--no-incremental",
    ]
    run = subprocess.run(
        [*command, "--config-file", str(ROOT / "pyproject.toml"), *files],
        capture_output=True,
        text=True,
        cwd=ROOT,
    )
    assert run.returncode in (0, 1), run.stdout + run.stderr
    errors: Errors = defaultdict(set)
    for name, line in re.findall(r"^(.*?):(\d+): error", run.stdout, re.MULTILINE):
        errors[Path(name).name].add(int(line))
    return errors


def pyright(folder: Path) -> Errors:
    """Run pyright over the files; return the lines with errors, by file name."""
    project = folder.parent / f"pyright-{folder.name}.json"
    command = [sys.executable, "-m", "pyright", "--outputjson", "--pythonpath", sys.executable]
    run = subprocess.run(
        [*command, "--project", str(project)], capture_output=True, text=True, cwd=ROOT
    )
    assert run.returncode in (0, 1), run.stdout + run.stderr
    errors: Errors = defaultdict(set)
    for found in json.loads(run.stdout)["generalDiagnostics"]:
        if found["severity"] == "error":
            errors[Path(found["file"]).name].add(found["range"]["start"]["line"] + 1)
    return errors


def marked(folder: Path, checker: str) -> Errors:
    """Read which lines a checker must refuse, by file name."""
    lines: Errors = defaultdict(set)
    for path in folder.glob("*.py"):
        for number, line in enumerate(path.read_text().splitlines(), 1):
            found = MARK.search(line)
            if found and found["checker"] in (None, checker):
                lines[path.name].add(number)
    return lines


@pytest.mark.parametrize("checker", CHECKERS)
def test_what_is_right_is_accepted(checker: str) -> None:
    """The uses that we promise to type are clean under strict checking."""
    assert list((HERE / "accept").glob("*.py"))
    assert dict(globals()[checker](HERE / "accept")) == {}


@pytest.mark.parametrize("checker", CHECKERS)
def test_what_is_wrong_is_refused(checker: str) -> None:
    """Exactly the marked lines are errors, and every file has one."""
    expected = marked(HERE / "reject", checker)
    assert len(expected) == len(list((HERE / "reject").glob("*.py"))) > 0
    assert dict(globals()[checker](HERE / "reject")) == dict(expected)
