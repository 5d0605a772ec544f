"""What machines ask about this installation: does it live, is it ready, and how does it do."""

import hmac

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from prometheus_client import CONTENT_TYPE_LATEST

from apps.monitoring.metrics import exposition
from apps.monitoring.readiness import newest_checks


@require_safe
@never_cache
def healthz(_request: HttpRequest) -> HttpResponse:
    """This process answers. Nothing else is asked: a database that is down is no reason to start it again."""
    return HttpResponse("ok\n", content_type="text/plain")


@require_safe
@never_cache
def readyz(_request: HttpRequest) -> JsonResponse:
    """200 where pages can be answered, 503 where not, with what was looked at in the last seconds."""
    found = newest_checks()
    is_ready = all(check.is_ok for check in found if check.is_needed)
    is_degraded = any(not check.is_ok for check in found)
    told = {check.name: {"ok": check.is_ok, "needed": check.is_needed, "message": check.said} for check in found}
    answer = {"ready": is_ready, "degraded": is_degraded, "checks": told}
    return JsonResponse(answer, status=200 if is_ready else 503)


@require_safe
@never_cache
def metrics(request: HttpRequest) -> HttpResponse:
    """For whoever bears the token of `COSTOPS_METRICS_TOKEN`; without one there is no such page."""
    token = settings.COSTOPS_METRICS_TOKEN
    if not token:
        return HttpResponse(status=404)
    if not hmac.compare_digest(request.headers.get("Authorization", "").encode(), f"Bearer {token}".encode()):
        return HttpResponse(status=401, headers={"WWW-Authenticate": "Bearer"})
    return HttpResponse(exposition(), content_type=CONTENT_TYPE_LATEST)
