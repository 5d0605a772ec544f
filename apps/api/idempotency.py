"""Writes that are done once: a request with an `Idempotency-Key` that comes again gets the answer it got before."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import IntegrityError, transaction
from rest_framework.exceptions import APIException
from rest_framework.request import Request
from rest_framework.response import Response

from apps.api.bodies import kind_of
from apps.api.errors import BadParameterError
from apps.api.models import KeptAnswer
from apps.api.questions import digest_of
from apps.api.renderers import JsonRenderer
from apps.finops.errors import CostOpsError
from apps.teams.access import rights_of

HEADER = "Idempotency-Key"
KEPT_FOR = timedelta(hours=24)
GIVEN_UP_AFTER = timedelta(minutes=15)
"""So long a request may take. What it wrote and its answer are committed together: without an answer nothing was."""
WAIT_SECONDS = 2


class KeyInUse(APIException):
    """The same request has not been answered yet."""

    status_code = 409
    default_code = "idempotency_key_in_use"
    default_detail = "A request with this Idempotency-Key is being answered; send it again in a moment."
    wait = WAIT_SECONDS


class KeyReused(APIException):
    """The key belongs to another request."""

    status_code = 422
    default_code = "idempotency_key_reused"
    default_detail = (
        "Another request was sent with this Idempotency-Key, or you might do other things then; make a new key for "
        "every new request."
    )


@dataclass(frozen=True)
class Asked:
    """Who asks, and the identity of what is asked."""

    user_id: int
    fingerprint: str


def asked_of(request: Request) -> Asked:
    """The identity of a request: method, address, parameters and body; and over what who asks may do what by now, for
    an answer that was theirs once may be theirs no more."""
    query = sorted(request.query_params.lists())
    body = request.data if kind_of(request) in {parser.media_type for parser in request.parsers or ()} else None
    return Asked(
        int(request.user.pk or 0), digest_of(request.method, request.path, query, body, rights_of(request.user))
    )


def once(asked: Asked, key: str, answer: Callable[[], Any], *, now: datetime) -> Any:
    """The answer to a request with a key: the kept one, or a new one that is kept for a day.

    What fails changes nothing but the trail that says so, and is not kept: the same request may be sent again when its
    cause is mended.
    """
    kept = _claim(asked, _clean(key), now)
    if kept.status is not None:
        return Response(json.loads(kept.body), kept.status, headers={"Idempotent-Replayed": "true"})
    try:
        with transaction.atomic():
            response = answer()
            body = JsonRenderer().render(response.data).decode()
            mine = KeptAnswer.objects.filter(pk=kept.pk, status=None)
            if not mine.update(status=response.status_code, body=body):
                raise KeyInUse  # it took so long that the same request was begun again
    except BaseException as failed:
        KeptAnswer.objects.filter(pk=kept.pk, status=None).delete()
        if isinstance(failed, CostOpsError) and failed.stays is not None:
            failed.stays()
        raise
    return response


def forget(now: datetime) -> int:
    """Delete what was kept for a day; how many there were."""
    return KeptAnswer.objects.filter(claimed_at__lte=now - KEPT_FOR).delete()[0]


def _claim(asked: Asked, key: str, now: datetime) -> KeptAnswer:
    """The row of a key: a new one, that this request answers, or the one that holds the answer."""
    mine = KeptAnswer.objects.filter(user_id=asked.user_id, key=key)
    mine.filter(claimed_at__lte=now - KEPT_FOR).delete()
    mine.filter(claimed_at__lte=now - GIVEN_UP_AFTER, status=None).delete()
    try:
        with transaction.atomic():
            return KeptAnswer.objects.create(
                user_id=asked.user_id, key=key, fingerprint=asked.fingerprint, claimed_at=now
            )
    except IntegrityError:
        found = mine.first()
    if found is not None and found.fingerprint != asked.fingerprint:
        raise KeyReused
    if found is None or found.status is None:
        raise KeyInUse
    return found


def _clean(key: str) -> str:
    """A key as it is kept: the quotes of a structured header are no part of it."""
    bare = key.strip().removeprefix('"').removesuffix('"')
    if not (bare and len(bare) <= KeptAnswer.MOST_CHARACTERS and bare.isascii() and bare.isprintable()):
        raise BadParameterError(HEADER, f"{HEADER} is 1 to {KeptAnswer.MOST_CHARACTERS} printable ASCII characters")
    return bare
