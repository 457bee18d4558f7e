"""What a message costs in other actor systems, each in an environment of its own.

    make bench-peers                            # makes the environments, then runs this
    python benchmarks/peer_actors.py PEERS      # PEERS holds one environment for each system
    python benchmarks/peer_actors.py PEERS --quick --json FILE

Each round runs every system once for each operation, in random order, a process each. Figures are
CPU microseconds per operation, medians of the rounds; ratios are to callboard in the same round.
"""

import argparse
import json
import random
import statistics
import subprocess
import sys
from pathlib import Path

from rich.console import Console
from rich.progress import track
from rich.table import Table

SCRIPT = Path(__file__).parent / "peers" / "actors.py"
PEERS = ("autogen-core", "pykka", "thespian")
COUNTS = {"callboard": 20_000, "autogen-core": 1_000, "pykka": 5_000, "thespian": 5_000}
OPERATIONS = ("ask", "tell")

Cell = tuple[str, str]


def measure(python: str, system: str, operation: str) -> float:
    """Return the CPU microseconds of one operation, measured in a process of its own."""
    command = [python, str(SCRIPT), system, operation, str(COUNTS[system])]
    run = subprocess.run(command, capture_output=True, text=True, timeout=300, check=True)
    return float(run.stdout)


def interpreters(folder: Path) -> dict[str, str]:
    """Return which interpreter runs which system."""
    peers = {name: str(folder / name / "bin" / "python") for name in PEERS}
    return {"callboard": sys.executable, **peers}


def main() -> None:
    """Print a row for each system: its cost, and how many times callboard's that is."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("peers", type=Path, help="folder of environments, one for each system")
    parser.add_argument("--quick", action="store_true", help="2 rounds in place of 5")
    parser.add_argument("--json", type=Path, help="also write the figures here")
    options = parser.parse_args()
    python = interpreters(options.peers)
    cells = [(name, operation) for name in python for operation in OPERATIONS]
    rounds = 2 if options.quick else 5
    schedule = [cell for _ in range(rounds) for cell in random.sample(cells, len(cells))]
    figures: dict[Cell, list[float]] = {cell: [] for cell in cells}
    console = Console()
    for name, operation in track(schedule, "peers", console=console, transient=True):
        figures[name, operation].append(measure(python[name], name, operation))
    table = Table(title="CPU microseconds per operation, and times callboard's")
    table.add_column("system")
    for operation in OPERATIONS:
        table.add_column(operation, justify="right")
    for name in python:
        table.add_row(name, *(shown(figures, name, operation) for operation in OPERATIONS))
    console.print(table)
    if options.json:
        flat = {f"{name} {operation}": values for (name, operation), values in figures.items()}
        options.json.write_text(json.dumps(flat, indent=2))


def shown(figures: dict[Cell, list[float]], name: str, operation: str) -> str:
    """Return a cell of the table: the median, and the median ratio within a round."""
    own, ours = figures[name, operation], figures["callboard", operation]
    ratio = statistics.median(mine / base for mine, base in zip(own, ours, strict=True))
    return f"{statistics.median(own):.1f} ({ratio:.1f}x)"


if __name__ == "__main__":
    main()
