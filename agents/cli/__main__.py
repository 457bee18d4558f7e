"""Runs the command line as `python -m callboard.agents.cli`."""

from callboard.agents.cli.app import main

main()
