"""What the page of a company, unit or department shows, and the departments on the overview."""

from collections.abc import Callable
from dataclasses import dataclass, fields, replace

from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.dashboards import naming, selectors, trends
from apps.dashboards.asking import Asked
from apps.dashboards.lines import Key, Name, build_table, movers, regroup
from apps.marts import selectors as marts
from apps.teams.organising import today, tree
from apps.teams.tree import KINDS, Tree, Unit

KIND_WORDS: dict[str, Promise] = {
    "company": gettext_lazy("Company"),
    "unit": gettext_lazy("Business unit"),
    "department": gettext_lazy("Department"),
}
SECTIONS: dict[str, Promise] = {
    "unit": gettext_lazy("Business units"),
    "department": gettext_lazy("Departments"),
}
WITHOUT: dict[str, Promise] = {
    "unit": gettext_lazy("Without a business unit"),
    "department": gettext_lazy("Without a department"),
}


@dataclass(frozen=True)
class UnitPage(selectors.CostPage):
    """The cost of all teams below a unit, and what the unit is.

    `is_partial`: the viewer may not see every team, so the numbers may lack some.
    """

    kind: str = ""
    kind_word: str = ""
    name: str = ""
    title: str = ""
    lead_name: str = ""
    cost_center: str = ""
    above: Name | None = None
    is_partial: bool = False


def overview(asked: Asked) -> selectors.CostPage:
    """The overview, with the departments of the company where it has any."""
    page = selectors.overview(asked)
    section = _level(page.asked, "department")
    return replace(page, sections=(*page.sections, section)) if section else page


@dataclass(frozen=True)
class PlacedTeamPage(selectors.TeamPage):
    """The page of a team, and what is above it today, from the top down."""

    above: tuple[Name, ...] = ()
    cost_center: str = ""


def team_page(asked: Asked, name: str) -> PlacedTeamPage | None:
    """The cost of one team; None where there is no such team for the viewer."""
    page = selectors.team(asked, name)
    if page is None:
        return None
    spot = tree().spot(name, today())
    own = {each.name: getattr(page, each.name) for each in fields(page)}
    if spot is None:
        return PlacedTeamPage(**own)
    return PlacedTeamPage(**own, above=tuple(_named(asked, unit) for unit in spot.path), cost_center=spot.cost_center)


def unit_page(asked: Asked, *, kind: str, name: str) -> UnitPage | None:
    """The cost below a unit; None where there is no such unit for the viewer."""
    known = tree()
    unit = known.by_name.get(name)
    if kind not in KINDS or unit is None or unit.kind != kind or not _may_see(asked, known, unit):
        return None
    filters = {kind: name}
    places = ("team", "cluster", "namespace", "service")
    asked, answered, earlier = selectors.compared(asked, *places, **filters)
    now, before = selectors.amounts(answered, asked), selectors.before_of(earlier, asked)
    ahead = selectors.ahead_of(asked, *places, **filters)
    teams = naming.directory()
    by_team, by_service = (
        selectors.amounts(marts.answer(asked.query(place, "kind", **filters)), asked) for place in ("team", "service")
    )
    namer = naming.team_namer(asked, teams)
    to_come = regroup(ahead, 0)
    table = build_table(by_team, selectors.regrouped(before, 0), name=namer, limit=selectors.TEAMS, ahead=to_come)
    to_come, service = regroup(ahead, 3), naming.plain_namer("service")
    services = build_table(by_service, selectors.regrouped(before, 3), name=service, ahead=to_come)
    deeper = [_level(asked, level, **filters) for level in KINDS[KINDS.index(kind) + 1 :]]
    per_step = selectors.cost_per_step(asked, **filters)
    here = next((place for place in unit.places if place.since <= today() < place.until), None)
    return UnitPage(
        asked=asked,
        facts=answered.publication,
        currencies=selectors.choices(asked, answered, earlier, **filters),
        rates=answered.rates,
        headline=selectors.headline_of(asked, table.total, **filters),
        figures=(
            trends.link(asked, "team", per_step, remark=selectors.told_largest(table), **filters),
            trends.link(asked, "kind", per_step, remark=selectors.told_by_kind(table), **filters),
        ),
        sections=(
            selectors.Section(
                _("Teams"), _("Team"), table, selectors.csv_url(asked, "team", "kind", **filters), is_wide=True
            ),
            *(section for section in deeper if section),
            selectors.Section(
                _("Services"), _("Service"), services, selectors.csv_url(asked, "service", "kind", **filters)
            ),
        ),
        movers=movers(now, before, name=naming.mover_namer(asked, teams), limit=selectors.MOVERS, ahead=ahead),
        kind=kind,
        kind_word=str(KIND_WORDS[kind]),
        name=name,
        title=unit.title or name,
        lead_name=unit.lead_name,
        cost_center=here.cost_center if here else "",
        above=_named(asked, known.by_name[here.parent]) if here and here.parent else None,
        is_partial=asked.scope.teams is not None,
    )


def _may_see(asked: Asked, known: Tree, unit: Unit) -> bool:
    """Whoever sees any of the teams that ever stood below it may see the page, with their cost only."""
    if asked.scope.teams is None:
        return True
    spots = (spot for team in asked.scope.teams for spot in known.spots(team))
    return any(unit in spot.path for spot in spots)


def _level(asked: Asked, level: str, **filters: str) -> selectors.Section | None:
    """The table of a level; None where nothing of it has cost."""
    asked, answered, earlier = selectors.compared(asked, level, "kind", **filters)
    now, before = selectors.amounts(answered, asked), selectors.before_of(earlier, asked)
    if not any(key[0] for key in {*now, *(before or {})}):
        return None
    before = selectors.regrouped(before, 0)
    ahead = selectors.ahead_of(asked, level, **filters)
    table = build_table(now, before, name=unit_namer(asked, level), limit=selectors.TEAMS, ahead=ahead)
    url = selectors.csv_url(asked, level, "kind", **filters)
    return selectors.Section(str(SECTIONS[level]), str(KIND_WORDS[level]), table, url)


def unit_namer(asked: Asked, kind: str) -> Callable[[Key], Name]:
    """Names for lines keyed by a unit of a kind."""
    known = tree().by_name

    def name(key: Key) -> Name:
        unit = known.get(key[0])
        return _named(asked, unit) if unit else Name(key[0] or str(WITHOUT[kind]))

    return name


def _named(asked: Asked, unit: Unit) -> Name:
    params = asked.params()
    url = reverse("unit", args=[unit.kind, unit.name])
    hint = unit.name if unit.title and unit.title != unit.name else ""
    return Name(unit.title or unit.name, hint=hint, url=f"{url}?{params}" if params else url)
