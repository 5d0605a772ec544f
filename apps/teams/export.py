"""Teams and rules written as the YAML file that imports them again."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from datetime import date
from decimal import Decimal
from typing import Any

from apps.finops import yamls
from apps.teams.checks import TeamFacts
from apps.teams.ownership import ClusterRule, Condition, Rule, RuleBook
from apps.teams.policies import Policy
from apps.teams.tree import Place, Tree


def to_yaml(teams: Iterable[TeamFacts], book: RuleBook, tree: Tree | None = None) -> str:
    """The file that `documents.parse_file` reads back to the same teams, an equal book and an equal tree."""
    tree = tree or Tree()
    document: dict[str, Any] = {
        "organisation": _units(tree),
        "teams": [_team(facts, tree.teams.get(facts.name, ())) for facts in teams],
        "rules": [_rule(rule) for rule in book.rules],
        "shared": [{"name": rule.name, "when": _when(rule.when)} for rule in book.shared],
        **_present({"policies": [_policy(policy) for policy in book.policies]}),
        **_present({"clusters": [_cluster(rule) for rule in book.clusters]}),
        "policy": {"price_ratio": asdict(book.price_ratio)},
    }
    if not document["organisation"]:
        del document["organisation"]
    return yamls.written(document)


def _units(tree: Tree) -> list[dict[str, Any]]:
    """Every unit that was listed; the others are told by the `department` of their teams."""
    rows = []
    for unit in tree.units:
        if not unit.is_implied:
            lead = _present({"name": unit.lead_name, "email": unit.lead_email})
            own = {"name": unit.name, "kind": unit.kind, "title": unit.title, "lead": lead}
            rows.append(_present(own) | _placed(unit.places))
    return rows


def _team(facts: TeamFacts, places: tuple[Place, ...]) -> dict[str, Any]:
    """Only what is known of it. A place that is just a department in words is written as such."""
    own = {"name": facts.name, "title": facts.title}
    lead = _present({"name": facts.lead_name, "email": facts.lead_email})
    in_words = Place(facts.department, facts.cost_center)
    if places and places != (in_words,):
        return _present(own | {"lead": lead}) | _placed(places)
    return _present(own | {"department": in_words.parent, "cost_center": in_words.cost_center, "lead": lead})


def _placed(places: tuple[Place, ...]) -> dict[str, Any]:
    """The only place beside the name, several as a list."""
    rows = [_present(asdict(place)) for place in places]
    return rows[0] if len(rows) == 1 else {"places": rows}


def _rule(rule: Rule) -> dict[str, Any]:
    owner = {"team": rule.split[0][0]} if len(rule.split) == 1 else {"split": _percents(rule.split)}
    conditions = {name: _when(getattr(rule, name)) for name in ("when", "any", "unless")}
    dates: dict[str, date | int | None] = {"valid_from": rule.valid_from, "valid_to": rule.valid_to}
    return _present({"name": rule.name} | conditions) | owner | _present(dates | {"priority": rule.priority})


def _policy(policy: Policy) -> dict[str, Any]:
    facts: dict[str, Any] = {"name": policy.name, policy.subject: policy.how, "driver": policy.driver}
    owner = {"split": _percents(policy.split)} if policy.how == "fixed" else {"team": policy.split and policy.team}
    conditions = {name: _when(getattr(policy, name)) for name in ("when", "any", "unless")}
    dates = {"valid_from": policy.valid_from, "valid_to": policy.valid_to}
    return _present(facts | owner | {"teams": list(policy.teams)} | conditions | dates)


def _cluster(rule: ClusterRule) -> dict[str, Any]:
    own = {"name": rule.name, "when": _when(rule.when), "cluster": rule.cluster, "by": rule.by}
    return own | _present({"valid_from": rule.valid_from, "valid_to": rule.valid_to})


def _percents(split: tuple[tuple[str, int], ...]) -> dict[str, str]:
    whole = sum(weight for _, weight in split)
    return {team: str(Decimal(weight) * 100 / whole) for team, weight in split}


def _when(conditions: tuple[Condition, ...]) -> dict[str, Any]:
    return {
        f"{one.field}.{one.key}" if one.key else one.field: one.patterns[0]
        if len(one.patterns) == 1
        else list(one.patterns)
        for one in conditions
    }


def _present(facts: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in facts.items() if value}
