"""The command `callboard demo`: its options."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from callboard.agents.cli.options import ApiKeyEnv, BaseUrl, Local, Model, Seed

_MARKET = "Market"
_OUTPUT = "Output"


class EventLoop(StrEnum):
    """The event loops that the demonstration runs on."""

    ASYNCIO = "asyncio"
    UVLOOP = "uvloop"
    TRIO = "trio"


def demo(
    *,
    base_url: BaseUrl = None,
    model: Model = None,
    api_key_env: ApiKeyEnv = None,
    local: Local = None,
    seed: Seed = 0,
    market: Annotated[
        str,
        typer.Option(
            "--market",
            metavar="NAME",
            help="classic, symmetric, flat-supply, flat-demand, scarce; or random: one drawn "
            "from the seed.",
            rich_help_panel=_MARKET,
        ),
    ] = "classic",
    periods: Annotated[
        int | None,
        typer.Option(
            "--periods",
            metavar="N",
            min=1,
            help="Trading periods: 5, or 2 with a real model.",
            rich_help_panel=_MARKET,
        ),
    ] = None,
    quotes: Annotated[
        int | None,
        typer.Option(
            "--quotes",
            metavar="N",
            min=1,
            help="Quotes that end a period: 500, or 60 with a real model.",
            rich_help_panel=_MARKET,
        ),
    ] = None,
    unconstrained: Annotated[
        bool,
        typer.Option(
            "--unconstrained",
            help="Only the traders without a budget constraint (ZI-U).",
            rich_help_panel=_MARKET,
        ),
    ] = False,
    output: Annotated[
        Path,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE",
            help="Where the timeline page goes.",
            rich_help_panel=_OUTPUT,
        ),
    ] = Path("runs/demo.html"),
    timeline: Annotated[
        bool,
        typer.Option(
            "--timeline/--no-timeline",
            help="Whether to record the timeline at all.",
            rich_help_panel=_OUTPUT,
        ),
    ] = True,
    json: Annotated[
        bool,
        typer.Option("--json", help="The figures as JSON on stdout.", rich_help_panel=_OUTPUT),
    ] = False,
    event_loop: Annotated[
        EventLoop, typer.Option("--event-loop", help="The result is the same on each.")
    ] = EventLoop.ASYNCIO,
    trio: Annotated[bool, typer.Option("--trio", help="Short for --event-loop trio.")] = False,
) -> None:
    """Run a market of twelve agents whose outcome is known, and draw it.

    The continuous double auction of Gode and Sunder (1993): six buyers and
    six sellers, each an actor, quote prices through a model. Held to their
    budgets (ZI-C), even random quotes trade almost everything that is worth
    trading; without that constraint (ZI-U) they do not.

    The same --seed gives the same table. A real model takes longer, so that
    it gets fewer periods and quotes by default. Ctrl-C leaves with the
    figures so far.
    """
    from callboard.agents.cli.backend_choice import choose_backend  # noqa: PLC0415 - takes a while
    from callboard.agents.cli.demo_session import DemoOptions, DemoSession  # noqa: PLC0415 - same

    backend = choose_backend(
        base_url=base_url, model=model, api_key_env=api_key_env, local=local, seed=seed
    )
    options = DemoOptions(
        market=market,
        seed=seed,
        periods=periods,
        quotes=quotes,
        unconstrained=unconstrained,
        output=output if timeline else None,
        json=json,
        event_loop=EventLoop.TRIO.value if trio else event_loop.value,
    )
    raise typer.Exit(DemoSession(backend, options).run())
