"""The pages of the archive: its letters, one of them, and its parts as they were sent."""

from typing import Any

from csp.decorators import csp_replace, csp_update
from django.contrib.auth.mixins import LoginRequiredMixin
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.views import View
from django.views.decorators.cache import never_cache
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.generic import TemplateView

from apps.finops.errors import CostOpsError
from apps.reports import archive, listing, styled
from apps.reports.archive import NoSuchLetter
from apps.reports.models import Delivery
from apps.reports.recipients import NotForYou, readable
from apps.reports.services import may_resend, resend, send_test
from apps.reports.views import asked_week
from apps.teams.approval import actor_of


@method_decorator(never_cache, name="dispatch")
class Archive(LoginRequiredMixin, TemplateView):
    """Every letter one may read; a POST mails a test to the one who asks."""

    template_name = "reports/archive.html"

    def get_context_data(self, **said: Any) -> dict[str, Any]:
        return {"page": listing.page(self.request.user, self.request.GET.dict()), **said}

    def post(self, request: HttpRequest) -> HttpResponseBase:
        chosen, user = request.POST.get("target", ""), request.user
        target = next((one for one in readable(user) if listing.spelled(one) == chosen), None)
        if target is None or not isinstance(user, User):
            raise Http404
        try:
            send_test(user, target, asked_week(request.POST.get("week")), now=timezone.now())
        except CostOpsError as refused:
            return self.render_to_response(self.get_context_data(refused=str(refused)), status=409)
        told = _("A test was sent to %(address)s.") % {"address": user.email}
        return self.render_to_response(self.get_context_data(done=told))


class Letter(LoginRequiredMixin, View):
    """One letter, for those who may read the report; to others there is none."""

    def found(self) -> Delivery:
        try:
            return archive.letter(self.kwargs["number"], self.request.user)
        except NoSuchLetter as unknown:
            raise Http404 from unknown


@method_decorator([never_cache, csp_update({"frame-src": ["'self'"]})], name="dispatch")
class OneLetter(Letter, TemplateView):
    """The permalink of a letter; a POST sends it again to whom it was for."""

    template_name = "reports/letter_page.html"

    def get_context_data(self, **said: Any) -> dict[str, Any]:
        found = self.found()
        return {
            "page": listing.letter(found),
            "may_resend": may_resend(actor_of(self.request.user), found),
            **said,
        }

    def post(self, request: HttpRequest, number: int) -> HttpResponseBase:
        found = self.found()
        try:
            resend(found, actor=actor_of(request.user), now=timezone.now())
        except NotForYou as refused:
            raise PermissionDenied from refused
        except CostOpsError as refused:
            return self.render_to_response(self.get_context_data(refused=str(refused)), status=409)
        return redirect("report-letter", number=number)


@method_decorator(
    [never_cache, xframe_options_sameorigin, csp_replace({"frame-ancestors": ["'self'"]})],
    name="dispatch",
)
class LetterPage(Letter):
    """The HTML of a letter, to be shown within its page."""

    def get(self, request: HttpRequest, number: int) -> HttpResponse:
        return styled.page(archive.page(self.found(), request.user))


@method_decorator(never_cache, name="dispatch")
class LetterPart(Letter):
    """A part of a letter, byte by byte as it was sent."""

    def get(self, request: HttpRequest, number: int, name: str) -> HttpResponse:
        try:
            found = archive.part(self.found(), name)
        except NoSuchLetter as unknown:
            raise Http404 from unknown
        return handed_out(archive.shown(found, request.user), found.content_type, found.name)


def handed_out(data: bytes, content_type: str, name: str) -> HttpResponse:
    """A file to save: never shown as a page of ours."""
    told = f"{content_type}; charset=utf-8" if content_type.startswith("text/") else content_type
    response = HttpResponse(data, content_type=told)
    how = "inline" if content_type.startswith("image/") else "attachment"
    response.headers["Content-Disposition"] = f'{how}; filename="{name}"'
    return response
