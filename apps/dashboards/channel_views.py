"""The pages of channels: mine and my teams', the form of one, and what was delivered."""

from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language

from apps.channels import delivering, managing, selectors
from apps.channels.models import Channel
from apps.channels.selectors import NoSuchChannel
from apps.dashboards import channeling
from apps.dashboards.alert_views import Told
from apps.dashboards.faults import said
from apps.finops.errors import CostOpsError
from apps.teams.models import Team
from apps.warehouse.sealed import SecretUnreadable


class Channels(Told):
    """The channels of the reader and of their teams."""

    template_name = "dashboards/channels.html"

    def get_context_data(self, **said: Any) -> dict[str, Any]:
        context = super().get_context_data(**said)
        return {"page": channeling.channels(self.request.user), **context}


class ChannelForm(Told):
    """The form of a channel that is made."""

    template_name = "dashboards/channel.html"

    def back(self) -> str:
        return reverse("channels")  # where a kind is chosen

    def get_context_data(self, **said: Any) -> dict[str, Any]:
        context = super().get_context_data(**said)
        channel = said.get("channel")
        kind = channel.kind if channel else self.request.GET.get("kind", "")
        team = channel.team.name if channel and channel.team else self.request.GET.get("team", "")
        if channel is None and team:
            self.team(team)
        given = self.request.POST.dict() if self.request.method == "POST" and "refused" in said else {}
        page = channeling.form(channel, kind, team, given, self.request.POST.getlist("kinds"), get_language() or "")
        return {"page": page, **context}

    def labels(self, **names: Any) -> dict[str, str]:
        return channeling.labels(self.request.GET.get("kind", ""))

    def team(self, name: str) -> Team:
        for team in selectors.owned_teams(self.request.user):
            if team.name == name:
                return team
        raise Http404

    def post(self, request: HttpRequest) -> HttpResponseBase:
        name = request.GET.get("team", "")
        owner: Any = self.team(name) if name else request.user
        try:
            wishes = managing.read_wishes(request.POST.dict(), tuple(request.POST.getlist("kinds")))
            kind = request.GET.get("kind", "")
            managing.add(owner, kind, request.POST.dict(), wishes, by=self.actor, now=timezone.now())
        except CostOpsError as refused:
            return self.refuse(refused)
        return redirect(reverse("channels"))


class OneChannel(ChannelForm):
    """One channel: change, try, remove."""

    def found(self, number: int) -> Channel:
        try:
            return selectors.find(number, self.request.user)
        except NoSuchChannel as unknown:
            raise Http404 from unknown

    def labels(self, **names: Any) -> dict[str, str]:
        return channeling.labels(self.found(names["number"]).kind)

    def get_context_data(self, **said: Any) -> dict[str, Any]:
        return super().get_context_data(**{"channel": self.found(said["number"])} | said)

    def post(self, request: HttpRequest, number: int) -> HttpResponseBase:  # type: ignore[override]  # its address names a channel
        channel, action = self.found(number), request.POST.get("action", "")
        try:
            if action == "test":
                message = managing.test(channel, by=self.actor, clock=timezone.now)
                told = {"tried": message, "untold": said(message.error)}
                return self.render_to_response(self.get_context_data(number=number, **told))
            if action == "remove":
                managing.remove(channel, by=self.actor)
            else:
                wishes = managing.read_wishes(request.POST.dict(), tuple(request.POST.getlist("kinds")))
                managing.change(channel, request.POST.dict(), wishes, by=self.actor)
        except (CostOpsError, SecretUnreadable) as refused:
            return self.refuse(refused, number=number)
        return redirect(reverse("channels"))


class Deliveries(Told):
    """What was sent, and was not; a POST tries one again."""

    template_name = "dashboards/deliveries.html"

    def get_context_data(self, **said: Any) -> dict[str, Any]:
        context = super().get_context_data(**said)
        number = self.request.GET.get("channel", "")
        channel = self._channel(number) if number else None
        page = channeling.deliveries(self.request.user, state=self.request.GET.get("state", ""), channel=channel)
        return {"page": page, **context}

    def _channel(self, number: str) -> Channel:
        try:
            return selectors.find(int(number), self.request.user)
        except (NoSuchChannel, ValueError) as unknown:
            raise Http404 from unknown

    def post(self, request: HttpRequest) -> HttpResponseBase:
        number = request.POST.get("message", "")
        try:
            message = selectors.delivery(int(number), request.user)
        except (NoSuchChannel, ValueError) as unknown:
            raise Http404 from unknown
        if not managing.owns(self.actor, message.channel):
            raise PermissionDenied
        delivering.retry(message, timezone.now())
        return redirect(request.get_full_path())
