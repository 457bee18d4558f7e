"""callboard.agents.cli: the command `callboard`."""
