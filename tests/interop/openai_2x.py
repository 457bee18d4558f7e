"""Runs the tests of the wire under openai 2.x; a script for an interpreter that has it.

    python openai_2x.py FOLDER      # FOLDER holds a callboard namespace; prints pytest's last line

`tests/backends/test_openai_2x.py` makes the environment and calls this. Exits with pytest's status.
"""

import sys
from importlib.metadata import version
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]
FILES = (
    "wire",
    "test_azure_backend.py",
    "test_bad_answers.py",
    "test_cancelling.py",
    "test_event_loops.py",
    "test_injected_client.py",
    "test_openai_backend.py",
)
# httpx leaves the body of a request that was cancelled on trio to the garbage collector.
HTTPX_ON_TRIO = "ignore:.*ByteStream.__aiter__:pytest.PytestUnraisableExceptionWarning"


def main() -> int:
    """Run the tests and return pytest's exit status."""
    assert version("openai").startswith("2."), version("openai")
    sys.path.insert(0, sys.argv[1])
    files = [str(TESTS / "backends" / name) for name in FILES]
    options = ["-q", "-p", "no:cacheprovider", "-o", f"filterwarnings=error\n{HTTPX_ON_TRIO}"]
    return pytest.main([*files, *options])


if __name__ == "__main__":
    sys.exit(main())
