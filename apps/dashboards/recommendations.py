"""Recommendations as pages show them: the inbox, and one with its evidence, history and what may be done."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from urllib.parse import urlencode

from django.contrib.auth.models import User
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy

from apps.dashboards import naming
from apps.dashboards.paging import Paging, paged
from apps.finops.money import NOTHING
from apps.marts.query import BadQuestion
from apps.operations import kinds, selectors
from apps.operations.deciding import BadStep, Step
from apps.operations.models import Recommendation, RecommendationStep
from apps.operations.overlaps import Promise as Promised
from apps.operations.overlaps import promise
from apps.operations.people import assignable, may_decide
from apps.operations.selectors import ANY, STATES, UNDECIDED, WHOSE, Reader, Wanted
from apps.operations.states import OPEN, allowed
from apps.savings.models import Initiative
from apps.teams.approval import Actor
from apps.warehouse.sentences import told, told_of

STATE_WORDS: dict[str, Promise] = {
    UNDECIDED: gettext_lazy("still open"),
    "found": gettext_lazy("found"),
    "assigned": gettext_lazy("assigned"),
    "accepted": gettext_lazy("accepted"),
    "declined": gettext_lazy("declined"),
    "snoozed": gettext_lazy("snoozed"),
    "in_progress": gettext_lazy("in progress"),
    "done": gettext_lazy("done"),
    "verified": gettext_lazy("saving verified"),
    "not_verified": gettext_lazy("saving not verified"),
    "reverted": gettext_lazy("reverted"),
    "closed": gettext_lazy("closed itself"),
    ANY: gettext_lazy("any state"),
}
TONES = {
    "found": "warning", "assigned": "warning", "accepted": "running", "in_progress": "running", "done": "done",
    "verified": "ok", "not_verified": "error", "reverted": "error",
}  # fmt: skip
WHOSE_WORDS: dict[str, Promise] = {
    "mine": gettext_lazy("mine"), "teams": gettext_lazy("of my teams"), "all": gettext_lazy("all I may see"),
}  # fmt: skip
BUTTONS: dict[str, Promise] = {
    "accept": gettext_lazy("Accept"),
    "decline": gettext_lazy("Decline"),
    "snooze": gettext_lazy("Snooze"),
    "assign": gettext_lazy("Assign"),
    "start": gettext_lazy("Begin"),
    "finish": gettext_lazy("It is done"),
    "reopen": gettext_lazy("Open again"),
    "revert": gettext_lazy("It was undone"),
    "comment": gettext_lazy("Comment"),
}
TOLD: dict[str, Promise] = {
    "find": gettext_lazy("found it"),
    "assign": gettext_lazy("assigned it"),
    "accept": gettext_lazy("took it on"),
    "decline": gettext_lazy("declined it"),
    "snooze": gettext_lazy("snoozed it"),
    "start": gettext_lazy("began"),
    "finish": gettext_lazy("finished it"),
    "reopen": gettext_lazy("opened it again"),
    "comment": gettext_lazy("said"),
    "hand over": gettext_lazy("handed it over"),
    "close": gettext_lazy("closed it"),
    "return": gettext_lazy("found it again"),
    "wake": gettext_lazy("woke it"),
    "revert": gettext_lazy("undid it"),
    "verify": gettext_lazy("verified the saving"),
    "refute": gettext_lazy("could not verify the saving"),
    "lapse": gettext_lazy("saw the saving end"),
}
MOST_SAME = 20
BULK = ("accept", "decline", "snooze", "assign")


@dataclass(frozen=True)
class Line:
    """A recommendation in a list; `counted` is what totals count of it, `within` another one that saves the same."""

    one: Recommendation
    title: str
    kind: str
    team: str
    state: str
    tone: str
    assignee: str
    is_overdue: bool
    counted: Decimal
    within: int | None
    may_decide: bool


@dataclass(frozen=True)
class InboxPage:
    """The inbox; `totals` are of everything that fits the filters, `lines` those of a page."""

    wanted: Wanted
    lines: tuple[Line, ...]
    paging: Paging[Recommendation]
    totals: tuple[tuple[str, Decimal], ...]
    overlapping: int
    whose: tuple[tuple[str, str], ...]
    kinds: tuple[tuple[str, str], ...]
    teams: tuple[tuple[str, str], ...]
    states: tuple[tuple[str, str], ...]
    actions: tuple[tuple[str, str], ...]
    assignable: tuple[str, ...]
    csv: str
    xlsx: str


@dataclass(frozen=True)
class HistoryLine:
    """One step, in the reader's words."""

    step: RecommendationStep
    by: str
    told: str
    why: str
    state: str


@dataclass(frozen=True)
class OnePage:
    """One recommendation; `same` are the largest of what else is about its cost, `more` how many there are besides;
    `buttons` are what the reader may do now, `initiatives` what carries it out."""

    line: Line
    evidence: tuple[str, ...]
    history: tuple[HistoryLine, ...]
    same: tuple[Line, ...]
    more: int
    buttons: tuple[tuple[str, str], ...]
    assignable: tuple[str, ...]
    initiatives: tuple[Initiative, ...]


def asked(given: Mapping[str, str]) -> Wanted:
    """The filters of an address; what cannot be is refused by name."""
    wanted = Wanted(**{name: given[name] for name in ("whose", "kind", "team", "state", "currency") if given.get(name)})
    for name, choices in (("whose", WHOSE), ("state", STATES), ("kind", ("", *kinds.NAMES))):
        if getattr(wanted, name) not in choices:
            raise BadQuestion(
                f"{name}: {getattr(wanted, name)[:40]!r} is not one of {', '.join(filter(None, choices))}"
            )
    return wanted


def inbox(reader: Reader, actor: Actor, wanted: Wanted, today: date, *, page: str = "") -> InboxPage:
    """What somebody looks for."""
    found = selectors.recommendations(reader, wanted)
    promised, titles = selectors.promised(found, wanted), naming.directory()
    paging = paged(found, _params(wanted) | {"page": page})
    lines = tuple(_line(one, promised, titles, actor, today) for one in paging.rows)
    decidable = {line.one.team for line in lines if line.may_decide}
    teams = {team: titles.title(team) for team in selectors.seen_by(reader).values_list("team", flat=True).distinct()}
    return InboxPage(
        wanted=wanted,
        lines=lines,
        paging=paging,
        totals=tuple(promised.totals.items()),
        overlapping=len(promised.within),
        whose=_words(WHOSE_WORDS),
        kinds=tuple((kind.name, str(kind.title)) for kind in kinds.KINDS),
        teams=tuple(sorted(teams.items(), key=lambda pair: pair[1])),
        states=_words(STATE_WORDS),
        actions=tuple((name, str(BUTTONS[name])) for name in BULK) if decidable else (),
        assignable=_names(assignable(decidable)) if decidable else (),
        csv=_download(wanted, "csv"),
        xlsx=_download(wanted, "xlsx"),
    )


def lines_of(found: Sequence[Recommendation], actor: Actor, today: date) -> tuple[Line, ...]:
    """Recommendations as lines, for a page that leads to the inbox."""
    promised, titles = promise(found), naming.directory()
    return tuple(_line(one, promised, titles, actor, today) for one in found)


def _download(wanted: Wanted, form: str) -> str:
    return f"{reverse('api-recommendations')}?{urlencode(_params(wanted) | {'format': form})}"


def _params(wanted: Wanted) -> dict[str, str]:
    return {name: value for name, value in vars(wanted).items() if value}


def _words(words: Mapping[str, Promise]) -> tuple[tuple[str, str], ...]:
    return tuple((key, str(word)) for key, word in words.items())


def _names(users: Iterable[User]) -> tuple[str, ...]:
    return tuple(user.get_username() for user in users)


def _line(one: Recommendation, promised: Promised, titles: naming.Directory, actor: Actor, today: date) -> Line:
    return Line(
        one=one,
        title=told_of(one.title),
        kind=kinds.title_of(one.kind),
        team=titles.title(one.team),
        state=str(STATE_WORDS[one.state]),
        tone=TONES.get(one.state, ""),
        assignee=one.assignee.get_username() if one.assignee else "",
        is_overdue=one.state in OPEN and one.due < today,
        counted=promised.counted.get(one.pk, NOTHING),
        within=promised.within.get(one.pk),
        may_decide=may_decide(actor, one),
    )


def page(one: Recommendation, reader: Reader, actor: Actor, today: date) -> OnePage:
    """One recommendation, for somebody who may know of it."""
    titles = naming.directory()
    same, promised = selectors.beside(one, reader)
    line = _line(one, promised, titles, actor, today)
    return OnePage(
        line=line,
        evidence=tuple(told_of(sentence) for sentence in one.evidence),
        history=tuple(_history(step) for step in one.steps.order_by("pk")),
        same=tuple(_line(other, promised, titles, actor, today) for other in same[:MOST_SAME]),
        more=max(0, len(same) - MOST_SAME),
        buttons=tuple((name, str(BUTTONS[name])) for name in allowed(one.state)) if line.may_decide else (),
        assignable=_names(assignable((one.team,))) if line.may_decide else (),
        initiatives=tuple(one.initiatives.order_by("pk")),
    )


def _history(step: RecommendationStep) -> HistoryLine:
    why = told(step.why, step.values) if not step.by else step.why
    return HistoryLine(step, step.by or "CostOps", str(TOLD[step.action]), why, str(STATE_WORDS[step.to_state]))


def read_step(given: Mapping[str, str]) -> Step:
    """The step a form asks for."""
    until = given.get("until", "")
    try:
        day = date.fromisoformat(until) if until else None
    except ValueError:
        raise BadStep(f"until: {until[:20]!r} is no date; write it such as 2026-11-30.") from None
    return Step(given.get("action", ""), given.get("why", ""), day, given.get("assignee", ""))


def read_numbers(given: Iterable[str]) -> list[int]:
    """The recommendations a form chooses."""
    return [int(text) for text in given if text.isascii() and text.isdigit() and len(text) < 16]
