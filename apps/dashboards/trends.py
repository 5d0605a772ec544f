"""Figures of cost over time: where a page finds one, the sentence that stands for it, and what it shows."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

import pandas as pd
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.charts import colours, figures
from apps.dashboards import annotated, naming, words
from apps.dashboards.asking import Asked
from apps.dashboards.lines import EXACT, ZERO, Key, Line, Name, Table, fold, hundredths, parts_of, total_of
from apps.dashboards.templatetags import costs as written
from apps.explorer.models import Annotation
from apps.marts import selectors as marts
from apps.teams.models import UNALLOCATED
from apps.teams.tree import KINDS

BANDS = 8
BY: dict[str, tuple[str, ...]] = {
    "team": ("team",),
    "kind": ("kind",),
    "namespace": ("cluster", "namespace"),
    "workload": ("workload",),
    "service": ("service",),
}
"""What a figure may be stacked by → the dimensions asked for."""

TITLES = {
    ("day", "team"): gettext_lazy("Cost per day by team"),
    ("day", "kind"): gettext_lazy("Cost per day by kind"),
    ("day", "namespace"): gettext_lazy("Cost per day by namespace"),
    ("day", "workload"): gettext_lazy("Cost per day by workload"),
    ("day", "service"): gettext_lazy("Cost per day by service"),
    ("week", "team"): gettext_lazy("Cost per week by team"),
    ("week", "kind"): gettext_lazy("Cost per week by kind"),
    ("week", "namespace"): gettext_lazy("Cost per week by namespace"),
    ("week", "workload"): gettext_lazy("Cost per week by workload"),
    ("week", "service"): gettext_lazy("Cost per week by service"),
    ("month", "team"): gettext_lazy("Cost per month by team"),
    ("month", "kind"): gettext_lazy("Cost per month by kind"),
    ("month", "namespace"): gettext_lazy("Cost per month by namespace"),
    ("month", "workload"): gettext_lazy("Cost per month by workload"),
    ("month", "service"): gettext_lazy("Cost per month by service"),
}
DAY_FORMAT = {"day": gettext_lazy("%-d %b"), "week": gettext_lazy("%-d %b"), "month": gettext_lazy("%b %Y")}
"""How d3 writes a moment of each grain."""


@dataclass(frozen=True)
class FigureLink:
    """A figure in a page: its title, its sentence, the address of its data, and what its numbered marks say."""

    id: str
    url: str
    title: str
    unit: str
    summary: str
    notes: tuple[Annotation, ...] = ()


def link(asked: Asked, by: str, per_step: Mapping[date, Decimal], *, remark: str, **filters: str) -> FigureLink:
    """A figure of this question; `per_step` and `remark` make its sentence."""
    return FigureLink(
        id=f"figure-{by}",
        url=f"{_figure_path(by, filters)}?{asked.figure_params()}",
        title=str(TITLES[asked.grain, by]),
        unit=asked.currency,
        summary=naming.in_a_row((_sentence(asked, per_step), remark)),
        notes=annotated.written(asked, **filters) if per_step else (),
    )


def _figure_path(by: str, filters: Mapping[str, str]) -> str:
    if "namespace" in filters:
        return reverse("figure-namespace", args=[filters["team"], filters["cluster"], filters["namespace"], by])
    if level := next((kind for kind in KINDS if kind in filters), ""):
        return reverse("figure-unit", args=[level, filters[level], by])
    if "team" in filters:
        return reverse("figure-team", args=[filters["team"], by])
    return reverse("figure-overview", args=[by])


def _sentence(asked: Asked, per_step: Mapping[date, Decimal]) -> str:
    """What the figure says about its height over time, in words."""
    if not per_step:
        return _("No cost in this period.")
    highest = max(per_step, key=lambda step: (per_step[step], step))
    facts = {
        "total": written.money(total_of(per_step.values())),
        "currency": asked.currency,
        "peak": written.money(per_step[highest]),
        "when": written.day(highest),
    }
    if asked.grain == "day":
        return _("%(total)s %(currency)s in total; the highest day is %(when)s with %(peak)s.") % facts
    return _("%(total)s %(currency)s in total; the highest period begins on %(when)s with %(peak)s.") % facts


def moment(value: Any) -> date:
    """The day a time step begins; a month comes as `2026-10`."""
    return value if isinstance(value, date) else date.fromisoformat(f"{value}-01")


def figure(asked: Asked, by: str, **filters: str) -> figures.Figure:
    """The figure: the largest bands by themselves, the rest in one, nothing left out."""
    found = marts.answer(asked.query(asked.grain, *BY[by], **filters)).rows
    currency = asked.currency or min((row[-2] for row in found), default="")
    costs = {row[:-2]: row[-1] for row in found if row[-2] == currency}
    bands, member = _bands(by, costs)
    summed: dict[tuple[date, str], Decimal] = {}
    for (time, *key), cost in costs.items():
        place = moment(time), member[tuple(key)]
        summed[place] = EXACT.add(summed.get(place, ZERO), cost)
    frame = pd.DataFrame(
        [(time, band, float(cost)) for (time, band), cost in sorted(summed.items())], columns=["time", "band", "cost"]
    )
    day_format = str(DAY_FORMAT[asked.grain])
    return figures.cost_trend(frame, bands=bands, currency=currency, day_format=day_format)


def _bands(by: str, costs: Mapping[Key, Decimal]) -> tuple[list[figures.Band], dict[Key, str]]:
    """The bands of a figure, and the band each key belongs to."""
    totals: dict[Key, Decimal] = {}
    for (_time, *key), cost in costs.items():
        totals[tuple(key)] = EXACT.add(totals.get(tuple(key), ZERO), cost)
    ranked = sorted(totals, key=lambda key: (-abs(totals[key]), key))
    if by == "kind":
        ranked = [(kind,) for kind in words.KINDS if (kind,) in totals]
    shown, hidden = (ranked, []) if len(ranked) <= BANDS + 1 else (ranked[:BANDS], ranked[BANDS:])
    look = _LOOKS[by]()
    bands = [figures.Band(f"band-{index}", *look(key, index)) for index, key in enumerate(shown)]
    member = {key: band.key for key, band in zip(shown, bands, strict=True)} | dict.fromkeys(hidden, "others")
    if hidden:
        bands.append(figures.Band("others", _("All others (%(n)d)") % {"n": len(hidden)}, colours.OTHERS))
    return bands, member


Look = Callable[[Key, int], tuple[str, str, str]]
"""From the key and the place of a band: its title, its colour, its hatching."""


def _team_look() -> Look:
    teams = naming.directory()
    hatching = {UNALLOCATED: colours.KIND_PATTERNS["unallocated"]}
    return lambda key, _index: (teams.title(key[0]), teams.colour(key[0]), hatching.get(key[0], ""))


def _kind_look() -> Look:
    return lambda key, _index: (
        str(words.KINDS[key[0]]),
        colours.KINDS[key[0]],
        colours.KIND_PATTERNS.get(key[0], ""),
    )


def _namespace_look() -> Look:
    return lambda key, index: (
        f"{naming.called('namespace', key[1])} · {naming.called('cluster', key[0])}",
        colours.PALETTE[index],
        "",
    )


def _plain_look(by: str) -> Callable[[], Look]:
    return lambda: lambda key, index: (naming.called(by, key[0]), colours.PALETTE[index], "")


_LOOKS: dict[str, Callable[[], Look]] = {
    "team": _team_look,
    "kind": _kind_look,
    "namespace": _namespace_look,
    "workload": _plain_look("workload"),
    "service": _plain_look("service"),
}


def step_words(asked: Asked) -> tuple[str, str, str]:
    """The title of a table by time, of its first column, and what its changes are against."""
    return {
        "day": (_("Days"), _("Day"), _("each against the day before")),
        "week": (_("Weeks"), _("Week"), _("each against the week before")),
        "month": (_("Months"), _("Month"), _("each against the month before")),
    }[asked.grain]


def table_by_step(costs: Mapping[Key, Decimal], hints: Mapping[date, str]) -> Table:
    """Costs by (day, kind) in the order of time, the newest first, with what is said beside each; each day is compared
    with the one before it, the oldest with nothing."""
    kinds = fold(costs)
    sums = {key: total_of(by_kind.values()) for key, by_kind in kinds.items()}
    total, longest = total_of(sums.values()), max((abs(cost) for cost in sums.values()), default=ZERO)
    steps = sorted(sums)
    lines = [
        Line(
            name=Name(written.day(moment(step[0])), hint=hints.get(moment(step[0]), "")),
            cost=sums[step],
            before=sums[steps[index - 1]] if index else None,
            share=hundredths(sums[step], total),
            parts=parts_of(kinds[step], whole=longest),
            by_kind=kinds[step],
            keys=(step,),
        )
        for index, step in enumerate(steps)
    ]
    return Table(lines=tuple(reversed(lines)), rest=None, total=Line(name=Name(""), cost=total, before=None))
