"""The table of the explorer: exact amounts that lead to their explanations, adding up to the total."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from apps.dashboards.exploring import Names, dimension
from apps.dashboards.lines import Line, Name, hundredths
from apps.explorer.answering import ZERO, Explored, Key, folded, summed, total_of

MOST_LINES = 100
MOST_CELLS = 4_000


@dataclass(frozen=True)
class Cell:
    """An amount of a time step, and where it is explained; None: no cost."""

    cost: Decimal | None
    explain: str = ""


@dataclass(frozen=True)
class Row:
    """A line of the table: a name per dimension, the amounts, where it leads, and its time steps."""

    titles: tuple[str, ...]
    colour: str
    line: Line
    further: str = ""
    cells: tuple[Cell, ...] = ()
    longest: Decimal = ZERO

    @property
    def width(self) -> str:
        """How far its bar reaches, of 100."""
        return f"{max(self.line.cost, ZERO) * 100 / self.longest:.2f}" if self.longest > 0 else "0"


@dataclass(frozen=True)
class Grid:
    """The table: the largest lines and the rest in one; `times` head its steps, empty where there are none to show."""

    columns: tuple[str, ...]
    times: tuple[str, ...]
    rows: tuple[Row, ...]
    total: Row
    is_compared: bool
    hides_times: bool = False


def grid(found: Explored, names: Names) -> Grid:
    """The table of an answer: exact amounts that lead to their explanations, adding up to the total."""
    costs, earlier = found.costs, found.earlier
    shown, hidden = folded({**dict.fromkeys(earlier or {}, ZERO), **costs}, MOST_LINES)
    times = sorted({day for day, _ in found.steps if day}) if found.asked.chart == "table" else []
    is_wide = len(times) * (len(shown) + 1) > MOST_CELLS
    times = [] if is_wide else times
    explain, explain_step = names.explainer(*found.asked.by), names.explainer(found.step, *found.asked.by)

    longest = max(costs.values(), default=ZERO)

    def row(titles: Sequence[str], colour: str, keys: Sequence[Key], further: str = "", about: str = "") -> Row:
        cost = total_of(costs.get(key, ZERO) for key in keys)
        before = None if earlier is None else total_of(earlier.get(key, ZERO) for key in keys)
        ahead = total_of(found.ahead.get(key, ZERO) for key in keys)
        line = Line(Name(""), cost, before, share=hundredths(cost, found.total), explain=about, ahead=ahead)
        steps = summed((day, found.steps[day, key]) for day in times for key in keys if (day, key) in found.steps)
        cells = tuple(Cell(steps.get(day)) for day in times)
        if len(keys) == 1:
            places = ((_raw(day, found.step), *keys[0]) for day in times)
            cells = tuple(
                Cell(one.cost, "" if one.cost is None else explain_step(place))
                for one, place in zip(cells, places, strict=True)
            )
        return Row(tuple(titles), colour, line, further, cells, longest)

    rows = [
        row(
            list(map(names.title, found.asked.by, key)) or [_("All of it")], names.mark(key, place).colour, [key],
            names.mark(key, place).link, explain(key) if key in costs else "",
        )
        for place, key in enumerate(shown)
    ]  # fmt: skip
    if hidden:
        told = ngettext("%(n)d other", "%(n)d others", len(hidden)) % {"n": len(hidden)}
        rows.append(row([told, *[""] * (len(found.asked.by) - 1)], "", hidden))
    everything = row([], "", [*shown, *hidden], "", names.explanation if found.total else "")
    columns = tuple(dimension(name) for name in found.asked.by) or (_("Cost"),)
    headed = tuple(_head(day, found.step) for day in times)
    return Grid(columns, headed, tuple(rows), everything, earlier is not None, hides_times=is_wide)


def _raw(day: date, step: str) -> date | str:
    return f"{day:%Y-%m}" if step == "month" else day


def _head(day: date, step: str) -> str:
    return f"{day:%Y-%m}" if step == "month" else f"{day:%m-%d}"
