"""Reading plans, for those who may see them, and trying other settings on the same numbers."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from functools import reduce
from operator import or_
from typing import Any, NamedTuple

from django.core.cache import cache
from django.db.models import Max, Q, QuerySet
from django.urls import reverse
from django.utils.http import urlencode

from apps.calendars.selectors import today
from apps.finops.errors import CostOpsError
from apps.finops.findings import Finding, Sentence
from apps.finops.money import add_up
from apps.finops.once import once
from apps.finops.stakes import claims_of, promised_twice
from apps.marts.models import Publication
from apps.marts.query import EVERYTHING, Scope
from apps.planning.drafts import MOST_LAG, Draft, Planner, checked
from apps.planning.models import ChosenSettings, Fault, Plan
from apps.planning.packing import packed, unpacked
from apps.planning.registry import PLANNERS, planner_of

TRIED_SECONDS = 600
"""So long a plan by other settings is remembered: its figures and exports are asked for one by one."""

OUTDATED = (
    "It is made of bills until %(day)s, which ended %(days)s days before it was planned: what came since is not in it."
)


class NoPlan(CostOpsError):
    """There is no such plan, or it is not for the caller to know of."""


@dataclass(frozen=True)
class Shown:
    """A plan as somebody may see it: `draft` is None where it was withheld, `withheld` then says why. `day` is that on
    which what it is made of was published."""

    plan: Plan
    planner: Planner
    draft: Draft | None
    withheld: Sentence | None
    day: date
    is_tried: bool = False

    @property
    def outdated(self) -> Sentence | None:
        """That the bills it is made of ended long before it was planned; None where they did not."""
        last = self.draft.billed_until if self.draft else None
        if last is None or (days := (self.day - last).days - 1) <= MOST_LAG:
            return None
        return Sentence(OUTDATED, {"day": f"{last}", "days": f"{days}"})


class Standing(NamedTuple):
    """Where a planner stands: its newest plans as somebody may see them, that it failed, and whether it planned at all,
    of whatever teams."""

    planner: Planner
    plans: list[Shown]
    fault: Fault | None
    is_planned: bool


def chosen_settings(planner: Planner, subject: str) -> dict[str, Any]:
    """The settings people chose for a subject, of those the planner still has."""
    row = ChosenSettings.objects.filter(planner=planner.name, subject=subject).order_by("-pk").first()
    known = planner.defaults
    return {name: value for name, value in row.settings.items() if name in known} if row else {}


def newest(planner: str) -> list[Plan]:
    """The plans of the newest publication that the planner planned, by subject."""
    return _newest(Plan.objects.filter(planner=planner)).get(planner, [])


def _newest(rows: QuerySet[Plan]) -> dict[str, list[Plan]]:
    """Of each planner of `rows` the plans of the newest publication that it planned, by subject."""
    last = rows.order_by().values("planner").annotate(last=Max("publication")).values_list("planner", "last")
    of_last = reduce(or_, (Q(planner=planner, publication=number) for planner, number in last), Q(pk__in=()))
    found: dict[str, list[Plan]] = {}
    for row in Plan.objects.filter(of_last).defer("data").order_by("planner", "subject"):
        found.setdefault(row.planner, []).append(row)
    return found


def fault_of(planner: str) -> Fault | None:
    """That the planner could not plan the newest publication; None where it could."""
    return Fault.objects.filter(planner=planner).first()


def plans(planner: str, scope: Scope = EVERYTHING) -> list[Shown]:
    """A planner's plans as somebody may see them; of a plan that has nothing of theirs they see nothing."""
    return _visible(newest(planner), planner_of(planner), scope)


def _visible(rows: Sequence[Plan], planner: Planner, scope: Scope) -> list[Shown]:
    day = _published_on(rows[0]) if rows else date.min  # all are of one publication
    found = [_shown(row, planner, scope, day) for row in rows]
    return [one for one in found if scope.teams is None or (one.draft and one.draft.actions)]


def _published_on(plan: Plan) -> date:
    pinned = once(("published", plan.publication), Publication.objects.filter(number=plan.publication).first)
    return today(pinned.created_at if pinned else plan.made_at)


def _is_planned(rows: Iterable[Plan]) -> bool:
    return any(row.draft for row in rows)


def is_planned(planner: str) -> bool:
    """Whether the newest publication has a plan of the planner, of whatever teams."""
    return _is_planned(newest(planner))


def standing(scope: Scope) -> list[Standing]:
    """Where every planner stands, in the order of their pages."""
    rows, faults = _newest(Plan.objects.all()), {fault.planner: fault for fault in Fault.objects.all()}
    return [
        Standing(
            planner, _visible(rows.get(planner.name, ()), planner, scope), faults.get(planner.name),
            _is_planned(rows.get(planner.name, ())),
        )
        for planner in PLANNERS
    ]  # fmt: skip


def plan_of(planner: str, subject: str | None, scope: Scope, given: Mapping[str, Any] | None = None) -> Shown:
    """One plan, by default the one that saves most; by settings that are `given`, for those who see everything."""
    found = plans(planner, scope)
    named = [each for each in found if subject is None or each.plan.subject == subject]
    one = max(named, key=lambda each: each.draft.saving_per_month if each.draft else -1, default=None)
    if one is None:
        raise NoPlan("There is no such plan yet; `manage.py fill --step plan` makes those of the newest publication.")
    if not given or one.draft is None or scope.teams is not None:
        return one
    settings = one.planner.settled(dict(one.draft.settings) | dict(given))
    if settings == dict(one.draft.settings):
        return one
    return replace(one, draft=_tried(one.plan, one.planner, settings), is_tried=True)


def _tried(plan: Plan, planner: Planner, settings: dict[str, float]) -> Draft:
    told = hashlib.sha256(repr((plan.inputs, sorted(settings.items()))).encode()).hexdigest()
    kept: dict[str, Any] | None = cache.get(f"plan-{told}")
    if kept is None:
        data = bytes(Plan.objects.values_list("data", flat=True).get(pk=plan.pk))
        kept = packed(checked(planner.make(data, settings)))
        cache.set(f"plan-{told}", kept, TRIED_SECONDS)
    return unpacked(kept)


def _shown(plan: Plan, planner: Planner, scope: Scope, day: date) -> Shown:
    withheld = Sentence(*plan.withheld) if plan.withheld else None
    draft = unpacked(plan.draft) if plan.draft else None
    return Shown(plan, planner, draft and seen(draft, planner, scope), withheld, day)


def seen(draft: Draft, planner: Planner, scope: Scope) -> Draft:
    """What somebody may see of a draft: of some teams what is to be done by them, and their rows.

    No sentence about the whole, and not its cost: risks and what is not known name amounts and commitments of all.
    """
    if scope.teams is None:
        return draft
    mine = tuple(action for action in draft.actions if scope.allows(action.team))
    saving = add_up(action.saving_per_month for action in mine)
    tables = {}
    for shape in planner.tables:
        at = next((number for number, column in enumerate(shape.columns) if column.kind == "team"), None)
        if at is not None:
            tables[shape.name] = [row for row in draft.tables.get(shape.name, ()) if scope.allows(row[at])]
    return Draft(
        currency=draft.currency, cost_per_month=None, saving_per_month=saving, says=(),
        checks=draft.checks, actions=mine, tables=tables,
        settings=draft.settings, billed_until=draft.billed_until,
    )  # fmt: skip


def totals(found: Iterable[Shown]) -> dict[str, Decimal]:
    """What plans save a month, by currency; what several would save of the same once."""
    drafts = [one.draft for one in found if one.draft]
    actions = [action for draft in drafts for action in draft.actions]
    twice = promised_twice(
        claim for number, one in enumerate(actions) for claim in claims_of(number, one.currency, one.stakes)
    )
    sums: dict[str, list[Decimal]] = {}
    for draft in drafts:
        sums.setdefault(draft.currency, []).append(draft.saving_per_month)
    for number, one in twice.items():
        sums[actions[number].currency].append(one.amount.copy_negate())
    return {currency: add_up(amounts) for currency, amounts in sorted(sums.items())}


def answered(planner: str) -> frozenset[str]:
    """The links of the newest plans that may recommend, and be it nothing. Where there is none, as it was withheld or
    its cluster is metered no more, nobody knows what became of what an earlier one recommended."""
    return frozenset(_link(one) for one in _sound(planner))


def findings(planner: str) -> tuple[Finding, ...]:
    """What the newest plans say is to be done, each of one team; a plan that is not verified recommends nothing."""
    return tuple(
        Finding(
            kind=planner, subject=action.subject, team=action.team, title=action.title, evidence=action.evidence,
            currency=action.currency, saving_per_month=action.saving_per_month, since=action.since,
            link=_link(one), at_stake=action.at_stake, scope=action.scope, stakes=action.stakes,
        )
        for one in _sound(planner)
        if one.draft
        for action in one.draft.actions
    )  # fmt: skip


def _sound(planner: str) -> list[Shown]:
    return [one for one in plans(planner) if one.draft and one.draft.is_verified]


def _link(one: Shown) -> str:
    return f"{reverse('plan', args=[one.planner.name])}?{urlencode({'subject': one.plan.subject})}"
