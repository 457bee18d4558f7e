"""DemoProgress: the demonstration's live progress on stderr; silent where nobody watches."""

from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from callboard.agents.auction.auctioneer import Progress as AuctionProgress
from callboard.agents.cli.demo_arm import DemoArm


class DemoProgress:
    """One bar for each arm, with the running efficiency of its period.

    Args:
        arms: What will run.
        console: Where to draw; nothing is drawn unless it is a terminal.
    """

    def __init__(self, arms: Sequence[DemoArm], console: Console) -> None:
        self._arms = arms
        self._watched = console.is_terminal
        self._bars = Progress(
            TextColumn("{task.description:<14}"),
            BarColumn(bar_width=30, complete_style="cyan", finished_style="green"),
            TextColumn("period {task.fields[period]}"),
            TextColumn("{task.fields[trades]:>3} trades"),
            TextColumn("efficiency {task.fields[efficiency]:>6.1%}"),
            TextColumn("[red]{task.fields[failures]}"),
            TimeElapsedColumn(),
            console=console,
            disable=not self._watched,
        )

    def watcher(self, arm: DemoArm) -> Callable[[AuctionProgress], None] | None:
        """Return what is to be called after each quote of an arm; None where nobody watches."""
        if not self._watched:
            return None
        plan = arm.plan
        task = self._bars.add_task(
            arm.name,
            total=plan.periods * plan.quotes,
            period=f"1/{plan.periods}",
            trades=0,
            efficiency=0.0,
            failures="",
        )

        def show(now: AuctionProgress) -> None:
            self._bars.update(
                task,
                completed=(now.period - 1) * plan.quotes + now.quotes,
                period=f"{now.period}/{plan.periods}",
                trades=now.trades,
                efficiency=now.efficiency,
                failures=f"{now.failures} failed" if now.failures else "",
            )

        return show

    def finish(self) -> None:
        """Fill the bars: periods may have ended before their last quote."""
        for task in self._bars.tasks:
            self._bars.update(task.id, completed=task.total)

    def __enter__(self) -> Self:
        self._bars.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._bars.stop()
