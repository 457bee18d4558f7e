"""The documents speak the truth: their Python runs, and their links lead somewhere.

The `python` blocks of a page run in order as one program. A block that can't run here says so in
its fence: ```python no-run: why.
"""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
BLOCK = re.compile(r"^```python(?P<info>[^\n]*)\n(?P<code>.*?)^```", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\((?!https?://|mailto:|#)([^)#\s]+)")


def program(page: Path) -> str:
    """Return a page's code as one program whose line numbers are the page's."""
    text = page.read_text()
    lines = [""] * (text.count("\n") + 1)
    for block in BLOCK.finditer(text):
        if "no-run:" in block["info"]:
            continue
        start = text.count("\n", 0, block.start("code"))
        for offset, line in enumerate(block["code"].splitlines()):
            lines[start + offset] = line
    return "\n".join(lines)


WITH_CODE = [page for page in PAGES if program(page).strip()]


def name(page: Path) -> str:
    """Name a page for the test's id."""
    return str(page.relative_to(ROOT))


def test_readme_has_code() -> None:
    """The first page shows the thing at work."""
    assert ROOT / "README.md" in WITH_CODE


@pytest.mark.parametrize("page", WITH_CODE, ids=name)
def test_the_code_of_the_page_runs(page: Path, tmp_path: Path) -> None:
    """A reader who types it in gets no error and no warning."""
    script = tmp_path / "page.py"
    script.write_text(program(page))
    run = subprocess.run(
        [sys.executable, "-W", "error", str(script)],
        capture_output=True,
        text=True,
        timeout=50,
        cwd=tmp_path,
    )
    assert run.returncode == 0, f"{name(page)}: {run.stderr}"


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_links_lead_somewhere(page: Path) -> None:
    """Every relative link names a file that exists."""
    targets = LINK.findall(page.read_text())
    assert [target for target in targets if not (page.parent / target).exists()] == []
