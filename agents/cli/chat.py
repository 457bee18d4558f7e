"""The command `callboard chat`: its options."""

from pathlib import Path
from typing import Annotated

import typer

from callboard.agents.cli.options import ApiKeyEnv, BaseUrl, Local, Model, Seed


def chat(
    base_url: BaseUrl = None,
    model: Model = None,
    api_key_env: ApiKeyEnv = None,
    local: Local = None,
    instructions: Annotated[
        str | None,
        typer.Option("--instructions", "-i", metavar="TEXT", help="The system message."),
    ] = None,
    load: Annotated[
        Path | None,
        typer.Option(
            "--load", metavar="FILE", help="Go on with a conversation that /save has written."
        ),
    ] = None,
    window: Annotated[
        int | None,
        typer.Option(
            "--window", metavar="N", min=1, help="Show the model the last N exchanges only."
        ),
    ] = None,
    seed: Seed = 0,
) -> None:
    """Talk with a model: answers stream to the terminal, and each line of a pipe is one turn.

    /reset forgets the conversation, /save FILE writes it, /exit leaves.

    Ctrl-C stops the current answer; once more, or while nothing is being answered, it leaves.
    """
    from callboard.agents.cli.backend_choice import choose_backend  # noqa: PLC0415 - takes a while
    from callboard.agents.cli.chat_session import ChatSession, opened  # noqa: PLC0415 - the same
    from callboard.agents.cli.terminal import Terminal  # noqa: PLC0415 - the same

    conversation = opened(load, window)
    backend = choose_backend(
        base_url=base_url, model=model, api_key_env=api_key_env, local=local, seed=seed
    )
    session = ChatSession(backend, Terminal.of_this_process(), conversation, instructions)
    raise typer.Exit(session.run())
