"""Teams and rules written as the YAML file that imports them again."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from datetime import date
from decimal import Decimal
from typing import Any

import yaml

from apps.teams.drafts import TeamFacts
from apps.teams.ownership import ClusterRule, Condition, Rule, RuleBook


def to_yaml(teams: Iterable[TeamFacts], book: RuleBook) -> str:
    """The file that `documents.parse_teams` reads back to the same teams and an equal book."""
    document = {
        "teams": [_team(facts) for facts in teams],
        "rules": [_rule(rule) for rule in book.rules],
        "shared": [{"name": rule.name, "when": _when(rule.when)} for rule in book.shared],
        **({"clusters": [_cluster(rule) for rule in book.clusters]} if book.clusters else {}),
        "policy": {"price_ratio": asdict(book.price_ratio)},
    }
    return yaml.safe_dump(document, allow_unicode=True, sort_keys=False, width=120)


def _team(facts: TeamFacts) -> dict[str, Any]:
    """Only what is known of it."""
    lead = _present({"name": facts.lead_name, "email": facts.lead_email})
    own = {name: getattr(facts, name) for name in ("name", "title", "department", "cost_center")}
    return _present(own | {"lead": lead})


def _rule(rule: Rule) -> dict[str, Any]:
    owner = {"team": rule.split[0][0]} if len(rule.split) == 1 else {"split": _percents(rule.split)}
    conditions = {name: _when(getattr(rule, name)) for name in ("when", "any", "unless")}
    dates: Mapping[str, date | None] = {"valid_from": rule.valid_from, "valid_to": rule.valid_to}
    return _present({"name": rule.name} | conditions) | owner | _present(dates)


def _cluster(rule: ClusterRule) -> dict[str, Any]:
    return {"name": rule.name, "when": _when(rule.when), "cluster": rule.cluster, "by": rule.by}


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
