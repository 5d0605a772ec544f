"""Every check between a file of teams and rules as it was written and what it means."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

import pyarrow as pa
import pyarrow.compute as pc
from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from apps.teams.drafts import Draft, DraftRule, DraftTeam, Text
from apps.teams.models import UNALLOCATED
from apps.teams.ownership import (
    CHARGE_FIELDS,
    CLAIMS,
    EXPRESSION,
    FIELDS,
    IDLE_FIELDS,
    KEYED_FIELDS,
    MARKS,
    TRAFFIC,
    WORKLOAD_FIELDS,
    ClusterRule,
    Condition,
    PriceRatio,
    Rule,
    RuleBook,
    SharedRule,
)

_SLUG = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?", re.ASCII)
_CONTROL = re.compile(r"[\x00-\x1f\x7f\u2028\u2029]")
_WHOLE = re.compile(r"[0-9]{1,9}", re.ASCII)
_PRIORITY = re.compile(r"-?[0-9]{1,6}", re.ASCII)
_PERCENT = re.compile(r"[0-9]{1,3}(\.[0-9]{1,2})?", re.ASCII)
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)
LIMITS = {"name": 60, "title": 120, "department": 120, "cost_center": 60, "lead_name": 120, "lead_email": 254}
"""Facts of a team and how many characters each may have."""
RULE_NAME_LIMIT = 120
PATTERN_LIMIT = 1000
MOST_RULES = 5_000
MOST_POLICIES = 5_000
MOST_PATTERNS = 20_000
MOST_EXPRESSIONS = 1_000
"""Every charge is compared with every pattern, and expressions take longest."""


@dataclass(frozen=True)
class TeamFacts:
    """What a file says about one team, by the names of `Team`'s columns."""

    name: str
    title: str = ""
    department: str = ""
    cost_center: str = ""
    lead_name: str = ""
    lead_email: str = ""


def check(draft: Draft) -> tuple[tuple[TeamFacts, ...], RuleBook]:
    """What the file means; useless when the draft's `problems` say that anything is wrong."""
    if not draft.teams:
        draft.complain("no-teams", 1, "there are no teams; the file must list every team under `teams`")
    teams = tuple(_team(draft, team) for team in draft.teams)
    check_once(draft, "team", (team.facts.get("name") for team in draft.teams))
    check_once(draft, "rule", (rule.name for rule in (*draft.rules, *draft.shared, *draft.clusters)))
    _check_number(draft)
    known = {team.name for team in teams}
    book = RuleBook(
        rules=tuple(_rule(draft, rule, known) for rule in draft.rules),
        shared=tuple(_shared(draft, rule) for rule in draft.shared),
        price_ratio=_price_ratio(draft),
        clusters=tuple(_cluster_rule(draft, rule) for rule in draft.clusters),
    )
    return teams, book


def _check_number(draft: Draft) -> None:
    rules = [*draft.rules, *draft.shared, *draft.clusters]
    policies = [policy.rule for policy in draft.policies]
    parts = (part for rule in (*rules, *policies) for part in (*rule.when, *rule.any, *rule.unless))
    patterns = [pattern for _, texts in parts for pattern in texts]
    expressions = [pattern for pattern in patterns if pattern.value.startswith(EXPRESSION)]
    limits: tuple[tuple[str, Sequence[DraftRule | Text], int], ...] = (
        ("rules", rules, MOST_RULES),
        ("policies", policies, MOST_POLICIES),
        ("patterns", patterns, MOST_PATTERNS),
        ("regular expressions", expressions, MOST_EXPRESSIONS),
    )
    for what, found, most in limits:
        if len(found) > most:
            told = f"the file has {len(found):,} {what}; at most {most:,} are taken. A * or a label may stand for many"
            draft.complain("too-many", found[0].line, told)


def check_once(draft: Draft, what: str, names: Iterable[Text | None]) -> None:
    first: dict[str, int] = {}
    for name in names:
        if name is None or not name.value:
            continue
        if name.value in first:
            draft.complain(
                "twice",
                name.line,
                f"{what} {name.value!r} stands on line {first[name.value]} already; names are unique",
            )
        first.setdefault(name.value, name.line)


def _team(draft: Draft, team: DraftTeam) -> TeamFacts:
    facts = {name: text.value for name, text in team.facts.items()}
    for name, text in team.facts.items():
        check_text(draft, name, text, LIMITS[name])
    _check_slug(draft, team)
    check_address(draft, team.facts.get("lead_email"))
    return TeamFacts(**{"name": ""} | facts)


def check_address(draft: Draft, address: Text | None) -> None:
    if address is None or not address.value:
        return
    try:
        validate_email(address.value)
    except ValidationError:
        draft.complain("bad-email", address.line, f"{address.value!r} is not an e-mail address")


def _check_slug(draft: Draft, team: DraftTeam) -> None:
    name = team.facts.get("name")
    if name is None or not name.value:
        draft.complain(
            "no-name",
            team.line,
            "a team has no `name`, such as live-class",
        )
    elif name.value == UNALLOCATED:
        draft.complain("reserved", name.line, f"{UNALLOCATED!r} is kept for cost no rule matches; choose another name")
    elif not _SLUG.fullmatch(name.value):
        draft.complain(
            "bad-name",
            name.line,
            f"team name {name.value!r}: use lower-case letters, digits and hyphens",
        )


def check_text(draft: Draft, what: str, text: Text, limit: int) -> None:
    if len(text.value) > limit:
        draft.complain("too-long", text.line, f"`{what}` has {len(text.value)} characters; at most {limit} are kept")
    if _CONTROL.search(text.value):
        draft.complain("control-character", text.line, f"`{what}` holds a control character; remove it")


def check_name(draft: Draft, rule: DraftRule) -> str:
    if rule.name is None or not rule.name.value:
        draft.complain("no-name", rule.line, "a rule has no `name`; it is what people see next to the cost it decided")
        return ""
    check_text(draft, "name", rule.name, RULE_NAME_LIMIT)
    return rule.name.value


def _rule(draft: Draft, rule: DraftRule, known: set[str]) -> Rule:
    when = _conditions(draft, rule, FIELDS, is_needed=not rule.any)
    either = tuple(check_condition(draft, about, patterns, FIELDS) for about, patterns in rule.any)
    unless = tuple(check_condition(draft, about, patterns, FIELDS) for about, patterns in rule.unless)
    always = {condition.field for condition in when}
    for fields in [always | {condition.field} for condition in either] or [always]:
        _check_possible(draft, rule, fields)
    valid_from, valid_to = check_dates(draft, rule)
    split, priority = check_split(draft, rule, known), _priority(draft, rule.priority)
    return Rule(check_name(draft, rule), when, split, valid_from, valid_to, either, unless, priority)


def check_dates(draft: Draft, rule: DraftRule) -> tuple[date | None, date | None]:
    """The first day of a rule and the day after its last, None where it is open."""
    valid_from, valid_to = read_day(draft, rule.valid_from), read_day(draft, rule.valid_to)
    if rule.valid_to and valid_from and valid_to and valid_from >= valid_to:
        draft.complain(
            "empty-window", rule.valid_to.line,
            f"valid_to ({valid_to}, itself not included) must come after valid_from ({valid_from})",
        )  # fmt: skip
    return valid_from, valid_to


def _priority(draft: Draft, text: Text | None) -> int:
    if text is None:
        return 0
    if _PRIORITY.fullmatch(text.value):
        return int(text.value)
    draft.complain("bad-priority", text.line, f"priority {text.value!r} is not a whole number of at most six digits")
    return 0


def _shared(draft: Draft, rule: DraftRule) -> SharedRule:
    when = _conditions(draft, rule, ("namespace", "cluster"))
    if when and "namespace" not in {condition.field for condition in when}:
        draft.complain("no-namespace", rule.line, "a shared rule is about namespaces; add a condition on `namespace`")
    return SharedRule(check_name(draft, rule), when)


def _cluster_rule(draft: Draft, rule: DraftRule) -> ClusterRule:
    when = _conditions(draft, rule, CHARGE_FIELDS)
    if rule.cluster is None or not rule.cluster.value:
        draft.complain("no-cluster", rule.line, "a rule of clusters names no `cluster`; write its name as in the usage")
    else:
        check_text(draft, "cluster", rule.cluster, PATTERN_LIMIT)
    by = rule.by.value if rule.by else CLAIMS
    if rule.by and by not in (CLAIMS, *TRAFFIC):
        draft.complain("bad-basis", rule.by.line, f"by: {by!r} is unknown; known are {', '.join((CLAIMS, *TRAFFIC))}")
    dates = check_dates(draft, rule)
    return ClusterRule(check_name(draft, rule), when, rule.cluster.value if rule.cluster else "", by, *dates)


def _conditions(
    draft: Draft, rule: DraftRule, allowed: tuple[str, ...], *, is_needed: bool = True
) -> tuple[Condition, ...]:
    if is_needed and not rule.when:
        draft.complain("no-condition", rule.line, f"a rule has no condition; write `when:` and {_spoken(allowed)}")
    return tuple(check_condition(draft, about, patterns, allowed) for about, patterns in rule.when)


def check_condition(draft: Draft, about: Text, patterns: tuple[Text, ...], allowed: tuple[str, ...]) -> Condition:
    name, _, key = about.value.partition(".")
    if name not in allowed or (name in KEYED_FIELDS) != bool(key):
        draft.complain("unknown-field", about.line, f"{about.value!r} is unknown; known are {_spoken(allowed)}")
    if not patterns:
        draft.complain("no-pattern", about.line, f"{about.value!r} has no value; write a text or a list of texts")
    for pattern in patterns:
        if not pattern.value:
            draft.complain("no-pattern", pattern.line, f"{about.value!r} has an empty value; remove it")
        check_text(draft, about.value, pattern, PATTERN_LIMIT)
        _check_expression(draft, pattern)
    return Condition(name, key, tuple(pattern.value for pattern in patterns))


def _check_expression(draft: Draft, pattern: Text) -> None:
    mark = next((mark for mark in MARKS if pattern.value.startswith(mark)), "")
    expression = pattern.value.removeprefix(mark)
    if mark and not expression:
        draft.complain("bad-expression", pattern.line, f"nothing follows {mark!r}; write what to compare with")
    if mark != EXPRESSION:
        return
    try:
        pc.match_substring_regex(pa.array([""]), expression)  # RE2, as the engine has it
    except pa.ArrowInvalid as wrong:
        reason = str(wrong).partition("\n")[0]
        draft.complain("bad-expression", pattern.line, f"{expression!r} is no RE2 regular expression: {reason}")


def _spoken(fields: tuple[str, ...]) -> str:
    return ", ".join(f"{name}.KEY" if name in KEYED_FIELDS else name for name in fields)


def _check_possible(draft: Draft, rule: DraftRule, fields: set[str]) -> None:
    """A workload has no bill columns and a charge has no namespace: a rule that asks for both matches nothing, ever."""
    if fields <= set(FIELDS) and not (fields <= set(WORKLOAD_FIELDS) or fields <= set(IDLE_FIELDS)):
        draft.complain(
            "impossible", rule.line,
            f"nothing has {', '.join(sorted(fields))} at once, so the rule can never match: workloads have "
            f"{_spoken(WORKLOAD_FIELDS)}; charges and idle capacity have {_spoken(IDLE_FIELDS)}. Write two rules.",
        )  # fmt: skip


def check_split(draft: Draft, rule: DraftRule, known: set[str]) -> tuple[tuple[str, int], ...]:
    if not rule.split:
        draft.complain(
            "no-team", rule.line, "a rule names no team; write `team: NAME` or `split: {NAME: PERCENT, ...}`"
        )
        return ()
    for team, _ in rule.split:
        if team.value not in known:
            draft.complain("unknown-team", team.line, f"team {team.value!r} is not among the teams; add it")
    percents = [_percent(draft, percent) for _, percent in rule.split]
    if None not in percents and (total := sum(filter(None, percents), Decimal(0))) != 100:
        draft.complain("not-100", rule.split[0][0].line, f"the percentages add up to {total:f}, not to 100")
    return tuple(zip((team.value for team, _ in rule.split), _weights(percents), strict=True))


def _percent(draft: Draft, text: Text) -> Decimal | None:
    if _PERCENT.fullmatch(text.value) and (percent := Decimal(text.value)) > 0:
        return percent
    draft.complain("bad-percent", text.line, f"{text.value!r} is no percentage above 0 with at most two decimals")
    return None


def _weights(percents: list[Decimal | None]) -> list[int]:
    numbers = [percent or Decimal(0) for percent in percents]
    factor = 1 if all(number == int(number) for number in numbers) else 100
    return [int(number * factor) for number in numbers]


def read_day(draft: Draft, text: Text | None) -> date | None:
    if text is None:
        return None
    try:
        if _DAY.fullmatch(text.value):
            return date.fromisoformat(text.value)
    except ValueError:
        pass  # a day no calendar has, such as 2026-02-30
    draft.complain("bad-date", text.line, f"{text.value!r} is no date; write year-month-day, such as 2026-07-01")
    return None


def _price_ratio(draft: Draft) -> PriceRatio:
    ratio: dict[str, int] = {}
    for name, text in draft.price_ratio.items():
        if not _WHOLE.fullmatch(text.value):
            draft.complain("bad-ratio", text.line, f"{name}: {text.value!r} is not whole; write 7.2 : 1 as 72 : 10")
        elif int(text.value) > 1_000_000:
            draft.complain("bad-ratio", text.line, f"{name}: at most 1,000,000")
        else:
            ratio[name] = int(text.value)
    made = PriceRatio(**ratio)
    if not (made.cpu_core or made.memory_gib):
        line = next(iter(draft.price_ratio.values())).line
        draft.complain("bad-ratio", line, "cpu_core and memory_gib are both 0; a node without GPU would have no size")
    return made
