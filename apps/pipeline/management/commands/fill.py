"""`manage.py fill`: everything that is due, from the sources up to a publication."""

import logging
from datetime import date
from decimal import Decimal
from typing import IO, Any, cast

from django.core.management.base import CommandError, CommandParser
from django.utils import timezone
from rich.console import Console
from rich.markup import escape
from rich.progress import (
    BarColumn,
    Progress,
    SpinnerColumn,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
)
from rich.table import Table

from apps.finops.errors import CostOpsError
from apps.finops.windows import Window
from apps.pipeline.models import StepRun
from apps.pipeline.selectors import progress
from apps.pipeline.services import FillReport, fill
from apps.pipeline.steps import NAMES, STEPS
from apps.warehouse.commands import TerminalCommand
from apps.warehouse.terminal import add_format, day, harmless, print_rows

EXAMPLES = f"""
steps, in their order:
{chr(10).join(f"  {step.name:<10} {step.does}" for step in STEPS)}

A step or a window that is named is done even when it is not due; everything else is done when its inputs changed.
Filling twice changes nothing. The exit status is 0 only when no run failed and no file was refused.

examples:
  manage.py fill                                         everything due, of all sources, up to publication
  manage.py fill --source aliyun-bill                    look at one source only, then publish what it changed
  manage.py fill --step land --source aliyun-bill        only copy its new files
  manage.py fill --start 2026-10-01 --end 2026-11-01     pull, allocate and publish October again (end excluded)
  manage.py fill --step meter --start 2026-10-01 --end 2026-10-02
                                                         take what Prometheus has now, even where it lost hours
"""

COLUMNS = (
    "step", "source", "start", "end", "state", "rows", "effective_cost", "started_at", "finished_at", "message",
)  # fmt: skip
PLAIN_WIDTH = 200
"""Characters in a line of what does not go to a terminal: a log, a pipe."""


class Command(TerminalCommand):
    """Fill everything that is due, up to publication."""

    help = "Bring everything up to date: land files, read them, pull usage, allocate, publish."
    examples = EXAMPLES

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--source", action="append", metavar="NAME", help="only this source; may be repeated")
        parser.add_argument("--step", action="append", choices=NAMES, help="only this step; may be repeated")
        parser.add_argument("--start", type=day, metavar="DATE", help="first day, such as 2026-10-01; needs --end")
        parser.add_argument("--end", type=day, metavar="DATE", help="the day after the last one; needs --start")
        add_format(parser)

    def handle(self, *, source: list[str] | None, step: list[str] | None, **given: Any) -> None:
        stream = self.stdout if given["format"] == "table" else self.stderr  # rows stand alone in csv and json
        if stream.isatty():
            logging.getLogger("apps.pipeline").setLevel(logging.CRITICAL)  # the screen shows the same, once
        width = None if stream.isatty() else PLAIN_WIDTH
        console = Console(file=cast(IO[str], stream), soft_wrap=True, width=width)
        try:
            window = _window(given["start"], given["end"])
            with _Watching(console) as watching:
                report = fill(now=timezone.now(), sources=source, steps=step, window=window, on_progress=watching.show)
        except (CostOpsError, ValueError) as wrong:
            raise CommandError(str(wrong)) from wrong
        if given["format"] != "table":
            print_rows(COLUMNS, [_row(run) for run in report.runs], given["format"], self.stdout)
        else:
            console.print(_table(report) if report.runs else "Nothing was due.")
        if report.publication is not None:
            console.print(f"Publication {report.publication} is what readers see.")
        _fail_if_anything_failed(report)


def _window(start: date | None, end: date | None) -> Window | None:
    if start is None and end is None:
        return None
    if start is None or end is None:
        raise CommandError("--start and --end go together; the day of --end itself is not included")
    return Window(start, end)


class _Watching:
    """On a terminal, a bar of the runs known so far and a line for each at work; anywhere, a line for each that ended.

    What follows from a run becomes known when it ends: the bar may grow.
    """

    def __init__(self, console: Console) -> None:
        self._console = console
        self._bar = Progress(
            SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[count]}"),
            TimeElapsedColumn(), console=console, transient=True, disable=not console.is_terminal,
        )  # fmt: skip
        self._all = self._bar.add_task("all runs", total=None, count="")
        self._ended = 0
        self._lines: dict[int, TaskID] = {}

    def __enter__(self) -> "_Watching":
        self._bar.start()
        return self

    def __exit__(self, *_exception: object) -> None:
        self._bar.stop()

    def show(self, run: StepRun) -> None:
        if run.state == StepRun.State.RUNNING:
            if run.pk not in self._lines:
                self._lines[run.pk] = self._bar.add_task(escape(run.key), total=None, count="")
        else:
            self._end(run)
        known = self._ended + len(self._lines) + progress().waiting
        self._bar.update(self._all, completed=self._ended, total=known, count=f"{self._ended}/{known}")

    def _end(self, run: StepRun) -> None:
        if run.pk in self._lines:
            self._bar.remove_task(self._lines.pop(run.pk))
        self._ended += 1
        self._bar.console.print(f"{escape(run.key)}: {run.get_state_display().lower()}, {run.rows:,} rows")


def _table(report: FillReport) -> Table:
    table = Table("step", "source", "days", "state", "rows", "effective cost", "seconds", box=None, pad_edge=False)
    for column in (4, 6):
        table.columns[column].justify = "right"
    for run in report.runs:
        table.add_row(*(escape(cell) for cell in _cells(run)))
    return table


def _cells(run: StepRun) -> tuple[str, ...]:
    days = f"{run.window_start} .. {run.window_end}" if run.window_start else ""
    cost = ", ".join(f"{Decimal(amount):,.2f} {currency}" for currency, amount in sorted(run.cost_out.items()))
    seconds = f"{(run.finished_at - run.started_at).total_seconds():.1f}" if run.finished_at and run.started_at else ""
    return run.step, run.source, days, run.get_state_display().lower(), f"{run.rows:,}", cost, seconds


def _row(run: StepRun) -> tuple[Any, ...]:
    what = (run.step, run.source, run.window_start, run.window_end)
    return *what, run.state, run.rows, run.cost_out, run.started_at, run.finished_at, run.message


def _fail_if_anything_failed(report: FillReport) -> None:
    """Name every failed run and refused file, and end with status 1 when there are any."""
    complaints = [f"{run.key}: {run.message}" for run in report.failed]
    complaints += [f"{problem['subject']}: {problem['message']}" for problem in report.errors]
    if complaints:
        things = "1 thing" if len(complaints) == 1 else f"{len(complaints)} things"
        listed = (f"  {harmless(one)}" for one in complaints)
        raise CommandError("\n".join([f"{things} failed; the rest was done:", *listed]))
