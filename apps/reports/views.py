"""The weekly report as a page: what the mail says, or will say."""

from datetime import date
from zoneinfo import ZoneInfo

from django.conf import settings
from django.contrib.auth.mixins import LoginRequiredMixin
from django.core.exceptions import BadRequest
from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone, translation
from django.utils.decorators import method_decorator
from django.views import View
from django.views.decorators.cache import never_cache

from apps.finops.errors import CostOpsError
from apps.marts.selectors import NothingPublished, publication
from apps.reports import styled
from apps.reports.letters import gather, write_letter
from apps.reports.models import Report
from apps.reports.recipients import Target, may_read
from apps.reports.selectors import is_published
from apps.reports.weeks import Week
from apps.teams.models import Team


@method_decorator(never_cache, name="dispatch")
class Preview(LoginRequiredMixin, View):
    """One report of one week, the last full one by default, in the language of the page."""

    http_method_names = ["get", "head", "options"]

    def shown(self, request: HttpRequest, target: Target | None) -> HttpResponse:
        """The report of an address, if it names one that the reader may read."""
        if target is None or not may_read(request.user, target.report, target.name):
            raise Http404
        try:
            week = asked_week(request.GET.get("week"))
            facts = gather(target.report, target.team, week, now=timezone.now())
            language = translation.get_language() or ""
            return styled.page(write_letter(facts, language=language, inline=True, attach=False).html)
        except NothingPublished as nothing:
            raise Http404(str(nothing)) from nothing
        except CostOpsError as refused:
            raise BadRequest(str(refused)) from refused


class WeeklyPreview(Preview):
    """The report of a team."""

    def get(self, request: HttpRequest, team: str) -> HttpResponse:
        found = Team.objects.filter(name=team).first()
        return self.shown(request, Target(Report.LEAD, found) if found else None)


class CompanyPreview(Preview):
    """The report of finance, or of management."""

    def get(self, request: HttpRequest, report: str) -> HttpResponse:
        return self.shown(request, Target(report) if report in (Report.FINANCE, Report.MANAGEMENT) else None)


def asked_week(text: str | None) -> Week:
    """The week somebody asks for, of which something is published; by default the last full one that wholly is."""
    newest = publication()
    if not text:
        last = Week.last_full(today())
        whole = newest.whole_until
        return min(last, Week.last_full(whole), key=lambda one: one.start) if whole else last
    week = Week.parse(text)
    if not is_published(week, whole=False, by=newest):
        raise NothingPublished(f"Nothing of the week {week} is published.")
    return week


def today() -> date:
    return timezone.localdate(timezone=ZoneInfo(settings.COSTOPS_TIME_ZONE))
