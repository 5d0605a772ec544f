"""Keeping the ledger: initiatives are written, stated, measured when days that are over changed, and concluded."""

import logging
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from math import isfinite
from typing import TYPE_CHECKING, Any, TypeVar

from celery.exceptions import SoftTimeLimitExceeded
from django.db import transaction
from django.db.models import Count, Max

from apps.calendars.periods import period_of
from apps.finops.errors import CostOpsError
from apps.finops.problems import Problem, Severity
from apps.finops.steps import StepResult
from apps.marts.models import Publication
from apps.marts.selectors import publication
from apps.operations import deciding
from apps.operations.deciding import NotPossible, today
from apps.operations.models import Recommendation
from apps.operations.people import MACHINE, may_decide
from apps.operations.states import MOVES as RECOMMENDATION_MOVES
from apps.savings.carrying import asked_again, carriers, carries_out, is_undone
from apps.savings.known import known_until
from apps.savings.models import Initiative, InitiativeStep, Measurement
from apps.savings.people import must_change, must_own, owns
from apps.savings.scopes import team_of
from apps.savings.series import read_series
from apps.savings.statements import BadStatement, Statement, controls_of, scope_of, stated_by, statement_of
from apps.savings.states import LIVE, MOVES, NEEDS_WHY, OF_PEOPLE
from apps.savings.timing import MODEL, VERSION, milestones
from apps.teams.approval import Actor
from apps.teams.models import Team
from apps.warehouse import database, fencing

if TYPE_CHECKING:
    from apps.savings.measuring import Measured

logger = logging.getLogger(__name__)
State = Initiative.State
Kept = TypeVar("Kept", Recommendation, Initiative)
DONE = Recommendation.State.DONE
MOST_TEXT = 4_000

STATED = "It was stated with %(controls)s controls; a change of %(percent)s %% or more can be told from noise"
STATED_BLIND = "It was stated; what could be told from noise is not known: %(why)s"
OF_RECOMMENDATION = "What recommendation %(number)s promised, done since %(day)s"
SHOWN = "Saved %(saving)s %(currency)s until %(day)s, between %(lower)s and %(upper)s (95 %%), grade %(grade)s"
NOT_SHOWN = "Between %(lower)s and %(upper)s %(currency)s (95 %%) until %(day)s: no saving can be told from that"
SECONDS = 15 * 60
"""A step may take half an hour: what is not measured by then is measured with the next publication."""
LATER = "This one and those after it are measured with the next publication: there are many."
LEFT = "Initiative %(number)s, which carries it out, was reverted; what becomes of it is for its own team to say"
UNDONE = "People reverted what it carries out"
ENDED = "Two months in a row it saved less than half of what was verified"


@transaction.atomic
def write(statement: Statement, *, by: Actor, now: datetime) -> Initiative:
    """Keep a draft; nothing is measured before it is stated."""
    carried = _check(statement, by)
    one = Initiative.objects.create(**statement.columns(), created_at=now, created_by=by.name)
    one.recommendations.set(carried)
    _note(one, "write", by=by.name, now=now, before="")
    return one


@transaction.atomic
def rewrite(one: Initiative, statement: Statement, *, by: Actor, now: datetime) -> Initiative:
    """Change a draft; what is stated stays, and so do controls and recommendations that are not for them to name."""
    one.refresh_from_db(from_queryset=Initiative.objects.select_for_update())
    must_change(by, one.team)
    carried = _check(statement, by)
    unseen = (each for each in controls_of(one) if not owns(by, each))
    others = [each for each in one.recommendations.all() if not may_decide(by, each)]
    statement = replace(statement, controls=(*statement.controls, *unseen))
    if not Initiative.objects.filter(pk=one.pk, state=State.DRAFT).update(**statement.columns()):
        raise NotPossible(
            f"Initiative {one.pk} is stated: what was said before it began stays. Withdraw it and write another."
        )
    one.refresh_from_db()
    one.recommendations.set([*carried, *others])
    _note(one, "write", by=by.name, now=now, before=State.DRAFT)
    return one


def _check(statement: Statement, by: Actor) -> list[Recommendation]:
    must_change(by, statement.team)
    must_own(by, statement.scope)
    for control in statement.controls:
        must_own(by, control, field="controls")
    if not Team.objects.filter(name=statement.team).exists():
        raise BadStatement(f"team: there is no team {statement.team[:60]!r}.")
    found = list(Recommendation.objects.filter(pk__in=statement.recommendations))
    missing = set(statement.recommendations) - {one.pk for one in found if may_decide(by, one)}
    if missing:
        raise BadStatement(f"recommendations: there is no recommendation {min(missing)} of yours.")
    return found


def take(one: Initiative, action: str, *, by: Actor, now: datetime, why: str = "") -> Initiative:
    """Do what a person wants done: state, withdraw, revert or comment."""
    if action not in OF_PEOPLE:
        raise BadStatement(f"action: {action[:20]!r} is not one of {', '.join(OF_PEOPLE)}.")
    if len(why) > MOST_TEXT or "\x00" in why or (action in NEEDS_WHY and not why.strip()):
        raise BadStatement(f"why: to {action} say why, in at most {MOST_TEXT:,} characters.")
    must_change(by, one.team)
    if action == "state":
        return state(one, by=by.name, now=now, why=why.strip())
    with transaction.atomic():
        _move(one, action, by=by.name, now=now, why=why.strip())
        if action == "revert":
            _tell_recommendations(one, "revert", by=by, now=now, why=why.strip(), values={})
    return one


def state(one: Initiative, *, by: str, now: datetime, why: str = "") -> Initiative:
    """State it: its controls are chosen by rule where it names none, and what could be detected is told. From then on
    the statement is never changed."""
    from apps.savings import expecting  # a learner: pages need not wait for it

    statement = statement_of(one)
    expected = expecting.expect(one, publication(), today=today(now))
    changed = {
        "controls": expected.controls, "detectable_text": expected.percent, "model": MODEL, "stated_at": now,
        "stated_in": expected.publication,
    }  # fmt: skip
    with transaction.atomic():
        if statement_of(Initiative.objects.select_for_update().get(pk=one.pk)) != statement:
            raise _changed(one)  # what was expected is of a draft that somebody rewrote
        if why:
            _note(one, "comment", by=by, now=now, before=one.state, why=why)
        values = {"controls": f"{len(expected.controls)}", "percent": expected.percent, "why": expected.why}
        told = STATED if expected.percent else STATED_BLIND
        _move(one, "state", by=by, now=now, why=told, values=values, changed=changed)
    return one


def verify(*, now: datetime) -> StepResult:
    """Measure what is due by the newest publication, and conclude what was saved; doing so again changes nothing."""
    from apps.savings import sharing  # a learner: pages need not wait for it

    pinned, over = publication(), time.monotonic() + SECONDS
    problems: list[Problem] = []
    for done in _in_time(_unmeasured(), "recommendation", over, problems):
        with _apart(problems, "note", "not_taken_up", f"recommendation {done.pk}"):
            take_up(done, now=now)
    rows = 0
    for one in _in_time(Initiative.objects.filter(state__in=LIVE).order_by("pk"), "initiative", over, problems):
        with _apart(problems, "warning", "not_measured", f"initiative {one.pk}"):
            if is_undone(one):
                _undo(one, now)
            else:
                rows += _look(one, pinned, now)
    sharing.share(pinned)
    return StepResult(rows=rows, problems=tuple(problems), versions={"publication": pinned.number})


def _in_time(ones: Iterable[Kept], name: str, over: float, problems: list[Problem]) -> Iterator[Kept]:
    """One after another while there is time; the first that has to wait is told."""
    for one in ones:
        if time.monotonic() > over:
            problems.append(Problem("note", "later", f"{name} {one.pk}", LATER))
            return
        yield one


@contextmanager
def _apart(problems: list[Problem], severity: Severity, code: str, subject: str) -> Iterator[None]:
    """Within, what fails of one keeps no other from being measured: it is told, and a fault of ours is logged whole."""
    try:
        yield
    except (fencing.TakenOver, SoftTimeLimitExceeded):  # the time of the whole task is up, for no fault of this one
        raise
    except CostOpsError as wrong:
        problems.append(Problem(severity, code, subject, f"{wrong} What was measured stays."))
    except Exception as fault:
        if database.is_away(fault):
            raise
        logger.exception("%s: failed", subject)
        problems.append(Problem("error", "crashed", subject, f"{type(fault).__name__}; see the log."))


def identity() -> str:
    """What measurements depend on besides the publication."""
    steps = InitiativeStep.objects.filter(action__in=("state", "withdraw", "revert")).order_by("-pk")
    newest = steps.values_list("pk", flat=True).first()
    done = Recommendation.objects.filter(state__in=(DONE, Recommendation.State.REVERTED)).order_by("state")
    return f"{VERSION} {newest} {list(done.values_list('state').annotate(Max('pk'), Count('pk')))}"


def _unmeasured() -> Iterable[Recommendation]:
    """What was done, promised to save, says which cost would fall, and no initiative measures yet."""
    done = Recommendation.objects.filter(state=DONE).order_by("pk")
    return [one for one in done if one.saving > 0 and one.scope and one.team and not carriers(one).exists()]


@transaction.atomic
def take_up(done: Recommendation, *, now: datetime) -> Initiative | None:
    """The initiative that a recommendation stated by itself: it was found, with its promise, before it was done. None
    where somebody else took it up meanwhile."""
    fencing.check()
    if Recommendation.objects.select_for_update().get(pk=done.pk).state != DONE or carriers(done).exists():
        return None
    again = asked_again(done)
    steps = list(done.steps.filter(pk__gt=again.pk if again else 0).order_by("pk"))
    now = max([now, *done.steps.values_list("at", flat=True)])  # after all of that, though a clock was set back
    finished = today(max(step.at for step in steps if step.from_state != step.to_state == DONE))
    begun = [today(step.at) for step in steps if step.action == "start"]
    start, over = sorted((begun[-1] if begun else finished, finished))  # a clock may have been set back between them
    statement = stated_by(done, start=start, transition_days=(over - start).days)
    one = Initiative.objects.create(**statement.columns(), title=done.title, created_at=done.found_at)
    one.recommendations.add(done)
    values = {"number": f"{done.pk}", "day": f"{finished}"}
    _note(one, "write", by=MACHINE, now=now, before="", why=OF_RECOMMENDATION, values=values)
    state(one, by=MACHINE, now=now)
    Initiative.objects.filter(pk=one.pk).update(stated_at=done.found_at)
    one.stated_at = done.found_at
    return one


def _look(one: Initiative, pinned: Publication, now: datetime) -> int:
    """Measure it up to the last milestone whose bills have come, if its numbers are not those measured last."""
    from apps.savings import measuring  # a learner: pages need not wait for it

    scope, day = scope_of(one), today(now)
    known = known_until([scope, team_of(scope) or scope], one.currency, pinned, day)
    if known is None or not (due := milestones(one, known)):
        return 0
    series = read_series(one, pinned, due[-1], today=day)
    if series is None:
        return 0
    inputs = series.fingerprint(VERSION, one.start, one.transition_days, one.stated_at)
    newest = one.measurements.order_by("-pk").first()
    if newest is not None and newest.inputs == inputs:
        return 0
    found = measuring.measure(one, series, end=due[-1])
    with transaction.atomic():
        fencing.check()
        kept = _keep(one, found, pinned, now, end=due[-1], inputs=inputs, share=newest.share_text if newest else "1")
        if kept.is_final:
            _conclude(one, kept, found, now)
    return 1


@transaction.atomic
def _undo(one: Initiative, now: datetime) -> None:
    """People reverted what it carries out: there is nothing left to measure."""
    fencing.check()
    _move(one, "revert", by=MACHINE, now=now, why=UNDONE)
    _tell_recommendations(one, "revert", by=Actor(MACHINE, None), now=now, why=UNDONE, values={})


def _keep(
    one: Initiative, found: "Measured", pinned: Publication, now: datetime, *, end: date, inputs: str, share: str
) -> Measurement:
    """Its `share` is that of the measurement before, until all are shared anew: meanwhile nothing is read twice."""
    methods = [] if found.effect is None else [vars_of(each) for each in found.effect.methods]
    content = {
        "days": found.days, "before": found.before, "months": found.months, "methods": methods,
        "moved": f"{found.moved:f}",
        "says": [{"text": each.text, "values": dict(each.values)} for each in found.says],
        "reasons": [] if found.effect is None else list(found.effect.reasons),
        "placebos": {} if found.effect is None else vars_of(found.effect.placebos),
    }  # fmt: skip
    return Measurement.objects.create(
        initiative=one, publication=pinned.number, at=now, start=one.measured_from, end=end,
        is_final=end >= one.decided_on, content=content, inputs=inputs, share_text=share, **found.columns(),
    )  # fmt: skip


def vars_of(thing: Any) -> dict[str, Any]:
    """A small dataclass of a learner as plain JSON."""
    return {
        name: (round(value, 4) if isfinite(value) else None) if isinstance(value, float) else value
        for name, value in vars(thing).items()
        if isinstance(value, str | int | float)
    }


def _conclude(one: Initiative, kept: Measurement, found: "Measured", now: datetime) -> None:
    """Move it, and what it carries out, to where its verdict leads."""
    if not kept.is_known:
        return
    if one.state == State.VERIFIED and has_ended(one, kept):
        action, why, values = "lapse", ENDED, {}
    else:
        action = "verify" if kept.verdict == Measurement.Verdict.SAVED else "refute"
        why = SHOWN if action == "verify" else NOT_SHOWN
        values = {name: f"{Decimal(getattr(kept, f'{name}_text')):,.2f}" for name in ("saving", "lower", "upper")}
        values |= {"currency": one.currency, "grade": kept.grade, "day": f"{kept.end - timedelta(days=1)}"}
    if one.state in MOVES[action]:
        _move(one, action, by=MACHINE, now=now, why=why, values=values)
    _tell_recommendations(one, action, by=Actor(MACHINE, None), now=now, why=why, values=values)


def has_ended(one: Initiative, newest: Measurement) -> bool:
    """Whether the last two whole months after the verdict were by the day surely below half of what was verified at
    first."""
    first = one.measurements.filter(is_final=True, verdict=Measurement.Verdict.SAVED).order_by("pk").first()
    if first is None or not first.saving_text:
        return False
    a_day = float(first.saving_text) / max(1, (first.end - first.start).days)
    months = [(period_of("month", date.fromisoformat(day)), upper) for day, *_, upper in newest.content["months"]]
    whole = [
        upper / (month.end - month.start).days for month, upper in months
        if one.decided_on <= month.start and month.end <= newest.end
    ]  # fmt: skip
    return len(whole) > 1 and all(upper < a_day / 2 for upper in whole[-2:])


def _tell_recommendations(
    one: Initiative, action: str, *, by: Actor, now: datetime, why: str, values: Mapping[str, str]
) -> None:
    """Take what the initiative carries out along, where that move is possible. What others decide about stays as it is,
    and is told of it."""
    carried = one.recommendations.select_for_update(of=("self",)).order_by("pk")
    for each in carried:
        to = RECOMMENDATION_MOVES[action].to.get(Recommendation.State(each.state))
        if to is None or to == each.state or not carries_out(one, each):
            continue
        if may_decide(by, each):
            deciding.move(each, action, by=by.name, now=now, why=why, values=values)
        else:
            told = {"number": f"{one.pk}"}
            deciding.note(each, "comment", by=MACHINE, now=now, before=each.state, why=LEFT, values=told)


def _move(
    one: Initiative, action: str, *, by: str, now: datetime, why: str = "", values: Mapping[str, str] | None = None,
    changed: Mapping[str, Any] | None = None,
) -> None:  # fmt: skip
    """Make one move of the table, if it is still possible, and write it down."""
    before = State(one.state)
    after = MOVES[action].get(before)
    if after is None:
        raise NotPossible(f"Initiative {one.pk} is {before.label}: nobody can {action} it now.")
    facts = dict(changed or {}) | {"state": after}
    if not Initiative.objects.filter(pk=one.pk, state=before).update(**facts):
        raise _changed(one)
    for name, value in facts.items():
        setattr(one, name, value)
    _note(one, action, by=by, now=now, before=before, why=why, values=values)


def _changed(one: Initiative) -> NotPossible:
    return NotPossible(f"Initiative {one.pk} was changed by somebody else just now; look at it again.")


def _note(
    one: Initiative, action: str, *, by: str, now: datetime, before: str, why: str = "",
    values: Mapping[str, str] | None = None,
) -> None:  # fmt: skip
    InitiativeStep.objects.create(
        initiative=one, at=now, by=by, action=action, from_state=before, to_state=one.state, why=why,
        values=dict(values or {}),
    )  # fmt: skip
