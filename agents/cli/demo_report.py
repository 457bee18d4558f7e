"""The demonstration's figures: as a table for people, as plain text for pipes, as JSON."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from rich.console import Console
from rich.table import Table

from callboard.agents.auction.result import AuctionResult, PeriodResult
from callboard.agents.cli.demo_arm import DemoArm

MANY = 12
"""More periods than this are summed up only."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One figure, for every arm."""

    label: str
    values: tuple[str, ...]
    minor: bool = False
    """Whether it only takes the row above apart."""


def heading(arms: Sequence[DemoArm]) -> tuple[str, str]:
    """Return the lines above the table: the market, and what theory says of it."""
    plan, crossing = arms[0].plan, arms[0].result.equilibrium
    market = plan.market
    price = f"{crossing.low} to {crossing.high}" if crossing.low < crossing.high else crossing.low
    sides = f"{len(market.values)} buyers, {len(market.costs)} sellers"
    return (
        f"Double auction, market {market.name}: {sides}, seed {plan.seed}",
        f"Equilibrium: {crossing.quantity} trades a period at {price}, surplus {crossing.surplus}",
    )


def rows(arms: Sequence[DemoArm]) -> list[Row]:
    """Return the table's rows."""
    results = [arm.result for arm in arms]
    calls = [arm.calls for arm in arms]
    most = max(len(result.periods) for result in results)
    parts = [_period_row(number, results) for number in range(most)] if 1 < most <= MANY else []
    return [
        _row("periods", [len(result.periods) for result in results]),
        _row("quotes", [result.quotes for result in results]),
        _row("trades", [result.trades for result in results]),
        Row(label="mean price", values=tuple(map(_mean_price, results))),
        Row(label="equilibrium price", values=tuple(f"{r.equilibrium.price:.1f}" for r in results)),
        Row(label="efficiency", values=tuple(_percent(result.efficiency) for result in results)),
        *parts,
        _row("model calls", [call.calls for call in calls]),
        _row("tokens", [call.usage.total for call in calls]),
        _row("retries", [call.retries for call in calls]),
        _row("failed calls", [call.failures for call in calls]),
        _row("failed quotes", [result.failures for result in results]),
    ]


def print_table(arms: Sequence[DemoArm], console: Console) -> None:
    """Print the figures: coloured in a terminal, plain and of fixed form elsewhere."""
    lines = heading(arms)
    if not console.is_terminal:
        console.file.write("\n".join([*lines, "", *_plain(arms), ""]))
        return
    table = Table(box=None, pad_edge=False, padding=(0, 3, 0, 0), header_style="bold")
    table.add_column("")
    for arm in arms:
        table.add_column(arm.name, justify="right")
    for row in rows(arms):
        style = "dim" if row.minor else "bold" if row.label == "efficiency" else ""
        table.add_row(row.label, *row.values, style=style)
    console.print()
    console.print(lines[0], style="bold", highlight=False)
    console.print(lines[1], highlight=False)
    console.print()
    console.print(table)


def as_json(arms: Sequence[DemoArm]) -> dict[str, Any]:
    """Return everything that the table says, and each trade's price, as plain values."""
    plan, crossing = arms[0].plan, arms[0].result.equilibrium
    return {
        "market": {
            "name": plan.market.name,
            "values": plan.market.values,
            "costs": plan.market.costs,
            "floor": plan.market.floor,
            "ceiling": plan.market.ceiling,
        },
        "equilibrium": {
            "quantity": crossing.quantity,
            "low": crossing.low,
            "high": crossing.high,
            "surplus": crossing.surplus,
        },
        "seed": plan.seed,
        "runs": [_run(arm) for arm in arms],
    }


def _run(arm: DemoArm) -> dict[str, Any]:
    result, calls = arm.result, arm.calls
    return {
        "name": arm.name,
        "constrained": arm.plan.constrained,
        "trades": result.trades,
        "mean_price": result.mean_price,
        "efficiency": result.efficiency,
        "quotes": result.quotes,
        "failed_quotes": result.failures,
        "calls": calls.calls,
        "retries": calls.retries,
        "failed_calls": calls.failures,
        "tokens": {"input": calls.usage.input, "output": calls.usage.output},
        "periods": [_period(period) for period in result.periods],
    }


def _period(period: PeriodResult) -> dict[str, Any]:
    return {
        "period": period.period,
        "status": period.status,
        "quotes": period.quotes,
        "failed_quotes": period.failures,
        "prices": period.prices,
        "surplus": period.surplus,
        "efficiency": period.efficiency,
    }


def _plain(arms: Sequence[DemoArm]) -> list[str]:
    table = rows(arms)
    first = max(len(row.label) for row in table)
    widths = [
        max(12, len(arm.name), *(len(row.values[i]) for row in table)) for i, arm in enumerate(arms)
    ]
    header = Row(label="", values=tuple(arm.name for arm in arms))
    return [
        "  ".join([row.label.ljust(first), *map(str.rjust, row.values, widths)])
        for row in (header, *table)
    ]


def _row(label: str, values: Sequence[int]) -> Row:
    return Row(label=label, values=tuple(f"{value:,}" for value in values))


def _period_row(number: int, results: Sequence[AuctionResult]) -> Row:
    shown = [
        _percent(result.periods[number].efficiency) if number < len(result.periods) else ""
        for result in results
    ]
    return Row(label=f"  period {number + 1}", values=tuple(shown), minor=True)


def _mean_price(result: AuctionResult) -> str:
    return "none" if result.mean_price is None else f"{result.mean_price:.1f}"


def _percent(part: float | None) -> str:
    return "none" if part is None else f"{part:.1%}"
