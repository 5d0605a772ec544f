"""What the explorer calls things, and where a click leads: one step further in, and at the end to the explanation."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import cached_property

from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.charts import colours
from apps.charts.breakdown import Mark
from apps.dashboards import naming, words
from apps.dashboards.cells import link
from apps.dashboards.explaining import DIMENSIONS as NAMED
from apps.explorer.answering import Explored, Key
from apps.explorer.question import Exploration
from apps.marts.cell import LONGEST, cell, is_told_by, row_addresses
from apps.marts.query import CostQuery
from apps.teams.models import UNALLOCATED
from apps.teams.tree import LEVELS

DIMENSIONS: dict[str, Promise] = NAMED | {
    "company": gettext_lazy("Company"),
    "unit": gettext_lazy("Unit"),
    "department": gettext_lazy("Department"),
    "cost_center": gettext_lazy("Cost centre"),
}
BELOW = {
    "company": "department",
    "unit": "department",
    "department": "team",
    "cost_center": "team",
    "provider": "service",
    "source": "service",
    "account": "service",
    "sub_account": "service",
    "region": "service",
    "charge_category": "service",
    "billing_month": "service",
    "service": "team",
    "team": "namespace",
    "cluster": "namespace",
    "node_pool": "namespace",
    "namespace": "workload",
    "workload": "kind",
    "kind": "service",
}
"""Dimension → what a value of it is divided by when somebody looks into it."""


def in_order(names: Iterable[str]) -> list[str]:
    """Dimensions as people look for them: those that most ask for first."""
    places = {name: place for place, name in enumerate(DIMENSIONS)}
    return sorted(names, key=lambda name: places.get(name, len(places)))


def dimension(name: str) -> str:
    """A dimension as people call it."""
    return naming.tag(name) or str(DIMENSIONS.get(name, name))


@dataclass(frozen=True)
class Names:
    """How the values of an answer are called, coloured and followed."""

    found: Explored

    @cached_property
    def teams(self) -> naming.Directory:
        return naming.directory(self.found.query.scope)

    @property
    def asked(self) -> Exploration:
        return self.found.asked

    def title(self, name: str, value: str) -> str:
        if name == "team":
            return self.teams.title(value)
        if name == "kind":
            return str(words.KINDS.get(value, value))
        return naming.called(name, value)

    def titles(self, key: Key) -> str:
        return " · ".join(map(self.title, self.asked.by, key)) or _("All of it")

    def colour(self, name: str, value: str, place: int) -> str:
        """A team and a kind keep their colour on every page, others take the next of the palette."""
        if name == "team":
            return self.teams.colour(value)
        return colours.KINDS.get(value, colours.OTHERS) if name == "kind" else colours.PALETTE[place % 40]

    def pattern(self, name: str, value: str) -> str:
        if name == "kind" or (name, value) == ("team", UNALLOCATED):
            return colours.KIND_PATTERNS.get(value, "")
        return ""

    def mark(self, key: Key, place: int) -> Mark:
        """What stands for a key in a figure."""
        if not key:
            return Mark(_("All of it"), colours.PALETTE[0], "", self.explanation)
        if len(key) == 1:
            (name,), (value,) = self.asked.by, key
            look = self.colour(name, value, place), self.pattern(name, value)
        else:
            look = colours.PALETTE[place % 40], ""
        return Mark(self.titles(key), *look, self.further(dict(zip(self.asked.by, key, strict=True))))

    def further(self, values: dict[str, str]) -> str:
        """The address that looks into some values: divided by what is left to divide by, else explained. None where a
        filter by them would keep more, or where it would be too long to be asked."""
        if not self.is_told_by(values):
            return ""
        narrowed = self.asked.narrowed(**values)
        fixed = {name for name, chosen in narrowed.filters if len(chosen) == 1}
        left = tuple(name for name in self.asked.by if name not in fixed)
        below = BELOW.get(list(values)[-1], "") if values else ""
        while below in fixed:
            below = BELOW.get(below, "") if below != "kind" else ""
        if not left and not below:
            return self.explained(values)
        told = f"?{replace(narrowed, by=left or (below,)).params()}"
        return told if len(told) <= LONGEST else ""

    @cached_property
    def base(self) -> CostQuery:
        """All of what is shown, in the currency it is shown in."""
        found = self.found
        is_plain = bool(found.asked.reporting) or not found.currency
        return found.query if is_plain else cell(found.query, currency=found.currency)

    @property
    def explanation(self) -> str:
        return link(replace(self.base, group_by=()))

    def explained(self, values: dict[str, str]) -> str:
        """The address that explains one value; none for a cost centre, which no filter tells from those above it."""
        is_told = self.is_told_by(values) and "cost_center" not in values
        return link(cell(self.base, **values)) if is_told else ""

    def is_told_by(self, values: dict[str, str]) -> bool:
        """Whether filters by some values keep just what they cost here."""
        return all(is_told_by(self.base, name, value) for name, value in values.items() if name in LEVELS)

    def explainer(self, *groups: str) -> Callable[[tuple[object, ...]], str]:
        """What makes the address that explains a row of these groups; an answer may have many."""
        return row_addresses(reverse("explain"), self.base, groups)
