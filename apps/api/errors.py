"""Failures as `application/problem+json` (RFC 9457), shaped once for the whole API."""

import logging
import re
from typing import Any

from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.db import DataError
from django.http import Http404
from rest_framework import exceptions, status
from rest_framework.response import Response

from apps.alerts.people import NotOpen
from apps.alerts.selectors import NoSuchAlert
from apps.api.problems import PROBLEMS
from apps.api.renderers import ProblemRenderer
from apps.books.disputes import CannotDispute, NoSuchDispute
from apps.books.entries import CannotBook
from apps.books.people import NotAllowed
from apps.books.selectors import NotClosed
from apps.books.services import CannotClose
from apps.budgets.selectors import NoSuchBudget
from apps.channels.selectors import NoSuchChannel
from apps.explorer.question import CannotBeAsked
from apps.explorer.selectors import NoSuchAnnotation, NoSuchView
from apps.finops.errors import CostOpsError
from apps.insights.anomalies.selectors import NoAnomaly
from apps.insights.idle.deciding import NoSuchExclusion
from apps.insights.idle.selectors import NothingFound
from apps.insights.selectors import NoForecast
from apps.insights.worklist import NotOnTheList
from apps.marts.query import BadQuestion
from apps.marts.selectors import NothingPublished
from apps.operations.deciding import NotPossible
from apps.operations.selectors import NoSuchRecommendation
from apps.planning.drafts import BadSettings
from apps.planning.exporting import NoSuchFile
from apps.planning.registry import NoSuchPlanner
from apps.planning.selectors import NoPlan
from apps.rates.selectors import MissingRate
from apps.reports.archive import NoSuchLetter
from apps.reports.recipients import NotForYou
from apps.savings.selectors import NoSuchInitiative
from apps.teams.approval import NotYours
from apps.teams.granting import NoSuchGrant
from apps.teams.keepers import LastKeeper
from apps.teams.proposals import NoSuchDraft, NotNow
from apps.warehouse.database import is_away

logger = logging.getLogger(__name__)
MAX_INSTANCE = 2_000
DATABASE_SECONDS = 5
"""So soon one may come again who found the database away."""


class BadParameterError(exceptions.APIException):
    """A parameter of the address is unknown, repeated, or not what it may be; `mistakes` are all there are."""

    status_code = status.HTTP_400_BAD_REQUEST
    default_code = "bad_parameter"

    def __init__(self, parameter: str, message: str, *more: tuple[str, str]) -> None:
        super().__init__(message)
        self.parameter = parameter
        self.mistakes = ((parameter, message), *more)


COSTOPS_ERRORS: tuple[tuple[type[CostOpsError], str], ...] = (
    (NothingPublished, "nothing_published"),
    (NoForecast, "no_forecast"),
    (NoAnomaly, "no_anomaly"),
    (NothingFound, "nothing_found"),
    (NoSuchExclusion, "no_such_exclusion"),
    (MissingRate, "missing_rate"),
    (NotClosed, "not_closed"),
    (CannotClose, "cannot_close"),
    (NotAllowed, "not_allowed"),
    (NotForYou, "not_allowed"),
    (NoSuchDispute, "no_such_dispute"),
    (CannotDispute, "cannot_dispute"),
    (CannotBook, "cannot_book"),
    (NoSuchDraft, "no_such_draft"),
    (NoSuchGrant, "no_such_grant"),
    (LastKeeper, "last_keeper"),
    (NotOnTheList, "not_on_the_list"),
    (NoSuchRecommendation, "no_such_recommendation"),
    (NoSuchInitiative, "no_such_initiative"),
    (NoSuchAlert, "no_such_alert"),
    (NotOpen, "not_open"),
    (NoSuchChannel, "no_such_channel"),
    (NotPossible, "not_possible"),
    (NoSuchBudget, "no_such_budget"),
    (NoPlan, "no_plan"),
    (NoSuchPlanner, "no_such_planner"),
    (NoSuchFile, "no_such_file"),
    (BadSettings, "bad_settings"),
    (NoSuchView, "no_such_view"),
    (NoSuchAnnotation, "no_such_annotation"),
    (CannotBeAsked, "bad_question"),
    (NotYours, "not_yours"),
    (NotNow, "not_now"),
    (BadQuestion, "bad_question"),
    (NoSuchLetter, "no_such_letter"),
    (CostOpsError, "refused"),
)
"""The first class that fits decides the code."""

MALFORMED = (SuspiciousOperation, UnicodeError, OverflowError, RecursionError, DataError)
"""What hostile input makes the layers below us raise."""


def shape_error(error: Exception, context: dict[str, Any]) -> Response | None:
    """The answer to a failed request; None for what nobody foresaw, which is logged and becomes a plain 500."""
    shaped = _known(error)
    if shaped is None:
        return None
    code, detail, more, headers = shaped
    request = context.get("request")
    if request is not None:  # whatever form was asked for: a failure has its own
        request.accepted_renderer = ProblemRenderer()
        request.accepted_media_type = ProblemRenderer.media_type
    body = problem(code, detail, request.get_full_path() if request is not None else "", **more)
    return Response(body, status=body["status"], headers=headers)


def problem(code: str, detail: str, instance: str, **more: Any) -> dict[str, Any]:
    """A failure as RFC 9457 writes it; `parameter` names the one to mend, if it is one."""
    return PROBLEMS[code].told(detail, instance[:MAX_INSTANCE], **more)


_NAMED = re.compile(r"(tag:.+?|[^\W\d]\w*(?:\[.+?\])?):(?:\s|$)")
"""How a sentence begins that names the parameter to mend: as an address gives it, tags and brackets too."""
_Shaped = tuple[str, str, dict[str, Any], dict[str, str]]


def _known(error: Exception) -> _Shaped | None:
    """Code, detail, what else there is to say, and headers."""
    if isinstance(error, CostOpsError):
        named = _NAMED.match(str(error))
        code = next(code for kind, code in COSTOPS_ERRORS if isinstance(error, kind))
        return code, str(error), {"parameter": named[1] if named else None}, {}
    if is_away(error):
        logger.error("the database or the cache is away: %s", error)
        return "unavailable", PROBLEMS["unavailable"].cause, {}, {"Retry-After": str(DATABASE_SECONDS)}
    if isinstance(error, MALFORMED):
        logger.warning("malformed request: %s", type(error).__name__)
        return "malformed", "The request cannot be read.", {}, {}
    if isinstance(error, Http404):
        error = exceptions.NotFound()
    elif isinstance(error, PermissionDenied):
        error = exceptions.PermissionDenied()
    return _api_error(error) if isinstance(error, exceptions.APIException) else None


def _api_error(error: exceptions.APIException) -> _Shaped:
    headers = {}
    if challenge := getattr(error, "auth_header", None):
        headers["WWW-Authenticate"] = challenge
    if wait := getattr(error, "wait", None):
        headers["Retry-After"] = str(int(wait))
    codes = error.get_codes()
    code = codes if isinstance(codes, str) else str(error.default_code)
    more = {name: getattr(error, name) for name in ("parameter", "scope") if hasattr(error, name)}
    mistakes = getattr(error, "mistakes", ())
    if len(mistakes) > 1:
        more["errors"] = [{"parameter": name, "detail": said} for name, said in mistakes]
    return code, str(error.detail), more, headers
