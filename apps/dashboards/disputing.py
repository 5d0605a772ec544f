"""Disputes as pages show them: the list, one with its explanation and conversation, and what its reader may do."""

from dataclasses import dataclass, replace
from decimal import Decimal
from urllib.parse import parse_qsl, urlencode

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy

from apps.books import manual
from apps.books.disputes import MOVES, WAITING, cell_of, disputes, team_of
from apps.books.entries import Draft
from apps.books.models import Dispute, DisputeRemark, ManualEntry
from apps.books.people import Actor
from apps.books.selectors import months_of, open_month
from apps.charts.labels import plain
from apps.dashboards import explaining, naming
from apps.dashboards.asking import METRICS
from apps.dashboards.cells import link
from apps.dashboards.templatetags.costs import day_range
from apps.finops.money import less
from apps.finops.windows import ONE_DAY
from apps.insights.explain import Explanation
from apps.marts import selectors as marts
from apps.marts.cell import parameters, question
from apps.marts.query import BadQuestion, CostQuery, Scope
from apps.rates.selectors import MissingRate

STATES: dict[str, Promise] = {
    "open": gettext_lazy("open"),
    "accepted": gettext_lazy("accepted"),
    "rejected": gettext_lazy("rejected"),
    "settled": gettext_lazy("settled"),
    "withdrawn": gettext_lazy("withdrawn"),
}
TONES = {"open": "warning", "accepted": "running", "rejected": "error", "settled": "ok", "withdrawn": ""}
DONE: dict[str, Promise] = {
    "open": gettext_lazy("disputed it"),
    "comment": gettext_lazy("said"),
    "accept": gettext_lazy("accepted it"),
    "reject": gettext_lazy("rejected it"),
    "settle": gettext_lazy("settled it"),
    "withdraw": gettext_lazy("withdrew it"),
}
SETTLED_BY: dict[str, Promise] = {
    "entry": gettext_lazy("by an adjusting entry"),
    "rule": gettext_lazy("by other rules"),
    "restatement": gettext_lazy("by a restatement"),
}
BUTTONS: dict[str, Promise] = {
    "comment": gettext_lazy("Comment"),
    "accept": gettext_lazy("Accept"),
    "reject": gettext_lazy("Reject"),
    "withdraw": gettext_lazy("Withdraw"),
    "rule": gettext_lazy("Settled by other rules"),
    "restatement": gettext_lazy("Settled by a restatement"),
}
MOST_ROWS = 200


@dataclass(frozen=True)
class DisputeLine:
    """A dispute in the list."""

    dispute: Dispute
    team: str
    about: str
    state: str
    tone: str


@dataclass(frozen=True)
class DisputesPage:
    """The list; `waiting` are those that finance has to answer or to settle."""

    lines: tuple[DisputeLine, ...]
    more: int
    waiting: int


@dataclass(frozen=True)
class EntryLine:
    """An entry that people booked, as it concerns somebody; `amount` has the sign it has for them."""

    entry: ManualEntry
    from_team: str
    to_team: str
    amount: Decimal


@dataclass(frozen=True)
class DisputePage:
    """One dispute: `now` is what the newest publication says of the number, None where it says nothing, or where that
    is not known for want of a rate, `missing`; `explained` is None where the publication does not hold what the number
    is made of. `buttons` are what the reader may do."""

    line: DisputeLine
    settled_by: str
    now: Decimal | None
    missing: MissingRate | None
    explained: explaining.ExplainPage | None
    explain_url: str
    remarks: tuple[tuple[str, DisputeRemark], ...]
    entries: tuple[EntryLine, ...]
    buttons: tuple[tuple[str, str], ...]
    may_book: bool
    months: tuple[str, ...]
    teams: tuple[tuple[str, str], ...]

    @property
    def change(self) -> Decimal | None:
        return None if self.now is None else less(self.now, self.line.dispute.amount)


def list_page(actor: Actor) -> DisputesPage:
    """The disputes somebody may know of."""
    found = disputes(actor.scope)
    teams = naming.directory()
    waiting = found.filter(state__in=WAITING).count()
    return DisputesPage(
        lines=tuple(_line(one, teams) for one in found[:MOST_ROWS]),
        more=max(0, found.count() - MOST_ROWS),
        waiting=waiting,
    )


def _line(dispute: Dispute, teams: naming.Directory) -> DisputeLine:
    cell = cell_of(dispute)
    team = str(explaining.DIMENSIONS["team"])
    others = [f"{title} {value}" for title, value in explaining.about(cell) if title != team]
    days = day_range(cell.start, cell.end - ONE_DAY)
    return DisputeLine(
        dispute=dispute,
        team=teams.title(dispute.team),
        about=" · ".join([str(METRICS[cell.metric]), days, *others]),
        state=str(STATES[dispute.state]),
        tone=TONES[dispute.state],
    )


def page(dispute: Dispute, actor: Actor) -> DisputePage:
    """One dispute, for somebody who may know of it."""
    teams = naming.directory()
    cell = cell_of(dispute)
    shown = replace(cell, scope=Scope(frozenset({dispute.team})))
    booked = list(dispute.entries.select_related("close").order_by("pk"))
    can_book = dispute.state in (Dispute.State.ACCEPTED, Dispute.State.SETTLED)
    now, missing = _now(shown, dispute.currency)
    return DisputePage(
        line=_line(dispute, teams),
        settled_by=str(SETTLED_BY.get(dispute.settled_by, "")),
        now=now,
        missing=missing,
        explained=_explained(shown),
        explain_url=link(cell),
        remarks=tuple((str(DONE[one.action]), one) for one in dispute.remarks.order_by("pk")),
        entries=tuple(entry_line(one, dispute.team, teams) for one in booked),
        buttons=_buttons(dispute, actor),
        may_book=actor.may_book and actor.may_answer and can_book,
        months=_months(),
        teams=tuple(sorted(teams.titles.items())),
    )


def _now(cell: CostQuery, currency: str) -> tuple[Decimal | None, MissingRate | None]:
    try:
        return marts.answer(replace(cell, as_of=None)).totals.get(currency), None
    except MissingRate as missing:  # what came since may be in a currency that the rates of the dispute do not know
        return None, missing


def _explained(cell: CostQuery) -> explaining.ExplainPage | None:
    try:
        return explaining.told(cell, limit=5)
    except BadQuestion:
        return None


def _buttons(dispute: Dispute, actor: Actor) -> tuple[tuple[str, str], ...]:
    """What the reader may do now, the key of the button and its words; to settle has a button for each way."""
    speaks = dispute.team in actor.teams or actor.may_answer
    allowed = [
        action
        for action, step in MOVES.items()
        if dispute.state in step.since and (actor.may_answer if step.is_for_finance else speaks)
    ]
    keys = [key for action in allowed for key in (("rule", "restatement") if action == "settle" else (action,))]
    return tuple((key, str(BUTTONS[key])) for key in keys)


def _months() -> tuple[str, ...]:
    """The months an entry may adjust, the newest first."""
    pinned = marts.publication()
    last = open_month(pinned)
    return tuple(month for month in reversed(months_of(pinned)) if last is None or month <= last)


def entry_line(entry: ManualEntry, team: str, teams: naming.Directory) -> EntryLine:
    """An entry as it concerns a team."""
    amount = entry.amount if entry.to_team == team else entry.amount.copy_negate()
    return EntryLine(entry, plain(teams.title(entry.from_team)), plain(teams.title(entry.to_team)), amount)


def adjusted(team: str) -> tuple[tuple[EntryLine, ...], tuple[tuple[str, Decimal], ...]]:
    """What people moved from or to a team, and by currency what it comes to: beside its cost, never in it."""
    booked = manual.of_team(team)
    teams = naming.directory()
    return tuple(entry_line(one, team, teams) for one in booked), tuple(manual.net(booked, team).items())


def offered(found: Explanation, actor: Actor) -> str:
    """A number that the reader sees explained, as a form sends it; empty unless it is one number, of one team, and they
    may dispute it."""
    team = team_of(found.query, actor.scope)
    if len(found.answered) != 1 or not team or not (team in actor.teams or actor.may_answer):
        return ""
    return urlencode(parameters(found.query))


def read_cell(text: str) -> CostQuery:
    """The number a form disputes."""
    return question(dict(parse_qsl(text, keep_blank_values=True)))


def read_draft(data: dict[str, str]) -> Draft:
    """The entry a form books."""
    return Draft(**{name: str(data.get(name, "")) for name in Draft.__dataclass_fields__})
