"""The options that several commands share, as annotations for typer."""

from typing import Annotated, TypeAlias

import typer

_BACKEND = "Backend"

BaseUrl: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--base-url",
        metavar="URL",
        help="An OpenAI-compatible endpoint, for example http://localhost:8000/v1. "
        "(env: CALLBOARD_BASE_URL, OPENAI_BASE_URL)",
        rich_help_panel=_BACKEND,
    ),
]
Model: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--model",
        metavar="NAME",
        help="The model's name at that endpoint; without one, answers are random and offline. "
        "(env: CALLBOARD_MODEL)",
        rich_help_panel=_BACKEND,
    ),
]
ApiKeyEnv: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--api-key-env",
        metavar="VARIABLE",
        help="The environment variable that holds the key. "
        "(default: CALLBOARD_API_KEY, then OPENAI_API_KEY)",
        rich_help_panel=_BACKEND,
    ),
]
Local: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--local",
        metavar="PATH",
        help="The folder of a transformers model to run in this process; needs the extra `local`. "
        "(env: CALLBOARD_LOCAL)",
        rich_help_panel=_BACKEND,
    ),
]
Seed: TypeAlias = Annotated[
    int, typer.Option("--seed", metavar="N", help="Decides everything that is drawn at random.")
]
