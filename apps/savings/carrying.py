"""Which initiatives carry out what was recommended now, and which of them people undid."""

from django.db.models import Q, QuerySet, Subquery

from apps.operations.models import Recommendation, RecommendationStep
from apps.operations.states import SETTLED
from apps.savings.models import Initiative, InitiativeStep
from apps.savings.states import LIVE

State = Recommendation.State
_OVER = (*SETTLED, State.REVERTED)


def asked_again(one: Recommendation) -> RecommendationStep | None:
    """How a recommendation that was done came to be asked about again; None where it never was."""
    return one.steps.filter(from_state__in=_OVER, to_state=State.FOUND).order_by("-pk").first()


def carriers(one: Recommendation) -> QuerySet[Initiative]:
    """The initiatives that take care of it this time: drafts, live ones, and stated ones that people gave up."""
    given_up = Q(state=Initiative.State.WITHDRAWN, stated_at__isnull=False)
    return one.initiatives.filter(_this_time(one), Q(state__in=(Initiative.State.DRAFT, *LIVE)) | given_up)


def carries_out(one: Initiative, each: Recommendation) -> bool:
    """Whether what an initiative states is about a recommendation as it is done now, not about an earlier time."""
    return Initiative.objects.filter(_this_time(each), pk=one.pk).exists()


def _this_time(one: Recommendation) -> Q:
    """Which initiatives were written or stated since it was last asked about again."""
    again = asked_again(one)
    if again is None:
        return Q()
    said = InitiativeStep.objects.filter(action__in=("write", "state"), at__gte=again.at)
    return Q(pk__in=said.values("initiative"))


def is_undone(one: Initiative) -> bool:
    """Whether people reverted everything that it carries out since it was stated, whatever became of that later."""
    stated = one.steps.filter(action="state").order_by("-pk").values("at")[:1]
    undone = RecommendationStep.objects.filter(action="revert", at__gt=Subquery(stated)).values("recommendation")
    return one.recommendations.exists() and not one.recommendations.exclude(pk__in=undone).exists()
