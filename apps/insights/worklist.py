"""The worklist of unallocated cost: the largest first, each with the team that evidence proposes as its owner."""

import hashlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from typing import TypeVar

from django.core.cache import cache

from apps.finops.errors import CostOpsError
from apps.finops.money import add_up
from apps.finops.tables import ALLOCATED, CHARGES
from apps.finops.windows import Window
from apps.insights import subjects
from apps.insights.evidence import Evidence, confidence, proposed
from apps.insights.models import WorklistDecision
from apps.insights.naming import Teams, is_owner_key
from apps.insights.spending import ChargeCost, IdleCost, Spending, WorkloadCost
from apps.insights.subjects import Subject
from apps.insights.witness import Witness, last_part, members
from apps.marts.models import Publication
from apps.marts.selectors import NothingPublished, publication
from apps.teams.models import UNALLOCATED, Membership, RuleDraft, Team
from apps.teams.selectors import active_teams, rule_book

DAYS = 62
CACHE_SECONDS = 24 * 3600
CLOSED = (RuleDraft.State.REJECTED, RuleDraft.State.WITHDRAWN)


class NotOnTheList(CostOpsError):
    """The worklist has no such subject: it has an owner by now, or costs nothing in the window."""


@dataclass(frozen=True)
class WorkItem:
    """Unallocated cost of a subject in a currency; `draft` is the rule that will settle it, `dismissed` who said no."""

    subject: Subject
    currency: str
    cost: Decimal
    first_day: date
    evidence: tuple[Evidence, ...]
    draft: RuleDraft | None = None
    dismissed: WorklistDecision | None = None

    @property
    def best(self) -> Evidence | None:
        return proposed(self.evidence) if self.subject.is_ruled else None

    @property
    def team(self) -> str:
        """The team that is proposed; '' where evidence is too thin."""
        return self.best.team if self.best else ""

    @property
    def confidence(self) -> str:
        return confidence(self.best)


@dataclass(frozen=True)
class Worklist:
    """Unallocated cost of a window, as of a publication: `items` to be worked on and those set aside."""

    publication: Publication
    window: Window
    items: tuple[WorkItem, ...]
    dismissed: tuple[WorkItem, ...]

    @property
    def totals(self) -> dict[str, Decimal]:
        """All of it by currency, what was set aside included: exactly what the publication calls unallocated."""
        return _by_currency((*self.items, *self.dismissed))

    @property
    def proposed(self) -> dict[str, Decimal]:
        """That of it for which an owner is proposed."""
        return _by_currency(item for item in self.items if item.team)


def _by_currency(items: Iterable[WorkItem]) -> dict[str, Decimal]:
    found: dict[str, list[Decimal]] = defaultdict(list)
    for item in items:
        found[item.currency].append(item.cost)
    return {currency: add_up(costs) for currency, costs in sorted(found.items())}


def worklist(window: Window | None = None) -> Worklist:
    """What has no owner by the newest publication, in its last days unless a window is given."""
    pinned = publication()
    missing = [table.name for table in (ALLOCATED, CHARGES) if table.name not in pinned.versions]
    if pinned.came_until is None or pinned.first_day is None or missing:
        raise NothingPublished(f"Publication {pinned.number} holds no allocated cost; run `manage.py fill`.")
    window = window or Window(max(pinned.first_day, pinned.came_until - timedelta(days=DAYS)), pinned.came_until)
    found = _remembered(pinned, window)
    drafts, said = _told()
    known = [_with_state(item, drafts, said) for item in found]
    return Worklist(
        pinned,
        window,
        tuple(item for item in known if item.dismissed is None),
        tuple(item for item in known if item.dismissed is not None),
    )


def find(subject: str, currency: str = "", window: Window | None = None) -> WorkItem:
    """One item, by the id of its subject; of several currencies the one named, else the first."""
    here = worklist(window)
    for item in (*here.items, *here.dismissed):
        if item.subject.id == subject and currency in ("", item.currency):
            return item
    raise NotOnTheList(f"The worklist has no {subject}: it has an owner by now, or costs nothing in {here.window}.")


def _told() -> tuple[dict[str, RuleDraft], dict[str, WorklistDecision]]:
    """The newest draft and the newest decision of every subject."""
    drafts = RuleDraft.objects.exclude(subject="").exclude(state__in=CLOSED).select_related("ruleset").order_by("pk")
    decisions = WorklistDecision.objects.order_by("pk")
    return {draft.subject: draft for draft in drafts}, {one.subject: one for one in decisions}


def _with_state(item: WorkItem, drafts: Mapping[str, RuleDraft], said: Mapping[str, WorklistDecision]) -> WorkItem:
    decision = said.get(item.subject.id)
    dismissed = decision if decision and decision.is_dismissed else None
    return replace(item, draft=drafts.get(item.subject.id), dismissed=dismissed)


def _remembered(pinned: Publication, window: Window) -> tuple[WorkItem, ...]:
    """The items as evidence has them: the same until publication, rules or teams change."""
    number, book = rule_book()
    names, people = _names(), _people()
    told = repr((pinned.number, pinned.created_at, str(window), number, book, names, people))
    key = f"worklist:{hashlib.sha256(told.encode()).hexdigest()}"
    found: tuple[WorkItem, ...] | None = cache.get(key)
    if found is None:
        witness = Witness(Spending(pinned, window), Teams.of(names, people), book)
        items = [item for item in _items(witness) if item.cost]
        found = tuple(sorted(items, key=place_of))
        cache.set(key, found, CACHE_SECONDS)
    return found


def place_of(item: WorkItem) -> tuple[str, Decimal, str, list[str]]:
    return item.currency, -item.cost, item.subject.kind, list(item.subject.parts)


def _names() -> list[tuple[str, str, str]]:
    """What teams are called."""
    told = (("name", "name"), ("title", "title"), ("cost center", "cost_center"))
    return [(team.name, by, str(getattr(team, column))) for team in active_teams() for by, column in told]


def _people() -> list[tuple[str, str, str]]:
    """Who leads teams and belongs to them."""
    found = [
        (team.name, "lead", text)
        for team in active_teams()
        for text in (team.lead_name, team.lead_email.partition("@")[0])
    ]
    members_of = Membership.objects.filter(team__in=Team.objects.filter(is_active=True)).order_by("pk")
    return found + [(team, "member", name) for team, name in members_of.values_list("team__name", "user__username")]


Row = TypeVar("Row", WorkloadCost, IdleCost, ChargeCost)


def _items(witness: Witness) -> Iterator[WorkItem]:
    spending = witness.spending
    spread = [*spending.platform, *(row for row in spending.workloads if not row.namespace)]
    for key, rows in _grouped(_named(spread, _of_no_rule)):
        yield _item(*key, rows, ())
    for key, rows in _grouped(_named((row for row in spending.workloads if row.namespace), _of_namespace)):
        yield _item(*key, rows, witness.of_namespace(rows))
    for key, idle in _grouped(_named(spending.idle, _of_idle)):
        yield _item(*key, idle, witness.of_idle(idle))
    for key, charges in _grouped(_named(spending.charges, lambda row: _of_charge(row, witness.teams))):
        yield _item(*key, charges, witness.of_charges(charges))


def _named(rows: Iterable[Row], subject: Callable[[Row], Subject]) -> Iterator[tuple[Subject, Row]]:
    """Rows that have no owner, each with what it is counted under."""
    return ((subject(row), row) for row in rows if row.team == UNALLOCATED)


def _grouped(rows: Iterable[tuple[Subject, Row]]) -> Iterator[tuple[tuple[Subject, str], list[Row]]]:
    found: dict[tuple[Subject, str], list[Row]] = defaultdict(list)
    for subject, row in rows:
        found[subject, row.currency].append(row)
    return iter(found.items())


def _item(subject: Subject, currency: str, rows: Sequence[Row], evidence: tuple[Evidence, ...]) -> WorkItem:
    return WorkItem(subject, currency, add_up(row.cost for row in rows), min(row.first_day for row in rows), evidence)


def _of_no_rule(row: WorkloadCost) -> Subject:
    return Subject(subjects.PLATFORM if row.namespace else subjects.UNCLAIMED, (row.cluster, row.namespace))


def _of_namespace(row: WorkloadCost) -> Subject:
    return Subject(subjects.NAMESPACE, (row.cluster, row.namespace))


def _of_idle(row: IdleCost) -> Subject:
    if row.node_pool:
        return Subject(subjects.NODE_POOL, (row.cluster, row.node_pool))
    return Subject(subjects.NODES, (row.cluster, row.service))


def _of_charge(row: ChargeCost, teams: Teams) -> Subject:
    """By the tag that says whose it is, else by a resource that is called like a team, else by its service."""
    tags = members(row.tags)
    for key in sorted(tags):
        if is_owner_key(key):
            return Subject(subjects.TAG, (key, tags[key]))
    if row.resource and teams.meant(last_part(row.resource)):
        return Subject(subjects.RESOURCE, (row.account, row.resource))
    return Subject(subjects.SERVICE, (row.account, row.sub_account, row.service))
