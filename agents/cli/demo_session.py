"""DemoSession: the demonstration from its options to its exit status."""

import json
import sys
from contextlib import nullcontext
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import anyio
from rich.console import Console

from callboard.agents.auction.market import Market
from callboard.agents.auction.named_markets import find_market
from callboard.agents.auction.plan import AuctionPlan
from callboard.agents.cli.demo_arm import DemoArm
from callboard.agents.cli.demo_progress import DemoProgress
from callboard.agents.cli.demo_report import as_json, heading, print_table
from callboard.agents.cli.errors import CommandFailedError, UsageError, exit_status
from callboard.agents.cli.exit_status import INTERRUPTED
from callboard.agents.cli.interruption import interruptible
from callboard.agents.timeline.recording import Timeline, record_timeline
from callboard.backends.backend import Backend
from callboard.backends.random_backend import RandomBackend


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoOptions:
    """What the command line asks for."""

    market: str = "classic"
    seed: int = 0
    periods: int | None = None
    """None takes 5, or 2 with a real model."""
    quotes: int | None = None
    """None takes 500, or 60 with a real model."""
    unconstrained: bool = False
    output: Path | None = None
    """Where the timeline goes; None records none."""
    json: bool = False
    event_loop: str = "asyncio"


class DemoSession:
    """One demonstration.

    Args:
        backend: Who answers the traders; closed at the end.
        options: What the command line asks for.

    Raises:
        UsageError: If there is no such market, or the timeline can't be written where it should.
    """

    def __init__(self, backend: Backend, options: DemoOptions) -> None:
        self._backend = backend
        self._options = options
        self._random = isinstance(backend, RandomBackend)
        self._market = _market(options)
        self._out = Console(file=sys.stdout, soft_wrap=True)
        self._notes = Console(file=sys.stderr, soft_wrap=True, highlight=False)
        if options.output is not None:
            _prepare(options.output)

    def run(self) -> int:
        """Run the market, report, and return the exit status."""
        with nullcontext() if self._options.output is None else record_timeline() as timeline:
            arms = self._arms(timeline)
            interrupted = self._hold(arms)
        page = None if timeline is None else self._write(timeline, arms)
        self._report(arms, page)
        if interrupted:
            self._say("interrupted: the figures above are of the periods that had ended")
            return INTERRUPTED
        return self._complain(arms)

    def _arms(self, timeline: Timeline | None) -> list[DemoArm]:
        names = {True: "ZI-C", False: "ZI-U"}
        if not self._random:
            names = {True: "constrained", False: "unconstrained"}
        kinds = (False,) if self._options.unconstrained else (True, False)
        return [
            DemoArm(plan=self._plan(kind, names[kind], timeline), backend=self._answering())
            for kind in kinds
        ]

    def _plan(self, constrained: bool, name: str, timeline: Timeline | None) -> AuctionPlan:
        options = self._options
        return AuctionPlan(
            market=self._market,
            constrained=constrained,
            periods=options.periods or (5 if self._random else 2),
            quotes=options.quotes or (500 if self._random else 60),
            seed=options.seed,
            patience=12 if self._random else 6,
            name=name,
            tracer_provider=None if timeline is None else timeline.tracer_provider,
        )

    def _answering(self) -> Backend:
        # Each arm draws from the seed afresh, whether the other one runs or not.
        return RandomBackend(seed=self._options.seed) if self._random else self._backend

    def _hold(self, arms: list[DemoArm]) -> bool:
        """Run the arms on the chosen event loop; return whether they were interrupted."""
        loop = self._options.event_loop
        backend = "trio" if loop == "trio" else "asyncio"
        options: dict[str, Any] = {"use_uvloop": True} if loop == "uvloop" else {}
        progress = DemoProgress(arms, self._notes)
        try:
            with progress:
                return anyio.run(
                    self._hold_all, arms, progress, backend=backend, backend_options=options
                )
        except ImportError as error:
            raise UsageError(f"--event-loop {loop} needs the package {loop}: {error}") from error
        except KeyboardInterrupt:
            return True

    async def _hold_all(self, arms: list[DemoArm], progress: DemoProgress) -> bool:
        try:
            return await interruptible(partial(self._hold_each, arms, progress))
        finally:
            with anyio.CancelScope(shield=True), anyio.move_on_after(5):
                await self._backend.aclose()

    async def _hold_each(self, arms: list[DemoArm], progress: DemoProgress) -> None:
        if self._random:  # Nothing is gained side by side, and the timeline reads better so.
            for arm in arms:
                await arm.run(progress.watcher(arm))
            progress.finish()
            return
        async with anyio.create_task_group() as group:
            for arm in arms:
                group.start_soon(arm.run, progress.watcher(arm))
        progress.finish()

    def _write(self, timeline: Timeline, arms: list[DemoArm]) -> Path:
        assert self._options.output is not None, "a timeline has a place to go"  # noqa: S101
        try:
            return timeline.write(
                self._options.output, title="callboard demo", subtitle=heading(arms)[0]
            )
        except OSError as error:
            raise CommandFailedError(f"the timeline can't be written: {error}") from error

    def _report(self, arms: list[DemoArm], page: Path | None) -> None:
        if self._options.json:
            figures = {**as_json(arms), "timeline": None if page is None else str(page)}
            sys.stdout.write(json.dumps(figures) + "\n")
            return
        print_table(arms, self._out)
        if page is not None:
            sys.stdout.write(f"\nTimeline: {page}\n")

    def _complain(self, arms: list[DemoArm]) -> int:
        for arm in arms:
            error = next((p.last_error for p in arm.periods if p.status == "aborted"), None)
            if error is not None:
                patience = arm.plan.patience
                self._say(f"{arm.name}: given up, {patience} quotes in a row failed: {error}")
                return exit_status(error)
            error = arm.result.fatal_error
            if error is not None:
                self._say(f"{arm.name}: every quote failed, the last one of this: {error}")
                return exit_status(error)
        return 0

    def _say(self, text: str) -> None:
        self._notes.print(f"callboard: {text}", markup=False)


def _market(options: DemoOptions) -> Market:
    try:
        return find_market(options.market, options.seed)
    except ValueError as error:
        raise UsageError(f"--market: {error}") from error


def _prepare(output: Path) -> None:
    try:
        output.absolute().parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"--output {output}: {error}") from error
    if output.is_dir():
        raise UsageError(f"--output names a folder; try {output / 'demo.html'}")
