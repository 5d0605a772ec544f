"""The addresses of rules: what they do, and drafts of others on their way to be published."""

from typing import Any

from django.http import HttpResponse
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from rest_framework import serializers
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from apps.allocation import counting, rehearsal
from apps.api import parameters, schema
from apps.api.asking import AskView
from apps.api.bodies import TEXT, YamlBody
from apps.api.paging import SortedRows
from apps.api.parameters import FORMAT, Parameter
from apps.finops.money import less
from apps.marts.scoping import scope_of
from apps.teams import proposals
from apps.teams.approval import actor_of
from apps.teams.models import RuleDraft
from apps.teams.roles import Can

STATES = tuple(str(state.value) for state in RuleDraft.State)
STATE = Parameter("state", parameters.one_of(*STATES), "Only drafts in this state.", choices=STATES)
REASON = Parameter("reason", parameters.text, "Why; kept in the trail.")
DRAFT = Parameter("number", parameters.whole_number(1, 10**12), "The number of the draft.", place="path")
ACTIONS = ("simulate", "approve", "publish", "reject", "withdraw")
ACTION = Parameter("action", parameters.one_of(*ACTIONS), "What to do.", choices=ACTIONS, place="path")


class RuleSchema(serializers.Serializer[Any]):
    """A rule and what it did in the window, one row per currency; `cost` is null where others have a part in it."""

    order = serializers.IntegerField()
    rule = serializers.CharField()
    teams = serializers.CharField(allow_blank=True, help_text="who pays, with percentages where several do")
    cluster = serializers.CharField(allow_blank=True, help_text="to which cluster a rule of clusters gives charges")
    by = serializers.CharField(
        allow_blank=True, help_text="by what those are divided; claims: all on the cluster carry them"
    )
    valid_from = serializers.DateField(allow_null=True)
    valid_to = serializers.DateField(allow_null=True, help_text="exclusive")
    currency = serializers.CharField(allow_blank=True)
    cost = schema.Amount(allow_null=True)
    decided = serializers.IntegerField(allow_null=True, help_text="subjects a day it decided: its hits")
    matched = serializers.IntegerField(
        allow_null=True, help_text="subjects a day it matches, also where another decides"
    )
    hidden_by = serializers.CharField(allow_blank=True)
    verdict = serializers.CharField(allow_blank=True)


class RulesSchema(serializers.Serializer[Any]):
    """The rules in force, in the order in which they decide, those of clusters last; `start` is null where nobody
    counted yet."""

    ruleset = serializers.IntegerField()
    start = serializers.DateField(allow_null=True)
    end = serializers.DateField(allow_null=True, help_text="exclusive")
    counted_at = serializers.DateTimeField(allow_null=True)
    rows = RuleSchema(many=True)


class MoveSchema(serializers.Serializer[Any]):
    """Effective cost of a team in the window, by the rules in force and by the draft."""

    team = serializers.CharField()
    currency = serializers.CharField()
    before = schema.Amount()
    after = schema.Amount(help_text="by the draft, from its `valid_from` on")
    change = schema.Amount()
    as_if = schema.Amount(help_text="had the draft counted on all days of the window")


class StepSchema(serializers.Serializer[Any]):
    """One thing done to a draft."""

    at = serializers.DateTimeField()
    by = serializers.CharField()
    action = serializers.CharField()
    why = serializers.CharField(allow_blank=True)
    outcome = serializers.CharField(allow_blank=True)


STEP = schema.columns_of(StepSchema)


class DraftSchema(serializers.Serializer[Any]):
    """A draft; `base` is the ruleset it was laid over, `ruleset` the one it became."""

    number = serializers.IntegerField()
    state = serializers.ChoiceField(STATES)
    valid_from = serializers.DateField()
    base = serializers.IntegerField()
    ruleset = serializers.IntegerField(allow_null=True)
    drafted_by = serializers.CharField()
    drafted_at = serializers.DateTimeField()
    reason = serializers.CharField(allow_blank=True)
    needed = serializers.CharField(help_text="the teams that have to agree")
    approved_for = serializers.CharField(help_text="the teams for which somebody did")


class DraftsSchema(serializers.Serializer[Any]):
    """Drafts, the newest first."""

    rows = DraftSchema(many=True)


class WholeDraftSchema(DraftSchema):
    """A draft with what it says, what it would do, and what was done to it."""

    text = serializers.CharField()
    is_asked = serializers.BooleanField(help_text="whether a worker is yet to simulate it")
    start = serializers.DateField(allow_null=True)
    end = serializers.DateField(allow_null=True)
    is_withheld = serializers.BooleanField(
        help_text="whether it takes cost from teams the caller does not see and who have not agreed: then moves are "
        "told of teams alone that only lose"
    )
    moves = MoveSchema(many=True)
    trail = StepSchema(many=True)


class RulesView(AskView):
    """What the rules in force do, for the teams the caller may see."""

    columns = schema.columns_of(RuleSchema)
    identity = ("order", "rule", "cluster", "currency")
    file_name = "rules"

    @schema.asking("rules", parameters.PLAIN, RulesSchema)
    def get(self, request: Request) -> HttpResponse:
        self.asked(request)
        found = counting.seen_by(counting.counted(now=timezone.now()), scope_of(request.user).teams)
        window = found.window
        body = {
            "ruleset": found.ruleset,
            "start": window.start if window else None,
            "end": window.end if window else None,
            "counted_at": found.counted_at,
            "rows": [row for one in found.rules for row in _rule(one)],
        }
        return Response(body)


def _rule(one: counting.CountedRule) -> list[dict[str, Any]]:
    facts = {
        "order": one.order, "rule": one.rule.name, "teams": counting.payers(one.rule),
        "cluster": one.of_cluster.cluster if one.of_cluster else "", "by": one.of_cluster.by if one.of_cluster else "",
        "valid_from": one.rule.valid_from, "valid_to": one.rule.valid_to,
    }  # fmt: skip
    use = {name: getattr(one, name) for name in ("decided", "matched", "hidden_by", "verdict")}
    costs: list[tuple[str, Any]] = [*one.cost.items()] or [("", None)]
    return [facts | {"currency": currency, "cost": cost} | use for currency, cost in costs]


class RuleDraftsView(AskView):
    """Drafts of rules; a new one is brought as YAML."""

    made_under = "api-rule-draft"
    written_by = frozenset({Can.DECIDE, Can.CHANGE_RULES})
    known = (STATE, FORMAT)
    columns = schema.columns_of(DraftSchema)
    file_name = "rule-drafts"
    parser_classes = [YamlBody]

    @schema.asking("rule_drafts", (STATE, FORMAT), DraftsSchema)
    def get(self, request: Request) -> HttpResponse:
        state = self.asked(request).get("state")
        found = proposals.visible(scope_of(request.user).teams, actor_of(request.user))
        wanted = [one for one in found if state in (None, one.state)]
        return Response({"rows": SortedRows(wanted, _facts, lambda one: (-one.pk,))})

    @schema.writing("draft_rules", (REASON, FORMAT), WholeDraftSchema, body={"application/yaml": OpenApiTypes.STR})
    def post(self, request: Request) -> HttpResponse:
        given = self.given(request, (REASON, FORMAT))
        by, now = actor_of(request.user), timezone.now()
        body: Any = request.data
        text = body.get(TEXT, "")
        kept = proposals.propose(text, by=by, now=now, reason=given.get("reason", ""))
        return Response(_whole(rehearsal.rehearse_or_ask(kept, by=by.name, now=now), request), status=201)


class RuleDraftView(AskView):
    """One draft."""

    columns = schema.columns_of(DraftSchema)
    file_name = "rule-draft"

    @schema.asking("rule_draft", (DRAFT, FORMAT), WholeDraftSchema)
    def get(self, request: Request, number: int) -> HttpResponse:
        self.asked(request)
        return Response(_whole(_found(request, number), request))


class RuleDraftActionView(AskView):
    """What is done to a draft."""

    written_by = frozenset({Can.DECIDE, Can.CHANGE_RULES})
    columns = schema.columns_of(DraftSchema)

    @schema.writing("do_rule_draft", (DRAFT, ACTION, REASON, FORMAT), WholeDraftSchema)
    def post(self, request: Request, number: int, action: str) -> HttpResponse:
        given = self.given(request, (REASON, FORMAT))
        found = _found(request, number)
        if action not in ACTIONS:
            raise NotFound
        done = rehearsal.act(found, action, by=actor_of(request.user), now=timezone.now(), why=given.get("reason", ""))
        return Response(_whole(done, request))


def _found(request: Request, number: int) -> RuleDraft:
    """The draft, for those who may see it; not yours and not there are the same answer."""
    seen = proposals.visible(scope_of(request.user).teams, actor_of(request.user), number=number)
    if not seen:
        raise NotFound
    return seen[0]


def _facts(one: RuleDraft) -> dict[str, Any]:
    plain = ("state", "valid_from", "base", "drafted_by", "drafted_at", "reason")
    return {
        "number": one.pk,
        **{name: getattr(one, name) for name in plain},
        "ruleset": one.ruleset.number if one.ruleset else None,
        "needed": ",".join(sorted(proposals.concerns(one))),
        "approved_for": ",".join(sorted(one.approvals)),
    }


def _whole(one: RuleDraft, request: Request) -> dict[str, Any]:
    found = proposals.simulation_of(one)
    teams = scope_of(request.user).teams
    moves = proposals.seen_moves(one, teams)
    return _facts(one) | {
        "text": one.text,
        "is_asked": one.asked is not None,
        "start": found.start if found else None,
        "end": found.end if found else None,
        "is_withheld": proposals.is_withheld(one, teams),
        "moves": [vars(move) | {"change": less(move.after, move.before)} for move in moves],
        "trail": [
            {name: getattr(step, name) for name in STEP} | {"outcome": proposals.seen_outcome(step, teams)}
            for step in one.trail.order_by("pk")
        ],
    }
