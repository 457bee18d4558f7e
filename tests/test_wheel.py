"""What users install: the wheel and the sdist, each in an environment far from this checkout."""

import subprocess
import sys
import tarfile
import tomllib
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SMOKE = Path(__file__).parent / "smoke.py"

pytestmark = [pytest.mark.packaging, pytest.mark.timeout(600)]


def run(*command: str | Path, cwd: Path) -> str:
    """Run a command; fail with all that it said."""
    done = subprocess.run([str(c) for c in command], capture_output=True, text=True, cwd=cwd)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def environment(folder: Path, *requirements: str) -> Path:
    """Make a fresh environment with these requirements; return its interpreter."""
    venv.create(folder, with_pip=True)
    python = folder / ("Scripts" if sys.platform == "win32" else "bin") / "python"
    run(python, "-m", "pip", "install", "--quiet", *requirements, cwd=folder)
    return python


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the sdist, and the wheel from the sdist, as a publisher would."""
    folder = tmp_path_factory.mktemp("dist")
    copy = tmp_path_factory.mktemp("source") / "callboard"
    # Built from the tracked files, so that what git lacks is missed here and not by users.
    run("git", "clone", "--quiet", ROOT, copy, cwd=ROOT)
    run(sys.executable, "-m", "build", "--outdir", folder, copy, cwd=folder)
    return folder


def test_the_wheel_holds_the_packages_and_nothing_else(built: Path) -> None:
    """Everything stands below callboard/, types and pages included; tests stay at home."""
    names = zipfile.ZipFile(next(built.glob("*.whl"))).namelist()
    tops = {name.split("/")[0] for name in names}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"callboard"}
    for floor in ("ambient", "runtime", "backends", "agents"):
        assert f"callboard/{floor}/py.typed" in names
    assert "callboard/__init__.py" not in names
    assert any(name.endswith(".html") for name in names)
    assert any(name.endswith("licenses/LICENSE") for name in names)


def test_the_sdist_can_test_itself(built: Path) -> None:
    """The sdist carries tests, examples and documents along."""
    with tarfile.open(next(built.glob("*.tar.gz"))) as archive:
        names = archive.getnames()
    tails = {name.partition("/")[2] for name in names}
    assert {"tests/smoke.py", "README.md", "LICENSE", "CHANGELOG.md", "Makefile"} <= tails
    assert any(tail.startswith("examples/") for tail in tails)


def test_the_wheel_works_on_its_own(built: Path, tmp_path: Path) -> None:
    """Actors, a model call, the demo and its page run from a bare install of the wheel."""
    python = environment(tmp_path / "env", str(next(built.glob("*.whl"))))
    assert "smoke: ok" in run(python, "-W", "error", SMOKE, cwd=tmp_path)


def test_the_lowest_declared_versions_work(built: Path, tmp_path: Path) -> None:
    """What pyproject.toml calls the oldest dependencies is true."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    lowest = [need.split(",")[0].replace(">=", "==") for need in project["dependencies"]]
    python = environment(tmp_path / "env", *lowest, str(next(built.glob("*.whl"))))
    assert "smoke: ok" in run(python, SMOKE, cwd=tmp_path)
