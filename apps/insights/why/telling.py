"""The sentence that says why cost changed, in whatever language it is read."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import date
from decimal import ROUND_HALF_EVEN, Decimal
from itertools import pairwise
from typing import cast

from django.utils.dateformat import format as format_date
from django.utils.functional import Promise, lazy
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext

from apps.charts.labels import plain
from apps.finops.findings import Sentence
from apps.finops.tags import key_of
from apps.finops.why import CostChange
from apps.finops.windows import Window
from apps.insights.why.answering import CurrencyChange, SegmentChange, Why, why
from apps.insights.why.searching import ATTRIBUTES
from apps.insights.why.wording import SEARCHED, what_happened
from apps.marts.placing import passes
from apps.marts.query import EVERYTHING, MAX_ROWS, CostQuery, Scope
from apps.marts.selectors import NothingPublished
from apps.teams.models import UNALLOCATED, Team
from apps.teams.organising import tree
from apps.teams.tree import KINDS

NOTABLE = Decimal("0.2")
"""A segment that holds less of the change does not explain it."""
_PLACES = ("cluster", "node_pool", "region", "sub_account", "account", "source")
_NOTHING: dict[str, Promise] = {
    "cluster": gettext_lazy("outside clusters"),
    "namespace": gettext_lazy("no namespace"),
    "workload": gettext_lazy("no workload"),
    "service": gettext_lazy("no service"),
    "node_pool": gettext_lazy("no node pool"),
    "region": gettext_lazy("no region"),
}
_OWN: dict[tuple[str, str], Promise] = {
    ("team", UNALLOCATED): gettext_lazy("Unallocated"),
    ("namespace", "__cluster__"): gettext_lazy("the cluster as a whole"),
    ("workload", "__overhead__"): gettext_lazy("what nodes keep to themselves"),
    ("kind", "direct"): gettext_lazy("direct cost"),
    ("kind", "shared"): gettext_lazy("shared cost"),
    ("kind", "idle"): gettext_lazy("idle capacity"),
    ("kind", "shared_idle"): gettext_lazy("shared idle capacity"),
    ("kind", "unallocated"): gettext_lazy("cost that nobody owns"),
    ("charge_category", "Usage"): gettext_lazy("usage"),
    ("charge_category", "Purchase"): gettext_lazy("purchases"),
    ("charge_category", "Tax"): gettext_lazy("taxes"),
    ("charge_category", "Credit"): gettext_lazy("credits"),
    ("charge_category", "Adjustment"): gettext_lazy("adjustments"),
}


_CAME, _LEFT = gettext_lazy("it moved here"), gettext_lazy("it moved away")


def sentences(query: CostQuery, before: Window | None = None) -> tuple[Sentence, ...]:
    """Why the cost of a question is not what it was in the period before, by default the one that `previous` names.

    One sentence per currency whose cost changed, the largest cost first, and one where that is told by coarser parts;
    none where nothing is published, or where one of the periods is not wholly known.
    """
    try:
        found = why(query, before)
    except NothingPublished:
        return ()
    changed = tuple(one for one in found.currencies if one.change.change)
    if found.days != Window(query.start, query.end):
        return ()
    told = tell(replace(found, currencies=changed))
    return (*told, *filter(None, [coarse(found)])) if told else ()


def tell(found: Why) -> tuple[Sentence, ...]:
    """The sentence of each currency of an answer."""
    what = _later(lambda: subject(found.query))
    return tuple(_sentence(found, one, what) for one in found.currencies if one.change.before or one.change.after)


def coarse(found: Why) -> Sentence | None:
    """That segments were looked for by coarser parts, for there are too many rows; None where by all that is known."""
    if found.searched_by == ATTRIBUTES:
        return None
    most, parts = f"{MAX_ROWS:,}", _later(lambda: _(", ").join(str(SEARCHED[one]) for one in found.searched_by))
    if not found.searched_by:
        return Sentence(
            "More than %(most)s rows: where it happened is told of fewer days, or of a part.", {"most": most}
        )
    return Sentence(
        "More than %(most)s rows: where it happened is told by %(parts)s alone; finer of fewer days, or of a part.",
        {"most": most, "parts": parts},
    )


def _sentence(found: Why, one: CurrencyChange, what: str) -> Sentence:
    change = one.change
    values = {
        "what": what,
        "cost": _money(change.after, found.per_day),
        "currency": one.currency,
        "change": _compared(change, per_day=found.per_day),
    }
    if not change.change:
        return Sentence("%(what)s cost %(cost)s %(currency)s, to the cent as before.", values)
    values["how"] = cast(str, what_happened(change))
    main = main_segment(one)
    if main is None:
        return Sentence("%(what)s cost %(cost)s %(currency)s (%(change)s): %(how)s, in no segment alone.", values)
    values |= {
        "how": cast(str, how(found, main)),
        "share": _later(lambda: _share(one, main)),
        "segment": _later(lambda: _since(main)),
    }
    return Sentence("%(what)s cost %(cost)s %(currency)s (%(change)s): %(share)s is %(segment)s, %(how)s.", values)


def how(found: Why, segment: SegmentChange) -> Promise:
    """What happened to a segment, in words; of a team that came to what the question is narrowed to, or left it,
    between the first day compared with and the last, that it moved."""
    rises, team, query = segment.change.change > 0, dict(segment.values).get("team", ""), found.query
    for earlier, later in pairwise(tree(query.organisation_as_of).spots(team) if query.levels else ()):
        is_between = found.before.start < later.since < query.end
        if is_between and passes(query, later) is rises and passes(query, earlier) is not rises:
            return _CAME if rises else _LEFT
    return what_happened(segment.change)


def main_segment(one: CurrencyChange) -> SegmentChange | None:
    """The segment that did most of a change, if it did a notable part of it."""
    shares = [
        (share, number) for number, segment in enumerate(one.segments) if (share := one.share(segment)) is not None
    ]
    share, number = max(shares, key=lambda told: (told[0], -told[1]), default=(Decimal(0), 0))
    return one.segments[number] if share >= NOTABLE else None


def subject(query: CostQuery) -> str:
    """What a question is about, as people call it."""
    told = _told(query.filters, query.scope) or str(_("All teams") if query.scope.teams is None else _("Your teams"))
    left_out = _told(query.excludes, query.scope)
    return _("%(what)s but for %(left_out)s") % {"what": told, "left_out": left_out} if left_out else told


def _told(narrowed: Iterable[tuple[str, tuple[str, ...]]], scope: Scope) -> str:
    return named([(name, value) for name, values in narrowed if name != "currency" for value in values], scope)


def title(segment: SegmentChange) -> str:
    """A segment as people call it; where a part of it stands before, it is the rest."""
    told = named(segment.values)
    return told if segment.is_whole else _("the rest of %(segment)s") % {"segment": told}


def named(values: Iterable[tuple[str, str]], scope: Scope = EVERYTHING) -> str:
    """A segment as people call it: what it is, and where; teams and units that a viewer may not see as they were
    given."""
    told = sorted(values, key=lambda one: ATTRIBUTES.index(one[0]) if one[0] in ATTRIBUTES else -1)
    teams = [value for name, value in told if name == "team" and scope.allows(value)]
    titles = {("team", name): title for name, title in Team.objects.filter(name__in=teams).values_list("name", "title")}
    titles |= {(name, value): _unit(value, scope) for name, value in told if name in KINDS}
    what = [_called(name, titles.get((name, value), value) or value) for name, value in told if name not in _PLACES]
    where = [_called(name, value) for name, value in told if name in _PLACES]
    if what and where:
        return _("%(what)s in %(where)s") % {"what": " · ".join(what), "where": " · ".join(where)}
    return " · ".join(what or where)


def _unit(name: str, scope: Scope) -> str:
    """The title of a company, business unit or department; empty without one, or if none of its teams may be seen."""
    unit = tree().by_name.get(name)
    if unit is None or scope.teams is None:
        return unit.title if unit else ""
    return unit.title if any(unit in spot.path for team in scope.teams for spot in tree().spots(team)) else ""


def _called(name: str, value: str) -> str:
    if (name, value) in _OWN:
        return str(_OWN[name, value])
    if key := key_of(name):
        return f"{plain(key)}: {plain(value) or '–'}"
    return plain(value) or str(_NOTHING.get(name, "–"))


def _share(one: CurrencyChange, main: SegmentChange) -> str:
    share, rises = one.share(main) or Decimal(0), one.change.change > 0
    if share > Decimal("1.05"):
        return _("more than all of the rise") if rises else _("more than all of the fall")
    if share >= Decimal("0.995"):
        return _("all of the rise") if rises else _("all of the fall")
    told = {"share": f"{share * 100:.0f} %"}
    return (_("%(share)s of the rise") if rises else _("%(share)s of the fall")) % told


def _since(main: SegmentChange) -> str:
    if main.since is None:
        return title(main)
    return _("%(segment)s since %(day)s") % {"segment": title(main), "day": _day(main.since)}


def _day(day: date) -> str:
    return format_date(day, pgettext("date format", "j M"))


def _money(amount: Decimal, per_day: bool) -> str:
    rounded = amount.quantize(Decimal("0.01"), rounding=ROUND_HALF_EVEN)
    told = f"{rounded:,f}".replace("-", "\u2212")
    return _later(lambda: _("%(amount)s a day") % {"amount": told}) if per_day else told


def _compared(change: CostChange, *, per_day: bool) -> str:
    """The change in hundredths of what it was before, with its sign; of less than nothing there are none."""
    if not change.before:
        return _later(lambda: _("nothing before"))
    if change.before < 0:
        before = _money(change.before, per_day)
        return _later(lambda: _("%(before)s before") % {"before": before})
    share = change.change * 100 / change.before
    digits = 0 if abs(share) >= 10 else 1
    return f"{share:+.{digits}f} %".replace("-", "\u2212")


def _later(make: Callable[[], str]) -> str:
    """Text that is made when it is read, in the reader's language."""
    return lazy(make, str)()
