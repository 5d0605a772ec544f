"""The page of the business calendar: a year at a glance, and bringing or undoing terms and promotions."""

from typing import Any
from urllib.parse import urlencode

from django.http import Http404, HttpRequest, HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone

from apps.calendars import services
from apps.calendars.reading import MOST_BYTES
from apps.calendars.selectors import NoSuchImport, today
from apps.dashboards import calendars
from apps.dashboards.budget_views import Setting, brought
from apps.finops.errors import CostOpsError


class Calendar(Setting):
    """What days are: worked, off, in a term, of a promotion."""

    template_name = "dashboards/calendar.html"

    def get_context_data(self, **said: Any) -> dict[str, Any]:
        told = self.told(**said)
        given = self.request.GET.dict()
        page = calendars.page(given, self.actor, today(timezone.now()))
        return {**told, "page": page, "brought": calendars.brought(given.get("brought", ""))}

    def post(self, request: HttpRequest) -> HttpResponseBase:
        """Take a file, or undo one."""
        now, number = timezone.now(), request.POST.get("withdraw", "")
        told = {name: request.GET[name] for name in ("year",) if name in request.GET}
        try:
            if number:
                is_number = number.isascii() and number.isdigit() and len(number) < 16
                services.withdraw(int(number) if is_number else 0, by=self.actor, now=now)
            else:
                content, name = brought(request, self.actor, MOST_BYTES)
                kept = services.bring(content, name, by=self.actor, now=now, kind=request.POST.get("kind", ""))
                told["brought"] = f"{kept.number if kept else 0}"
        except NoSuchImport as unknown:
            raise Http404 from unknown
        except CostOpsError as refused:
            return self.refused(refused)
        return redirect(f"{reverse('calendar')}{'?' if told else ''}{urlencode(told)}")
