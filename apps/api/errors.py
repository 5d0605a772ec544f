"""Failures as JSON, shaped once: `{"error": {"code", "message", "parameter"}}`."""

import logging
from typing import Any

from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.db import DataError
from django.http import Http404
from rest_framework import exceptions, status
from rest_framework.response import Response

from apps.alerts.people import NotOpen
from apps.alerts.selectors import NoSuchAlert
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
from apps.savings.selectors import NoSuchInitiative
from apps.teams.approval import NotYours
from apps.teams.proposals import NoSuchDraft, NotNow

logger = logging.getLogger(__name__)


class BadParameterError(exceptions.APIException):
    """A parameter of the address is unknown, repeated, or not what it may be."""

    status_code = status.HTTP_400_BAD_REQUEST
    default_code = "bad_parameter"

    def __init__(self, parameter: str, message: str) -> None:
        super().__init__(message)
        self.parameter = parameter


COSTOPS_ERRORS: tuple[tuple[type[CostOpsError], int, str], ...] = (
    (NothingPublished, status.HTTP_404_NOT_FOUND, "nothing_published"),
    (NoForecast, status.HTTP_404_NOT_FOUND, "no_forecast"),
    (NoAnomaly, status.HTTP_404_NOT_FOUND, "no_anomaly"),
    (NothingFound, status.HTTP_404_NOT_FOUND, "nothing_found"),
    (NoSuchExclusion, status.HTTP_404_NOT_FOUND, "no_such_exclusion"),
    (MissingRate, status.HTTP_400_BAD_REQUEST, "missing_rate"),
    (NotClosed, status.HTTP_404_NOT_FOUND, "not_closed"),
    (CannotClose, status.HTTP_409_CONFLICT, "cannot_close"),
    (NotAllowed, status.HTTP_403_FORBIDDEN, "not_allowed"),
    (NoSuchDispute, status.HTTP_404_NOT_FOUND, "no_such_dispute"),
    (CannotDispute, status.HTTP_409_CONFLICT, "cannot_dispute"),
    (CannotBook, status.HTTP_409_CONFLICT, "cannot_book"),
    (NoSuchDraft, status.HTTP_404_NOT_FOUND, "no_such_draft"),
    (NotOnTheList, status.HTTP_404_NOT_FOUND, "not_on_the_list"),
    (NoSuchRecommendation, status.HTTP_404_NOT_FOUND, "no_such_recommendation"),
    (NoSuchInitiative, status.HTTP_404_NOT_FOUND, "no_such_initiative"),
    (NoSuchAlert, status.HTTP_404_NOT_FOUND, "no_such_alert"),
    (NotOpen, status.HTTP_409_CONFLICT, "not_open"),
    (NoSuchChannel, status.HTTP_404_NOT_FOUND, "no_such_channel"),
    (NotPossible, status.HTTP_409_CONFLICT, "not_possible"),
    (NoSuchBudget, status.HTTP_404_NOT_FOUND, "no_such_budget"),
    (NoPlan, status.HTTP_404_NOT_FOUND, "no_plan"),
    (NoSuchPlanner, status.HTTP_404_NOT_FOUND, "no_such_planner"),
    (NoSuchFile, status.HTTP_404_NOT_FOUND, "no_such_file"),
    (BadSettings, status.HTTP_400_BAD_REQUEST, "bad_settings"),
    (NoSuchView, status.HTTP_404_NOT_FOUND, "no_such_view"),
    (NoSuchAnnotation, status.HTTP_404_NOT_FOUND, "no_such_annotation"),
    (CannotBeAsked, status.HTTP_400_BAD_REQUEST, "bad_question"),
    (NotYours, status.HTTP_403_FORBIDDEN, "not_yours"),
    (NotNow, status.HTTP_409_CONFLICT, "not_now"),
    (BadQuestion, status.HTTP_400_BAD_REQUEST, "bad_question"),
    (CostOpsError, status.HTTP_400_BAD_REQUEST, "refused"),
)
"""The first class that fits decides: error → status, code."""

MALFORMED = (SuspiciousOperation, UnicodeError, OverflowError, RecursionError, DataError)
"""What hostile input makes the layers below us raise."""


def shape_error(error: Exception, _context: dict[str, Any]) -> Response | None:
    """The answer to a failed request; None for what nobody foresaw, which is logged and becomes a plain 500."""
    if isinstance(error, CostOpsError):
        return _costops_error(error)
    if isinstance(error, MALFORMED):
        logger.warning("malformed request: %s", type(error).__name__)
        return _response(400, "malformed", "The request cannot be read.")
    if isinstance(error, Http404):
        error = exceptions.NotFound()
    elif isinstance(error, PermissionDenied):
        error = exceptions.PermissionDenied()
    if not isinstance(error, exceptions.APIException):
        return None
    return _api_error(error)


def _costops_error(error: CostOpsError) -> Response:
    http_status, code = next((status, code) for kind, status, code in COSTOPS_ERRORS if isinstance(error, kind))
    parameter, colon, _ = str(error).partition(":")
    return _response(http_status, code, str(error), parameter if colon and parameter.isidentifier() else None)


def _api_error(error: exceptions.APIException) -> Response:
    headers = {}
    if challenge := getattr(error, "auth_header", None):
        headers["WWW-Authenticate"] = challenge
    if wait := getattr(error, "wait", None):
        headers["Retry-After"] = str(int(wait))
    codes = error.get_codes()
    code = codes if isinstance(codes, str) else str(error.default_code)
    return _response(error.status_code, code, str(error.detail), getattr(error, "parameter", None), headers)


def _response(
    http_status: int, code: str, message: str, parameter: str | None = None, headers: dict[str, str] | None = None
) -> Response:
    body = {"error": {"code": code, "message": message, "parameter": parameter}}
    return Response(body, status=http_status, headers=headers or {})
