"""Planning: every planner's plans of the newest publication, kept; and the settings people choose for them."""

import hashlib
import logging
import time
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from celery.exceptions import SoftTimeLimitExceeded
from django.db import transaction

from apps.finops.errors import CostOpsError
from apps.finops.findings import Sentence
from apps.finops.problems import Problem
from apps.finops.steps import StepResult
from apps.marts.models import Publication
from apps.marts.selectors import publication
from apps.planning.drafts import Case, Planner, checked
from apps.planning.models import ChosenSettings, Fault, Plan
from apps.planning.packing import packed, sentence
from apps.planning.registry import PLANNERS, planner_of
from apps.planning.selectors import NoPlan, chosen_settings, newest
from apps.teams.approval import Actor, NotYours
from apps.warehouse import fencing

logger = logging.getLogger(__name__)
KEPT_PUBLICATIONS = 10
"""A planner's plans of so many publications stay readable; only the newest keep the numbers that sliders plan from."""
NOTHING = "The newest publication has nothing that could be planned here."


def identity() -> str:
    """What plans depend on besides the publication."""
    newest = ChosenSettings.objects.order_by("-pk").values_list("pk", flat=True).first()
    return f"{[(one.name, one.version, one.identity()) for one in PLANNERS]} {newest}"


def plan(*, now: datetime, planners: Iterable[Planner] | None = None) -> StepResult:
    """Make every planner's plans of the newest publication; one made of the same numbers is taken over.

    Where a planner finds nothing that is said instead of its plans: the last it made are of what is no more.
    A planner that fails, whatever at, is a problem of its own: its earlier plans stay, and the others plan.
    """
    pinned = publication()
    problems: list[Problem] = []
    rows = 0
    for planner in PLANNERS if planners is None else planners:
        try:
            cases = list(planner.read(pinned, now)) or [Case("", withheld=Sentence(NOTHING))]
            found = [_made(planner, case, pinned, now) for case in cases]
        except CostOpsError as wrong:
            problems.append(_failed(planner, pinned, str(wrong), now))
        except SoftTimeLimitExceeded:  # the time of the whole task is up, for no fault of this planner
            raise
        except Exception as fault:  # a fault of one planner stops no other: its plan stays, and its page says so
            logger.exception("%s: the planner failed on publication %d", planner.name, pinned.number)
            problems.append(_failed(planner, pinned, "", now, fault=type(fault).__name__))
        else:
            _keep(planner, pinned, found)
            rows += len(found)
    return StepResult(rows=rows, problems=tuple(problems), versions={"publication": pinned.number})


def choose(planner: str, subject: str, given: Mapping[str, Any], *, by: Actor, now: datetime) -> ChosenSettings:
    """Plan a subject by other settings from now on; the next fill makes the plan. Finance chooses."""
    if by.teams is not None:
        raise NotYours("Finance chooses what plans are made by; nothing was changed.")
    settings = planner_of(planner).settled(given)
    if not any(one.subject == subject for one in newest(planner)):
        raise NoPlan(f"{planner} plans nothing named {subject[:60]!r}.")
    return ChosenSettings.objects.create(planner=planner, subject=subject, settings=settings, by=by.name, at=now)


def _made(planner: Planner, case: Case, pinned: Publication, now: datetime) -> Plan:
    settings = planner.settled(chosen_settings(planner, case.subject))
    told = repr((planner.version, sorted(settings.items()), case.withheld)).encode()
    inputs = hashlib.sha256(told + case.data).hexdigest()
    row = Plan(
        publication=pinned.number, planner=planner.name, subject=case.subject, version=planner.version, inputs=inputs,
        data=case.data, made_at=now, withheld=sentence(case.withheld) if case.withheld else None,
    )  # fmt: skip
    if case.withheld:
        return row
    before = Plan.objects.filter(planner=planner.name, subject=case.subject, inputs=inputs).order_by("-pk").first()
    if before is not None:
        row.draft, row.seconds, row.made_at = before.draft, before.seconds, before.made_at
        return row
    began = time.monotonic()
    row.draft = packed(checked(planner.make(case.data, settings)))
    row.seconds = time.monotonic() - began
    return row


@transaction.atomic
def _keep(planner: Planner, pinned: Publication, found: list[Plan]) -> None:
    fencing.check()
    mine = Plan.objects.filter(planner=planner.name)
    mine.filter(publication=pinned.number).delete()
    mine.exclude(data=b"").update(data=b"")
    Plan.objects.bulk_create(found)
    numbers = mine.order_by("-publication").values_list("publication", flat=True).distinct()
    mine.exclude(publication__in=list(numbers[:KEPT_PUBLICATIONS])).delete()
    Fault.objects.filter(planner=planner.name).delete()


@transaction.atomic
def _failed(planner: Planner, pinned: Publication, message: str, now: datetime, *, fault: str = "") -> Problem:
    """Keep that a planner failed, for its page; as a problem of the step."""
    fencing.check()
    told = {"publication": pinned.number, "at": now, "message": message}
    Fault.objects.update_or_create(planner=planner.name, defaults=told)
    why = message or f"The planner failed ({fault}); the log says where."
    return Problem("warning", "no_plan", planner.name, f"{why} Earlier plans stay.")
