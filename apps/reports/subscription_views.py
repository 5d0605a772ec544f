"""The page of what one gets, and the link in a mail that ends it."""

from dataclasses import dataclass
from typing import Any, cast

from django.conf import settings
from django.contrib.auth.mixins import LoginRequiredMixin
from django.contrib.auth.models import User
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.generic import TemplateView

from apps.operations.people import own_teams
from apps.reports import recipients
from apps.reports.listing import ROLES, spelled, title_of
from apps.reports.recipients import NoAddress, NoSuchLink, Subscribed, Target
from apps.teams.selectors import team_titles


@dataclass(frozen=True)
class Offer:
    """A report somebody may get, and whether they do."""

    key: str
    title: str
    role: str
    is_wanted: bool


@method_decorator(never_cache, name="dispatch")
class Subscriptions(LoginRequiredMixin, TemplateView):
    """Which reports one gets, in which language."""

    template_name = "reports/subscriptions.html"

    def get_context_data(self, **said: Any) -> dict[str, Any]:
        user, names = self.reader, team_titles()
        near, far = _near_and_far(user)
        offers = [
            Offer(spelled(one), title_of(one.report, one.name, names), str(ROLES[one.report]), is_wanted)
            for one, is_wanted in near
        ]
        return {
            "offers": offers,
            "others": [(spelled(one), title_of(one.report, one.name, names)) for one in far],
            "address": user.email,
            "language": recipients.language_of(user),
            "languages": settings.LANGUAGES,
            **said,
        }

    @property
    def reader(self) -> User:
        return cast(User, self.request.user)  # whoever is signed in

    def post(self, request: HttpRequest) -> HttpResponseBase:
        user, now = self.reader, timezone.now()
        language = request.POST.get("language", "")
        if language in {"", *dict(settings.LANGUAGES)}:
            recipients.read_in(user, language)
        chosen = {*request.POST.getlist("wanted"), request.POST.get("other", "")}
        near, far = _near_and_far(user)
        try:
            for one, was_wanted in (*near, *((other, False) for other in far)):
                is_wanted = spelled(one) in chosen
                if is_wanted != was_wanted:
                    recipients.wish(user, one, is_wanted=is_wanted, by=user.get_username(), now=now)
        except NoAddress as refused:
            return self.render_to_response(self.get_context_data(refused=str(refused)), status=409)
        return redirect("report-subscriptions")


def _near_and_far(user: User) -> tuple[list[tuple[Target, bool]], list[Target]]:
    """The reports that concern somebody, each with whether they get it; and the others they may read."""
    mine, got = own_teams(user), recipients.got(user)
    near, far = [], []
    for one in recipients.readable(user):
        is_wanted = (one.report, one.name) in got
        if is_wanted or one.team is None or one.name in mine:
            near.append((one, is_wanted))
        else:
            far.append(one)
    return near, far


@method_decorator([never_cache, csrf_exempt], name="dispatch")  # RFC 8058: mail programs post without a session
class Unsubscribe(TemplateView):
    """What a signed link in a mail does: to a GET it only tells; a POST ends the report, or begins it again."""

    template_name = "reports/unsubscribe.html"

    def link(self) -> Subscribed:
        try:
            return recipients.subscribed(self.kwargs["token"])
        except NoSuchLink as forged:
            raise Http404 from forged

    def get_context_data(self, **said: Any) -> dict[str, Any]:
        link = self.link()
        return {
            "address": link.address,
            "title": title_of(link.report, link.team, team_titles()),
            "state": "asked",
            **said,
        }

    def post(self, request: HttpRequest, token: str) -> HttpResponseBase:
        is_wanted = request.POST.get("again") == "yes"
        recipients.follow(self.link(), is_wanted=is_wanted, now=timezone.now())
        return self.render_to_response(self.get_context_data(state="again" if is_wanted else "ended"))
