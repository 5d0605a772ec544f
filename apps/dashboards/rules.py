"""Rules as pages show them: what each does, drafts on their way, and what a draft would do to whom."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.allocation import counting
from apps.charts import labels
from apps.dashboards import naming, trails
from apps.finops import yamls
from apps.finops.money import less
from apps.finops.windows import ONE_DAY
from apps.teams import proposals
from apps.teams.approval import Actor
from apps.teams.models import UNALLOCATED, RuleDraft
from apps.teams.ownership import FIELDS, KEYED_FIELDS, ClusterRule, Condition, Rule
from apps.teams.selectors import active_teams
from apps.teams.simulations import Simulation

MOST_DRAFTS = 50
EXAMPLE = """valid_from: 2026-11-01
add:
  - name: mail
    when: {service: Mail}
    team: web
change:
  - name: logs
    when: {service: Log}
    split: {web: 60, data: 40}
end: [old rule]
"""
VERDICTS: dict[str, Promise] = {
    "partly hidden": gettext_lazy("partly hidden"),
    "hidden": gettext_lazy("hidden"),
    "matches nothing": gettext_lazy("matches nothing"),
    "not valid then": gettext_lazy("not valid then"),
}
CARRIERS: dict[str, Promise] = {
    "claims": gettext_lazy("all teams on %(cluster)s"),
    "traffic": gettext_lazy("teams on %(cluster)s, by GiB sent"),
    "internet": gettext_lazy("teams on %(cluster)s, by GiB sent to the internet"),
    "cross_region": gettext_lazy("teams on %(cluster)s, by GiB sent to other regions"),
    "cross_zone": gettext_lazy("teams on %(cluster)s, by GiB sent to other zones"),
}
"""What the rules of clusters divide by, in words."""
STATES: dict[str, Promise] = {
    "drafted": gettext_lazy("drafted"),
    "simulated": gettext_lazy("simulated"),
    "approved": gettext_lazy("approved"),
    "published": gettext_lazy("published"),
    "rejected": gettext_lazy("rejected"),
    "withdrawn": gettext_lazy("withdrawn"),
}
TAGS = {"approved": "ok", "published": "done", "rejected": "error", "simulated": "running", "drafted": "warning"}
DONE: dict[str, Promise] = STATES | {
    "accepted": gettext_lazy("accepted from the worklist"),
    "not simulated": gettext_lazy("could not be simulated"),
    "cut short": gettext_lazy("simulation cut short"),
}


@dataclass(frozen=True)
class RuleRow:
    """One rule: `conditions` in words, `costs` by currency, `verdict` empty where nothing is to be said."""

    order: int
    name: str
    conditions: str
    payers: str
    rule: Rule
    costs: tuple[tuple[str, Decimal], ...]
    decided: int | None
    matched: int | None
    hidden_by: str
    verdict: str
    is_dead: bool


@dataclass(frozen=True)
class DraftRow:
    """One draft; `changes` is by how much `unallocated` would change, by currency, had it counted on all days."""

    draft: RuleDraft
    state: str
    tag: str
    changes: tuple[tuple[str, Decimal], ...]
    missing: str


@dataclass(frozen=True)
class RulesPage:
    """The page; `dead` of the rules decided nothing, `positions` are the names a new one may stand before; whether any
    `of_clusters` are among them."""

    book: counting.CountedBook
    rules: tuple[RuleRow, ...]
    is_narrowed: bool
    positions: tuple[str, ...]
    of_clusters: bool
    dead: int
    drafts: tuple[DraftRow, ...]
    open_drafts: int
    teams: tuple[tuple[str, str], ...]
    fields: tuple[str, ...]
    may_draft: bool
    example: str = EXAMPLE

    @property
    def last_day(self) -> date | None:
        return self.book.window.end - ONE_DAY if self.book.window else None


def page(teams: frozenset[str] | None, by: Actor, now: datetime, *, is_narrowed: bool = False) -> RulesPage:
    """Everything about rules, for somebody who sees these teams (None: all); narrowed, only those with a verdict."""
    book = counting.seen_by(counting.counted(now=now), teams)
    rows = tuple(_rule(one) for one in book.rules)
    drafts = proposals.visible(teams, by)
    titles = naming.directory()
    return RulesPage(
        book=book,
        rules=tuple(row for row in rows if row.verdict) if is_narrowed else rows,
        is_narrowed=is_narrowed,
        positions=tuple(one.rule.name for one in book.rules if not one.of_cluster),
        of_clusters=any(one.of_cluster for one in book.rules),
        dead=sum(row.is_dead for row in rows),
        drafts=tuple(_draft(one, teams, titles) for one in drafts[:MOST_DRAFTS]),
        open_drafts=sum(one.state in proposals.OPEN for one in drafts),
        teams=tuple((one.name, str(one)) for one in active_teams() if teams is None or one.name in teams),
        fields=FIELDS,
        may_draft=by.may_draft,
    )


def _rule(one: counting.CountedRule) -> RuleRow:
    return RuleRow(
        order=one.order,
        name=one.rule.name,
        conditions=conditions(one.rule),
        payers=_carriers(one.of_cluster) if one.of_cluster else counting.payers(one.rule),
        rule=one.rule,
        costs=tuple(one.cost.items()),
        decided=one.decided,
        matched=one.matched,
        hidden_by=one.hidden_by,
        verdict=str(VERDICTS.get(one.verdict, one.verdict)),
        is_dead=one.decided == 0,
    )


def _carriers(rule: ClusterRule) -> str:
    """Who carries what a rule gives to a cluster, in words."""
    return str(CARRIERS[rule.by]) % {"cluster": rule.cluster}


def conditions(rule: Rule) -> str:
    """The conditions of a rule in words."""
    parts = [_one(condition) for condition in rule.when]
    if rule.any:
        parts.append(_("one of %(conditions)s") % {"conditions": _joined(rule.any)})
    if rule.unless:
        parts.append(_("none of %(conditions)s") % {"conditions": _joined(rule.unless)})
    return _("; ").join(parts)


def _joined(found: tuple[Condition, ...]) -> str:
    return naming.joined([_one(condition) for condition in found])


def _one(condition: Condition) -> str:
    about = f"{condition.field}.{condition.key}" if condition.key else condition.field
    return f"{about}: {' | '.join(condition.patterns)}"


def _draft(one: RuleDraft, teams: frozenset[str] | None, titles: naming.Directory) -> DraftRow:
    moves = proposals.seen_moves(one, teams)
    changes = tuple((move.currency, less(move.as_if, move.before)) for move in moves if move.team == UNALLOCATED)
    missing = sorted(proposals.concerns(one) - set(one.approvals)) if one.state == RuleDraft.State.SIMULATED else []
    return DraftRow(
        draft=one,
        state=str(STATES[one.state]),
        tag=TAGS.get(one.state, ""),
        changes=changes,
        missing=naming.joined([titles.title(team) for team in missing]),
    )


@dataclass(frozen=True)
class MoveRow:
    """What a draft would do to a team: as dated, and had it counted on all days of the window."""

    team: str
    currency: str
    before: Decimal
    change: Decimal
    as_if: Decimal


@dataclass(frozen=True)
class DraftPage:
    """One draft: what it moves, how many teams it leaves as they are, or that this is withheld; `may` are the actions
    there are buttons for."""

    row: DraftRow
    lines: tuple[str, ...]
    simulation: Simulation | None
    is_withheld: bool
    moves: tuple[MoveRow, ...]
    unmoved: int
    trail: tuple[trails.Step, ...]
    may: frozenset[str]
    is_open: bool

    @property
    def last_day(self) -> date | None:
        return self.simulation.end - ONE_DAY if self.simulation else None


def draft_page(one: RuleDraft, teams: frozenset[str] | None, by: Actor) -> DraftPage:
    """Everything about one draft."""
    titles = naming.directory()
    seen = proposals.seen_moves(one, teams)
    moves = [
        MoveRow(
            titles.title(move.team),
            move.currency,
            move.before,
            less(move.after, move.before),
            less(move.as_if, move.before),
        )
        for move in seen
        if not move.before == move.after == move.as_if
    ]
    return DraftPage(
        row=_draft(one, teams, titles),
        lines=tuple(labels.plain(line, limit=2000) for line in one.text.splitlines()),
        simulation=proposals.simulation_of(one),
        is_withheld=proposals.is_withheld(one, teams),
        moves=tuple(sorted(moves, key=lambda row: (row.currency, -abs(row.as_if), row.team))),
        unmoved=len(seen) - len(moves),
        trail=trails.steps(one.trail.order_by("pk"), DONE),
        may=_may(one, by),
        is_open=one.state in proposals.OPEN,
    )


def _may(one: RuleDraft, by: Actor) -> frozenset[str]:
    """The actions that make sense in this state for this person; the services decide anew."""
    if one.state not in proposals.OPEN or not by.may_draft:
        return frozenset()
    speaks = by.teams is None or bool(by.speaks_for(proposals.concerns(one)))
    found = {"simulate"}
    if by.is_one(one.drafted_by):
        found.add("withdraw")
    if speaks:
        found.add("reject")
    if one.state == RuleDraft.State.SIMULATED and speaks:
        found.add("approve")
    if one.state == RuleDraft.State.APPROVED and (speaks or by.is_one(one.drafted_by)):
        found.add("publish")
    return frozenset(found)


def written(given: Mapping[str, Any]) -> str:
    """The draft that a form says: as YAML already, or made of its fields."""
    if given.get("text"):
        return str(given["text"])
    field, key = (str(given.get(name, "")) for name in ("field", "key"))
    about = f"{field}.{key}" if field in KEYED_FIELDS else field
    patterns = [line.strip() for line in str(given.get("pattern", "")).splitlines() if line.strip()]
    rule = {"name": given.get("name", ""), "when": {about: patterns}, "team": given.get("team", "")}
    if given.get("before"):
        rule["before"] = given["before"]
    change = {"valid_from": given.get("valid_from", ""), "add": [rule]}
    return yamls.written(change)
