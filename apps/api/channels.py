"""Channels and deliveries over the API: what there is, what was sent, and sending again. Secrets are never told."""

from typing import Any

from django.http import HttpResponse
from django.utils import timezone
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.api import parameters, schema
from apps.api.asking import AskView
from apps.api.errors import BadParameterError
from apps.api.paging import Rows
from apps.api.parameters import FORMAT, Parameter
from apps.channels import delivering, kinds, managing, selectors
from apps.channels.models import Channel, Message
from apps.channels.selectors import STATES
from apps.finops.notices import SEVERITIES
from apps.teams.approval import actor_of
from apps.teams.roles import Can
from apps.warehouse.sentences import told_of

NUMBER = Parameter("number", parameters.whole_number(1, 10**12), "The number of the channel or delivery.", place="path")
LOG = (
    Parameter("state", parameters.one_of(*STATES), "Only in this state.", choices=STATES),
    Parameter("channel", parameters.whole_number(1, 10**12), "Only by this channel."),
    FORMAT,
)


FIELDS = {field.name: field for kind in kinds.KINDS for field in kind.fields}
SECRET = {field.name for kind in kinds.KINDS for field in kind.fields if field.is_secret}
WISHES = (
    Parameter("name", parameters.text, "What it is called; its kind by default."),
    Parameter("least", parameters.one_of(*SEVERITIES), "Only what is this grave, or graver.", choices=SEVERITIES),
    Parameter("kinds", parameters.values, "Only notices of these kinds; all by default.", is_list=True),
    Parameter("quiet_from", parameters.text, "From this hour on only what is urgent, such as 22:00."),
    Parameter("quiet_until", parameters.text, "Until this hour, such as 07:00."),
    Parameter("time_zone", parameters.text, "The time zone of those hours."),
    Parameter("group_minutes", parameters.whole_number(0, managing.MOST_MINUTES), "What comes within is one message."),
    Parameter("language", parameters.text, "The language it is told in."),
    Parameter("is_on", parameters.one_of("true", "false"), "`true` by default.", choices=("true", "false")),
    *(
        Parameter(
            name, parameters.text, f"{field.title}. {'Secret: in the body only.' if name in SECRET else ''}".strip()
        )
        for name, field in FIELDS.items()
    ),
    FORMAT,
)
MAKING = (
    Parameter("kind", parameters.one_of(*kinds.NAMES), "What it reaches by.", choices=kinds.NAMES),
    Parameter("team", parameters.text, "The team it reaches; you by default."),
    *WISHES,
)


class ChannelSchema(serializers.Serializer[Any]):
    """A way to reach a user or a team; its secrets are never told."""

    number = serializers.IntegerField()
    kind = serializers.ChoiceField(kinds.NAMES)
    name = serializers.CharField()
    user = serializers.CharField(allow_blank=True)
    team = serializers.CharField(allow_blank=True)
    least = serializers.ChoiceField(SEVERITIES)
    kinds = serializers.ListField(child=serializers.CharField(), help_text="of notices; all when empty")
    quiet_from = serializers.TimeField(allow_null=True)
    quiet_until = serializers.TimeField(allow_null=True)
    time_zone = serializers.CharField(allow_blank=True)
    group_minutes = serializers.IntegerField()
    language = serializers.CharField(allow_blank=True)
    is_on = serializers.BooleanField()


class ChannelsSchema(serializers.Serializer[Any]):
    """The channels of the caller and of the caller's teams."""

    rows = ChannelSchema(many=True)


class DeliverySchema(serializers.Serializer[Any]):
    """A message: one notice, or several that came together; `reference` is what the other side calls it."""

    number = serializers.IntegerField()
    message_id = serializers.CharField()
    channel = serializers.IntegerField()
    state = serializers.ChoiceField(STATES)
    attempts = serializers.IntegerField()
    created_at = serializers.DateTimeField()
    not_before = serializers.DateTimeField()
    sent_at = serializers.DateTimeField(allow_null=True)
    reference = serializers.CharField(allow_blank=True)
    error = serializers.CharField(allow_blank=True)
    titles = serializers.ListField(child=serializers.CharField())


class DeliveriesSchema(serializers.Serializer[Any]):
    """What was sent and what was not, the newest first."""

    rows = DeliverySchema(many=True)


class ChannelsView(AskView):
    """The channels of the caller and of the caller's teams."""

    made_under = "api-channel"
    written_by = frozenset({Can.SEE_COST})
    columns = tuple(name for name in schema.columns_of(ChannelSchema) if name != "kinds")
    identity = ("number",)
    file_name = "channels"

    @schema.asking("channels", (FORMAT,), ChannelsSchema)
    def get(self, request: Request) -> HttpResponse:
        self.asked(request)
        return Response({"rows": [_channel(one) for one in selectors.channels(request.user)]})

    @schema.writing("make_channel", MAKING, ChannelSchema)
    def post(self, request: Request) -> HttpResponse:
        given = _told(self.given(request, MAKING), request)
        team = given.get("team", "")
        owner = next((one for one in selectors.owned_teams(request.user) if one.name == team), None)
        if team and owner is None:
            raise BadParameterError("team", f"team: {team[:60]!r} is no team of yours")
        wishes = managing.read_wishes({"is_on": "true", **given}, given.pop("kinds", ()))
        kind = parameters.needed(given, "kind")
        now = timezone.now()  # noqa: TID251  # a request is an entry point
        whose: Any = owner or request.user
        return Response(_channel(managing.add(whose, kind, given, wishes, by=actor_of(request.user), now=now)), 201)


class ChannelView(AskView):
    """One channel; a POST changes it as a whole, secrets stay unless it goes to another place; a DELETE removes it."""

    written_by = frozenset({Can.SEE_COST})
    columns = ChannelsView.columns
    file_name = "channel"

    @schema.asking("channel", (NUMBER, FORMAT), ChannelSchema)
    def get(self, request: Request, number: int) -> HttpResponse:
        self.asked(request)
        return Response(_channel(selectors.find(number, request.user)))

    @schema.writing("change_channel", (NUMBER, *WISHES), ChannelSchema)
    def post(self, request: Request, number: int) -> HttpResponse:
        given = _told(self.given(request, WISHES), request)
        channel = selectors.find(number, request.user)
        wishes = managing.read_wishes({"is_on": "true", **given}, given.pop("kinds", ()))
        managing.change(channel, given, wishes, by=actor_of(request.user))
        return Response(_channel(channel))

    @schema.writing("remove_channel", (NUMBER, FORMAT), ChannelSchema)
    def delete(self, request: Request, number: int) -> HttpResponse:
        self.given(request, (FORMAT,))
        channel = selectors.find(number, request.user)
        managing.remove(channel, by=actor_of(request.user))
        channel.refresh_from_db()
        return Response(_channel(channel))


class ChannelTestView(AskView):
    """Trying a channel."""

    written_by = frozenset({Can.SEE_COST})
    columns = tuple(name for name in schema.columns_of(DeliverySchema) if name != "titles")

    @schema.writing("test_channel", (NUMBER, FORMAT), DeliverySchema)
    def post(self, request: Request, number: int) -> HttpResponse:
        self.given(request, (FORMAT,))
        channel = selectors.find(number, request.user)
        clock = timezone.now  # noqa: TID251  # a request is an entry point
        return Response(_message(managing.test(channel, by=actor_of(request.user), clock=clock)))


class DeliveriesView(AskView):
    """What was sent, and was not."""

    known = LOG
    columns = ChannelTestView.columns
    file_name = "deliveries"

    @schema.asking("deliveries", LOG, DeliveriesSchema)
    def get(self, request: Request) -> HttpResponse:
        asked = self.asked(request)
        found = selectors.found_deliveries(request.user, state=asked.get("state", ""), channel=asked.get("channel"))
        return Response({"rows": Rows(found, _message)})


class RetryView(AskView):
    """Sending again what was given up."""

    written_by = frozenset({Can.SEE_COST})
    columns = DeliveriesView.columns

    @schema.writing("retry_delivery", (NUMBER, FORMAT), DeliverySchema)
    def post(self, request: Request, number: int) -> HttpResponse:
        self.given(request, (FORMAT,))
        message = selectors.delivery(number, request.user)
        managing.must_own(actor_of(request.user), message.channel)
        delivering.retry(message, timezone.now())  # noqa: TID251  # a request is an entry point
        return Response(_message(selectors.delivery(number, request.user)))


def _told(given: dict[str, Any], request: Request) -> dict[str, Any]:
    """What was given, numbers as text; a secret in an address would stand in every log."""
    if shown := sorted(SECRET & set(request.query_params)):
        raise BadParameterError(shown[0], f"{shown[0]} is secret: send it in a body of JSON, not in the address")
    return {name: value if isinstance(value, tuple) else str(value) for name, value in given.items()}


def _channel(one: Channel) -> dict[str, Any]:
    told = {
        "number": one.pk, "user": one.user.get_username() if one.user else "",
        "team": one.team.name if one.team else "",
    }  # fmt: skip
    return told | {name: getattr(one, name) for name in schema.columns_of(ChannelSchema) if name not in told}


def _message(one: Message) -> dict[str, Any]:
    entries = sorted(one.entries.all(), key=lambda entry: entry.pk)
    told = {"number": one.pk, "channel": one.channel_id, "titles": [told_of(entry.title) for entry in entries]}
    return told | {name: getattr(one, name) for name in schema.columns_of(DeliverySchema) if name not in told}
