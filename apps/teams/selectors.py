"""Reading teams: the rules in force, and whose cost somebody may see."""

from apps.teams.access import Somebody, access_of
from apps.teams.checks import LIMITS, TeamFacts
from apps.teams.export import to_yaml
from apps.teams.models import RuleSet, Team
from apps.teams.organising import tree
from apps.teams.ownership import PriceRatio, RuleBook
from apps.teams.policies import Policy
from apps.teams.roles import Can


def rule_book() -> tuple[int, RuleBook]:
    """The number of the newest rules and the rules; number 0 and an empty book before the first import."""
    newest = RuleSet.objects.order_by("-number").first()
    return (newest.number, RuleBook.from_document(newest.document)) if newest else (0, RuleBook())


def price_ratio_of(ruleset: int) -> PriceRatio:
    """The price ratio by which the nodes of a publication were divided that rests on a version of the rules."""
    found = RuleSet.objects.filter(number=ruleset).first()
    return (RuleBook.from_document(found.document) if found else RuleBook()).price_ratio


def rules_sha256() -> str:
    """The identity of the rules in force; empty before the first import."""
    return RuleSet.objects.order_by("-number").values_list("sha256", flat=True).first() or ""


def policies() -> tuple[Policy, ...]:
    """The policies in force, in their order."""
    document = RuleSet.objects.order_by("-number").values_list("document", flat=True).first()
    return RuleBook.policies_of(document) if document else ()


def teams_file() -> str:
    """The teams and rules in force as the YAML file that imports them again."""
    facts = [TeamFacts(**{name: getattr(team, name) for name in LIMITS}) for team in active_teams()]
    return to_yaml(facts, rule_book()[1], tree())


def active_teams() -> list[Team]:
    """The teams of the newest import, by name."""
    return list(Team.objects.filter(is_active=True).order_by("name"))


def team_titles() -> dict[str, str]:
    """What people call teams, the retired ones too, by their keys."""
    return {name: title or name for name, title in Team.objects.values_list("name", "title")}


def visible_teams(user: Somebody) -> frozenset[str] | None:
    """The names of the teams whose cost a user may see; None means all. Nobody in particular sees nothing."""
    return access_of(user).teams(Can.SEE_COST)
