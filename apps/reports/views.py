"""The weekly report as a page: what the lead's mail says, or will say."""

from datetime import date
from zoneinfo import ZoneInfo

from django.conf import settings
from django.contrib.auth.mixins import LoginRequiredMixin
from django.core.exceptions import BadRequest
from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.views import View
from django.views.decorators.cache import never_cache

from apps.finops.errors import CostOpsError
from apps.marts.query import Scope
from apps.marts.selectors import NothingPublished
from apps.reports.letters import write_letter
from apps.reports.selectors import weekly_report
from apps.reports.weeks import Week
from apps.teams.models import Team
from apps.teams.selectors import visible_teams


@method_decorator(never_cache, name="dispatch")
class WeeklyPreview(LoginRequiredMixin, View):
    """One team's report of one week; the last full one by default."""

    http_method_names = ["get", "head", "options"]

    def get(self, request: HttpRequest, team: str) -> HttpResponse:
        found = Team.objects.filter(name=team).first()
        if found is None or not Scope(visible_teams(request.user)).allows(team):
            raise Http404
        try:
            asked = request.GET.get("week")
            week = Week.parse(asked) if asked else Week.last_full(_today())
            return HttpResponse(write_letter(weekly_report(found, week, _currency(request)), inline=True).html)
        except NothingPublished as nothing:
            raise Http404(str(nothing)) from nothing
        except CostOpsError as refused:
            raise BadRequest(str(refused)) from refused


def _currency(request: HttpRequest) -> str:
    """The currency a preview is asked in, else that of the mails."""
    return request.GET.get("currency", "") or str(settings.COSTOPS_REPORT_CURRENCY)


def _today() -> date:
    return timezone.localdate(timezone=ZoneInfo(settings.COSTOPS_TIME_ZONE))
