"""How long a user waits before anything happens: imports and the command line.

    python benchmarks/startup.py [--quick] [--json FILE]

Each command runs as a fresh process, several times; CPU seconds of the whole process, the median.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
from pathlib import Path

COMMANDS = {
    "python -c pass": [sys.executable, "-c", "pass"],
    "import pydantic": [sys.executable, "-c", "import pydantic; pydantic.BaseModel"],
    "import callboard.agents": [sys.executable, "-c", "import callboard.agents"],
    "runtime.Runtime": [sys.executable, "-c", "from callboard.runtime import Runtime"],
    "backends.RandomBackend": [
        sys.executable,
        "-c",
        "from callboard.backends import RandomBackend",
    ],
    "agents.Agent": [sys.executable, "-c", "from callboard.agents import Agent"],
    "callboard --version": [str(Path(sys.executable).with_name("callboard")), "--version"],
    "callboard --help": [str(Path(sys.executable).with_name("callboard")), "--help"],
    "import openai": [sys.executable, "-c", "import openai"],
}


def cpu_ms(command: list[str]) -> float:
    """Run a command; return the CPU milliseconds that it and its children took."""
    before = os.times()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    after = os.times()
    used = after.children_user + after.children_system
    return (used - before.children_user - before.children_system) * 1e3


def main() -> None:
    """Print a line for each command: the median, and what it costs above a bare interpreter."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="3 runs in place of 9")
    parser.add_argument("--json", type=Path, help="also write the figures here")
    options = parser.parse_args()
    rounds = 3 if options.quick else 9
    for command in COMMANDS.values():  # writes the byte code
        cpu_ms(command)
    samples: dict[str, list[float]] = {name: [] for name in COMMANDS}
    for _ in range(rounds):
        for name, command in COMMANDS.items():
            samples[name].append(cpu_ms(command))
    medians = {name: statistics.median(times) for name, times in samples.items()}
    bare = medians["python -c pass"]
    print(f"{'start-up, CPU ms':28}{'median':>8}{'above bare':>12}")
    for name, median in medians.items():
        print(f"{name:28}{median:8.0f}{median - bare:12.0f}")
    if options.json:
        options.json.write_text(json.dumps(medians, indent=2))


if __name__ == "__main__":
    main()
