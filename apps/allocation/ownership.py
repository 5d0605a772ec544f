"""Who pays: the first ownership rule that matches a subject, as one expression over a table of subjects."""

import functools
import operator
import re
from collections.abc import Iterable, Sequence
from decimal import Decimal

import ibis
import ibis.expr.types as ir

from apps.finops.tables import ANNOTATION
from apps.teams.models import UNALLOCATED
from apps.teams.ownership import (
    EXACT,
    EXPRESSION,
    PREFIX,
    TELLING_FIELDS,
    WORKLOAD_FIELDS,
    Condition,
    Rule,
    RuleBook,
)
from apps.teams.policies import Policy
from apps.warehouse.engine import Workspace, json_member


def owners(subjects: ir.Table, book: RuleBook, fields: tuple[str, ...], workspace: Workspace) -> ir.Table:
    """Give every subject its owner: the columns `team`, `rule` and `fraction` join the subject's own.

    `subjects` has `day`, a column for each of `fields`, and JSON text in `tags` (for tag) or in `labels` and
    `namespace_labels` (for label and annotation). A rule that splits makes one row per team; a subject's fractions,
    DECIMAL(5,4), add up to 1. Where no rule matches the team is `unallocated` and the rule ''.
    """
    conditions = [condition for rule in book.rules for condition in rule.conditions]
    keyed, extracted = _with_keys(subjects, conditions, fields, workspace)
    numbered = keyed.mutate(rule_number=_first_match(keyed, list(enumerate(book.rules)), fields)).drop(*extracted)
    return numbered.join(_splits(book), "rule_number").drop("rule_number")


def with_shared(subjects: ir.Table, book: RuleBook, workspace: Workspace) -> ir.Table:
    """Add `is_shared`: whether a workload lives in a platform namespace whose cost policies pass on."""
    sharing = [policy for policy in book.all_policies if policy.subject == "share"]
    numbered = first_of(subjects, list(enumerate(sharing)), WORKLOAD_FIELDS, workspace)
    return numbered.mutate(is_shared=numbered.number >= 0).drop("number")


def first_of(
    subjects: ir.Table, numbered: Sequence[tuple[int, Rule | Policy]], fields: tuple[str, ...], workspace: Workspace
) -> ir.Table:
    """Add `number`: that of the first rule or policy that matches a subject (as in `owners`), -1 where none does."""
    conditions = [condition for _, one in numbered for condition in one.conditions]
    keyed, extracted = _with_keys(subjects, conditions, fields, workspace)
    return keyed.mutate(number=_first_match(keyed, numbered, fields)).drop(*extracted)


def matches(subjects: ir.Table, book: RuleBook, fields: tuple[str, ...], workspace: Workspace) -> ir.Table:
    """How many subjects match each rule: one row per `rule_number` that decided (-1: none) with a column `match_N` for
    every rule N: how many of the subjects so decided it matches."""
    conditions = [condition for rule in book.rules for condition in rule.conditions]
    keyed, _ = _with_keys(subjects, conditions, fields, workspace)
    verdicts = {f"match_{number}": _matches(keyed, rule, fields) for number, rule in enumerate(book.rules)}
    judged = keyed.select(rule_number=_first_match(keyed, list(enumerate(book.rules)), fields), **verdicts)
    return judged.group_by("rule_number").aggregate(**{name: judged[name].cast("int64").sum() for name in verdicts})


def _first_match(
    subjects: ir.Table, rules: Sequence[tuple[int, Rule | Policy]], fields: tuple[str, ...]
) -> ir.IntegerValue:
    branches = [(_matches(subjects, rule, fields), ibis.literal(number)) for number, rule in rules]
    return (ibis.cases(*branches, else_=-1) if branches else ibis.literal(-1)).cast("int32")


def _splits(book: RuleBook) -> ir.Table:
    """One row per (rule, team): `rule_number` (-1: no rule matched), `rule`, `team`, `fraction`."""
    rows = [(-1, "", UNALLOCATED, "1")]
    for number, rule in enumerate(book.rules):
        whole = sum(weight for _, weight in rule.split)
        rows += [(number, rule.name, team, str(Decimal(weight) / whole)) for team, weight in rule.split]
    names = {"rule_number": "int32", "rule": "string", "team": "string", "fraction": "string"}
    table = ibis.memtable([dict(zip(names, row, strict=True)) for row in rows], schema=ibis.schema(names))
    return table.mutate(fraction=table.fraction.cast("decimal(9, 4)"))


def _matches(subjects: ir.Table, rule: Rule | Policy, fields: tuple[str, ...]) -> ir.BooleanValue:
    verdict = _holds(subjects, rule.when, _seen(rule, "when", fields))
    if rule.any:
        verdict = verdict & _holds_one(subjects, rule.any, _seen(rule, "any", fields))
    if rule.unless:
        verdict = verdict & ~_holds_one(subjects, rule.unless, _seen(rule, "unless", fields))
    return verdict & is_valid(subjects.day, rule)


def is_valid(day: ir.DateValue, rule: Rule | Policy) -> ir.BooleanValue:
    """Whether a rule or policy is valid on a day."""
    verdict = ibis.literal(True)
    if rule.valid_from:
        verdict = verdict & (day >= rule.valid_from)
    if rule.valid_to:
        verdict = verdict & (day < rule.valid_to)
    return verdict


def _seen(rule: Rule | Policy, part: str, fields: tuple[str, ...]) -> tuple[str, ...]:
    """The fields of a subject that a part of a rule looks at: the pool of a workload only where the rule means it."""
    is_workload = not set(TELLING_FIELDS).isdisjoint(fields)
    is_hidden = is_workload and part not in rule.pool_of_workloads
    return tuple(name for name in fields if not (is_hidden and name == "node_pool"))


def _holds(subjects: ir.Table, when: Iterable[Condition], fields: tuple[str, ...]) -> ir.BooleanValue:
    """All conditions hold; a condition on a field the subject does not have, or has empty, fails."""
    verdicts = [
        _one_of(subjects[_column(condition)], condition.patterns) for condition in when if condition.field in fields
    ]
    if len(verdicts) < len(tuple(when)):
        return ibis.literal(False)
    return functools.reduce(operator.and_, verdicts, ibis.literal(True)).fill_null(False)


def _holds_one(subjects: ir.Table, conditions: Iterable[Condition], fields: tuple[str, ...]) -> ir.BooleanValue:
    verdicts = [_holds(subjects, [condition], fields) for condition in conditions]
    return functools.reduce(operator.or_, verdicts)


def _one_of(value: ir.StringValue, patterns: tuple[str, ...]) -> ir.BooleanValue:
    exact = [pattern.removeprefix(EXACT) for pattern in patterns if not _expression(pattern)]
    verdicts = [value.isin(exact)] if exact else []
    verdicts += [value.re_search(f"(?s)^(?:{found})$") for pattern in patterns if (found := _expression(pattern))]
    return functools.reduce(operator.or_, verdicts) & (value != "")


def _expression(pattern: str) -> str:
    """A pattern as a regular expression; empty for one that stands for itself."""
    if pattern.startswith(EXPRESSION):
        return pattern.removeprefix(EXPRESSION)
    if pattern.startswith(PREFIX):
        return re.escape(pattern.removeprefix(PREFIX)) + ".*"
    if pattern.startswith(EXACT):
        return ""
    return ".*".join(map(re.escape, pattern.split("*"))) if "*" in pattern else ""


def _column(condition: Condition) -> str:
    """The column of what a condition is about; keys are spelled in hexadecimal, for an engine's names ignore case."""
    return f"{condition.field}_{condition.key.encode().hex()}" if condition.key else condition.field


def _with_keys(
    subjects: ir.Table, conditions: Iterable[Condition], fields: tuple[str, ...], workspace: Workspace
) -> tuple[ir.Table, list[str]]:
    """The subjects with one column per label, annotation or tag key the rules ask for, and the names of those columns.

    They are kept: an expression that parsed the JSON again for every rule would take most of the time of allocation.
    """
    values = {
        _column(condition): _value(subjects, condition)
        for condition in conditions
        if condition.key and condition.field in fields
    }
    return (workspace.keep(subjects.mutate(**values)) if values else subjects), list(values)


def _value(subjects: ir.Table, condition: Condition) -> ir.StringValue:
    """A tag's value; or a label's or annotation's, the workload's before its namespace's, also under the name
    kube-state-metrics gives it."""
    if condition.field == "tag":
        return json_member(subjects.tags, condition.key)
    mangled = re.sub(r"[^A-Za-z0-9_]", "_", condition.key)
    before = ANNOTATION if condition.field == "annotation" else ""
    return ibis.coalesce(
        *(
            json_member(text, f"{before}{key}")
            for text in (subjects.labels, subjects.namespace_labels)
            for key in (condition.key, mangled)
        )
    )
