"""Reading what is idle, for those who may see it, with what people decided about it."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fnmatch import fnmatchcase

from django.urls import reverse

from apps.finops.errors import CostOpsError
from apps.finops.findings import Finding, Sentence
from apps.finops.money import add_up
from apps.finops.once import once
from apps.finops.stakes import Place, Stake, in_cluster, of_resource
from apps.insights.idle import kinds
from apps.insights.idle.describing import ASK, TITLES
from apps.insights.models import IdleExclusion, IdleFinding, IdleRun
from apps.marts.query import EVERYTHING, Scope

KINDS = (*kinds.KINDS, kinds.SCHEDULE)
VERDICTS = ("open", "safe", "review", "unknown", "keep", "exclude", "all")
"""What can be asked for: `open` is all that evidence calls idle and nobody decided about, `unknown` what no signal
tells anything of, `keep` and `exclude` what people decided."""


DRAWN = ("signals", "activity", "slots")
"""What figures of one finding are drawn from: most of what is kept of it, and nothing a list tells."""


class NothingFound(CostOpsError):
    """Nothing was looked at yet, or nothing idle has this name, or it is not for the caller to know of."""


@dataclass(frozen=True)
class Listed:
    """A finding, and what people decided about it, if they did."""

    finding: IdleFinding
    decision: IdleExclusion | None

    @property
    def state(self) -> str:
        """One of VERDICTS but `open` and `all`."""
        if self.decision is not None:
            return self.decision.decision
        return self.finding.verdict if self.finding.is_known else "unknown"

    @property
    def is_open(self) -> bool:
        return self.state in ("safe", "review")


@dataclass(frozen=True)
class Decisions:
    """The decisions in force on a day: of every kind, pattern and team the newest."""

    newest: tuple[IdleExclusion, ...]

    @classmethod
    def on(cls, day: date) -> "Decisions":
        said: dict[tuple[str, str, str], IdleExclusion] = {}
        for one in IdleExclusion.objects.order_by("pk"):
            said[one.kind, one.pattern, one.team] = one
        held = sorted((one for one in said.values() if one.is_in_force(day)), key=lambda one: -one.pk)
        return cls(tuple(held))

    def about(self, finding: IdleFinding) -> IdleExclusion | None:
        return next((one for one in self.newest if is_meant(one, finding)), None)


def is_meant(decision: IdleExclusion, finding: IdleFinding) -> bool:
    """Whether a decision is about a finding: by its kind, its team, and a pattern of its subject."""
    return (
        decision.kind in ("", finding.kind)
        and decision.team in ("", finding.team)
        and (decision.pattern == finding.subject or fnmatchcase(finding.subject, decision.pattern))
    )


def decisions(scope: Scope, *, day: date) -> list[IdleExclusion]:
    """The decisions in force that somebody may know of: those of their teams, and of those of all teams what is about a
    finding of their own. A pattern and its reason name things of others."""
    newest = Decisions.on(day).newest
    if scope.teams is None:
        return list(newest)
    own = [row.finding for row in listed(newest_run(), scope, day=day, verdict="all")] if is_any() else []
    return [
        one
        for one in newest
        if (scope.allows(one.team) if one.team else any(is_meant(one, finding) for finding in own))
    ]


def is_any() -> bool:
    """Whether anything was looked at yet."""
    return _newest() is not None


def newest_run(publication: int | None = None) -> IdleRun:
    """What was idle in a publication, by default the newest."""
    found = _newest() if publication is None else IdleRun.objects.filter(publication=publication).first()
    if found is None:
        what = "" if publication is None else f" in publication {publication}"
        raise NothingFound(f"Nothing was looked for{what} yet; `manage.py fill --step idle` looks in the newest.")
    return found


def _newest() -> IdleRun | None:
    return once(("newest idle run",), lambda: IdleRun.objects.order_by("-publication").first())


def listed(
    run: IdleRun,
    scope: Scope,
    *,
    day: date,
    kind: str = "",
    team: str = "",
    verdict: str = "open",
    text: str = "",
    identity: str = "",
) -> list[Listed]:
    """What somebody may see and asks for, in each currency the most money first; `text` is part of a name, resource
    or service."""
    rows = IdleFinding.objects.filter(run=run).defer(*DRAWN)
    if scope.teams is not None:
        rows = rows.filter(team__in=scope.teams)
    told = {name: value for name, value in (("kind", kind), ("team", team), ("identity", identity)) if value}
    said, found = Decisions.on(day), []
    for one in rows.filter(**told):
        one.run = run
        found.append(Listed(one, said.about(one)))
    return sorted(narrowed(found, verdict=verdict, text=text), key=place_of)


def narrowed(
    found: Iterable[Listed], *, kind: str = "", team: str = "", verdict: str = "open", text: str = ""
) -> list[Listed]:
    """Those of some findings that somebody asks for, in their order."""
    part = text.strip().lower()
    return [
        one
        for one in found
        if kind in ("", one.finding.kind)
        and team in ("", one.finding.team)
        and _is_wanted(one, verdict)
        and _names(one.finding, part)
    ]


def _is_wanted(one: Listed, verdict: str) -> bool:
    return verdict == "all" or (one.is_open if verdict == "open" else one.state == verdict)


def _names(one: IdleFinding, text: str) -> bool:
    return any(text in value.lower() for value in (one.subject, one.name, one.resource, one.service))


def place_of(one: Listed) -> tuple[str, Decimal, str, str, str]:
    found = one.finding
    return found.currency, found.per_month.copy_negate(), found.subject, found.team, found.identity


def one(run: IdleRun, scope: Scope, identity: str, *, day: date) -> list[Listed]:
    """Everything somebody may see of one subject: a row for each team and currency."""
    found = listed(run, scope, day=day, verdict="all", identity=identity) if identity else []
    if not found:
        raise NothingFound(f"There is nothing idle named {identity}.")
    return found


def totals(rows: Iterable[Listed]) -> dict[str, Decimal]:
    """Money per month by currency."""
    found: dict[str, list[Decimal]] = defaultdict(list)
    for row in rows:
        found[row.finding.currency].append(row.finding.per_month)
    return {currency: add_up(amounts) for currency, amounts in sorted(found.items())}


def findings(scope: Scope = EVERYTHING, *, day: date) -> tuple[Finding, ...]:
    """What is idle and not decided about, by the newest publication: of kind "idle", and "schedule" for what could be
    switched off outside its hours. What no signal tells anything of is a question and promises nothing."""
    if not is_any():
        return ()
    run = newest_run()
    asked = [row for verdict in ("open", "unknown") for row in listed(run, scope, day=day, verdict=verdict)]
    return tuple(_finding(row.finding) for row in asked)


def _finding(row: IdleFinding) -> Finding:
    title = TITLES[row.kind] if row.is_known else ASK
    saving = row.per_month if row.is_known else Decimal(0)
    return Finding(
        kind="schedule" if row.kind == kinds.SCHEDULE else "idle",
        subject=f"{row.kind} {row.subject} {row.team} {row.currency}",
        team=row.team,
        title=Sentence(title, {"name": row.name or row.subject}),
        evidence=sentences(row),
        currency=row.currency,
        saving_per_month=saving,
        since=row.since,
        link=reverse("idle-one", args=[row.identity]),
        at_stake=row.at_stake,
        scope=_scope(row),
        stakes=(Stake(_place(row), saving),),
        hours=tuple((weekday, start, count) for weekday, start, count in row.windows),
    )


def _place(row: IdleFinding) -> Place:
    """Where its money is spent: of what is billed by itself only a node is part of what its cluster costs, and only
    servers and databases of what could be bought for longer at a lower price."""
    if row.namespace:
        return in_cluster(row.cluster, row.team, row.namespace, row.workload)
    alone = "" if row.kind in (kinds.INSTANCE, kinds.DATABASE) else f"{row.kind}:"
    return of_resource(row.resource, row.team, row.cluster if row.kind == kinds.NODE else alone)


def _scope(row: IdleFinding) -> dict[str, str]:
    """The cost a finding is of: its team's share of a resource, or of a place."""
    placed = {"cluster": row.cluster, "namespace": row.namespace, "workload": row.workload}
    named = {"resource": row.resource} if row.resource else {name: value for name, value in placed.items() if value}
    return {"team": row.team} | named


def sentences(row: IdleFinding) -> tuple[Sentence, ...]:
    """What speaks for it."""
    return tuple(Sentence(text, values) for text, values in row.evidence)


def lost(row: IdleFinding) -> Sentence:
    """What would be lost with it."""
    text, values = row.lost
    return Sentence(text, values)
