"""The entry point `callboard`: answers for its version at once, and loads the rest when needed."""

import sys


def main() -> None:
    """Run the command line and leave the process with its status."""
    arguments = sys.argv[1:]
    if arguments == ["--version"]:
        from callboard.agents.version import VERSION  # noqa: PLC0415 - all that this answer needs

        sys.stdout.write(f"callboard {VERSION}\n")
        return
    from callboard.agents.cli.commands import run  # noqa: PLC0415 - typer takes a while

    sys.exit(run(arguments))
