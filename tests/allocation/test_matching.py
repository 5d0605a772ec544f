"""Which rule decides: by hand in a table, and against a plain reference that matches one subject at a time."""

import json
import re
from datetime import date
from decimal import Decimal
from typing import Any

import ibis
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.allocation import ownership
from apps.teams.documents import TeamsFileRefused, parse_teams
from apps.teams.export import to_yaml
from apps.teams.ownership import (
    CHARGE_FIELDS,
    FIELDS,
    IDLE_FIELDS,
    KEYED_FIELDS,
    WORKLOAD_FIELDS,
    Condition,
    Rule,
    RuleBook,
)
from apps.warehouse.engine import Workspace, rows_of

DAY = date(2026, 10, 2)
TEAMS = "teams: [{name: web}, {name: data}, {name: ops}]\nrules:\n"
COLUMNS = (
    "cluster", "namespace", "node_pool", "labels", "namespace_labels", "account", "sub_account", "service", "region",
    "resource", "charge_category", "tags",
)  # fmt: skip
KINDS = {"workload": WORKLOAD_FIELDS, "idle": IDLE_FIELDS, "charge": CHARGE_FIELDS}
Subject = dict[str, Any]


def subject(**given: Any) -> Subject:
    return {"day": DAY} | dict.fromkeys(COLUMNS, "") | given


def owners(subjects: list[Subject], book: RuleBook, kind: str) -> list[str]:
    """The rule that decides each subject, as the engine has it; empty where none does."""
    schema = pa.schema([("day", pa.date32()), *((name, pa.string()) for name in COLUMNS), ("at", pa.int64())])
    table = pa.Table.from_pylist([one | {"at": at} for at, one in enumerate(subjects)], schema)
    with Workspace() as workspace:
        owned = ownership.owners(ibis.memtable(table), book, KINDS[kind], workspace)
        found = rows_of(owned.select("at", "rule", "fraction").order_by("at"))
    whole: dict[int, Decimal] = {}
    for at, _, fraction in found:
        whole[at] = whole.get(at, Decimal(0)) + fraction
    assert whole == dict.fromkeys(range(len(subjects)), Decimal(1))
    return [rule for _, rule in sorted({(at, rule) for at, rule, _ in found})]


ON_GPU = {"namespace": "x", "cluster": "online", "node_pool": "gpu"}
MINE = {"namespace": "x", "labels": '{"annotation:example.com/owner": "web", "owner": "data"}'}


@pytest.mark.parametrize(
    ("rules", "kind", "given", "expected"),
    [
        pytest.param("{name: a, when: {resource: 'prefix:ab*'}}", "charge", {"resource": "ab*c"}, "a", id="a prefix"),
        pytest.param(
            "{name: a, when: {resource: 'prefix:ab*'}}", "charge", {"resource": "abc"}, "", id="its star is a star"
        ),
        pytest.param(
            "{name: a, when: {resource: 'prefix:ab'}}", "charge", {"resource": "ab"}, "a", id="a prefix and no more"
        ),
        pytest.param(
            "{name: a, when: {resource: 'prefix:a.'}}", "charge", {"resource": "abc"}, "", id="its dot is a dot"
        ),
        pytest.param(
            "{name: a, when: {resource: 'prefix:b'}}", "charge", {"resource": "ab"}, "", id="only at the beginning"
        ),
        pytest.param("{name: a, when: {resource: 'exact:a*'}}", "charge", {"resource": "a*"}, "a", id="the very value"),
        pytest.param(
            "{name: a, when: {resource: 'exact:a*'}}", "charge", {"resource": "ab"}, "", id="whose star is a star"
        ),
        pytest.param(
            "{name: a, when: {resource: 'exact:re:x'}}", "charge", {"resource": "re:x"}, "a", id="a value with a mark"
        ),
        pytest.param("{name: a, when: {annotation.example.com/owner: web}}", "workload", MINE, "a", id="an annotation"),
        pytest.param(
            "{name: a, when: {annotation.example.com/owner: web}}",
            "workload",
            {"namespace_labels": '{"annotation:example_com_owner": "web"}'},
            "a",
            id="the namespace's annotation, as kube-state-metrics names it",
        ),
        pytest.param("{name: a, when: {annotation.owner: data}}", "workload", MINE, "", id="a label is no annotation"),
        pytest.param(
            "{name: a, when: {label.example.com/owner: web}}", "workload", MINE, "", id="an annotation is no label"
        ),
        pytest.param(
            "{name: a, when: {node_pool: gpu, namespace: '*'}}", "workload", ON_GPU, "a", id="where a workload ran"
        ),
        pytest.param(
            "{name: a, when: {node_pool: gpu}}", "workload", ON_GPU, "", id="a pool by itself is idle capacity"
        ),
        pytest.param("{name: a, when: {node_pool: gpu}}", "idle", {"node_pool": "gpu"}, "a", id="and that it is"),
        pytest.param(
            "{name: a, when: {node_pool: gpu, namespace: '*'}}",
            "idle",
            {"node_pool": "gpu"},
            "",
            id="idle capacity has no namespace",
        ),
        pytest.param(
            "{name: a, when: {namespace: x}, unless: {node_pool: gpu}}", "workload", ON_GPU, "", id="not on this pool"
        ),
        pytest.param(
            "{name: a, when: {cluster: online}, unless: {node_pool: gpu}}",
            "workload",
            ON_GPU,
            "a",
            id="a rule of clusters excepts idle capacity only",
        ),
        pytest.param(
            "{name: a, when: {cluster: online}, any: {node_pool: gpu, namespace: y}}",
            "workload",
            ON_GPU,
            "",
            id="either the idle pool or a namespace",
        ),
        pytest.param(
            "{name: a, when: {node_pool: gpu}, any: {namespace: y, label.owner: '*'}}",
            "workload",
            ON_GPU | {"labels": '{"owner": "z"}'},
            "a",
            id="a pool and one of two that only workloads have",
        ),
        pytest.param(
            "{name: a, when: {service: S}}, {name: b, when: {service: S}, priority: 1}",
            "charge",
            {"service": "S"},
            "b",
            id="the larger priority",
        ),
        pytest.param(
            "{name: a, when: {service: S}, priority: -1}, {name: b, when: {service: S}}",
            "charge",
            {"service": "S"},
            "b",
            id="none is zero",
        ),
        pytest.param(
            "{name: a, when: {service: S}, priority: 7}, {name: b, when: {service: S}, priority: 7}",
            "charge",
            {"service": "S"},
            "a",
            id="of equals the first",
        ),
        pytest.param(
            "{name: a, when: {service: S}}, {name: b, when: {service: T}, priority: 9}",
            "charge",
            {"service": "S"},
            "a",
            id="a priority matches nothing by itself",
        ),
    ],
)
def test_which_rule_decides(rules: str, kind: str, given: Subject, expected: str) -> None:
    book = written(rules)
    assert owners([subject(**given)], book, kind) == [expected]
    assert decide(subject(**given), book, kind) == expected
    assert parse_teams(to_yaml(TEAM_FACTS, book), file="again.yaml")[1] == book
    assert RuleBook.from_document(book.to_document()) == book


def written(rules: str) -> RuleBook:
    listed = rules.replace("}, {name", "}\n  - {name")
    text = "\n".join(f"{line.removesuffix('}')}, team: web}}" for line in f"  - {listed}".splitlines())
    return parse_teams(TEAMS + text, file="teams.yaml")[1]


TEAM_FACTS = parse_teams(TEAMS, file="teams.yaml")[0]


@pytest.mark.parametrize(
    ("rule", "told"),
    [
        pytest.param("when: {resource: 'prefix:'}", "nothing follows 'prefix:'", id="no prefix"),
        pytest.param("when: {annotation: x}", "'annotation' is unknown", id="an annotation without a name"),
        pytest.param("when: {service: x}, priority: high", "priority 'high' is not a whole number", id="in words"),
        pytest.param("when: {service: x}, priority: 1.5", "priority '1.5' is not a whole number", id="in halves"),
        pytest.param("when: {service: x}, priority: '1000000'", "at most six digits", id="a priority too large"),
        pytest.param("when: {annotation.a: x, tag.b: y}", "nothing has annotation, tag at once", id="impossible"),
    ],
)
def test_a_rule_that_cannot_be(rule: str, told: str) -> None:
    with pytest.raises(TeamsFileRefused, match=re.escape(told)):
        parse_teams(f"{TEAMS}  - {{name: r, {rule}, team: web}}\n", file="teams.yaml")


# --- The reference: one subject, one rule, in words of the documentation --------------------------------------------
def decide(one: Subject, book: RuleBook, kind: str) -> str:
    """The name of the rule that decides a subject: of those that match, the largest priority, then the first."""
    matching = [rule for rule in book.rules if matches(one, rule, kind)]
    return max(matching, key=lambda rule: rule.priority).name if matching else ""


def matches(one: Subject, rule: Rule, kind: str) -> bool:
    if (rule.valid_from and one["day"] < rule.valid_from) or (rule.valid_to and one["day"] >= rule.valid_to):
        return False
    tells = [any(c.field in ("namespace", "label", "annotation") for c in part) for part in (rule.when, rule.any)]
    is_other = kind != "workload"
    seen = {"when": is_other or any(tells), "any": is_other or tells[0], "unless": is_other or any(tells)}
    verdicts = {
        part: [
            holds(one, c, kind) and (c.field != "node_pool" or kind != "workload" or looks) for c in getattr(rule, part)
        ]
        for part, looks in seen.items()
    }
    either = any(verdicts["any"]) if rule.any else True
    return all(verdicts["when"]) and either and not any(verdicts["unless"])


def holds(one: Subject, condition: Condition, kind: str) -> bool:
    if condition.field not in KINDS[kind]:
        return False
    value = value_of(one, condition)
    return bool(value) and any(fits(value, pattern) for pattern in condition.patterns)


def value_of(one: Subject, condition: Condition) -> str:
    if condition.field not in KEYED_FIELDS:
        return str(one[condition.field])
    if condition.field == "tag":
        return str(json.loads(one["tags"] or "{}").get(condition.key, ""))
    before = "annotation:" if condition.field == "annotation" else ""
    for bag in (json.loads(one[name] or "{}") for name in ("labels", "namespace_labels")):
        for key in (condition.key, re.sub("[^A-Za-z0-9_]", "_", condition.key)):
            if before + key in bag:
                return str(bag[before + key])
    return ""


def fits(value: str, pattern: str) -> bool:
    if pattern.startswith("re:"):
        return re.fullmatch(pattern[3:], value, re.DOTALL) is not None
    if pattern.startswith("prefix:"):
        return value.startswith(pattern[7:])
    if pattern.startswith("exact:"):
        return value == pattern[6:]
    parts = pattern.split("*")
    if len(parts) == 1:
        return value == pattern
    inner, at = parts[1:-1], len(parts[0])
    for part in inner:
        found = value.find(part, at)
        if found < 0:
            return False
        at = found + len(part)
    return value.startswith(parts[0]) and value.endswith(parts[-1]) and len(value) - len(parts[-1]) >= at


VALUES = st.sampled_from(["", "a", "ab", "abc", "b.c", "a*", "x\ny", "re:a", "数据"])
PATTERNS = st.sampled_from(
    ["a", "ab", "a*", "*b*", "*", "*c", "a*c", "b.c", "re:a|b.c", "re:.*", "re:[ab]+", "prefix:a", "prefix:a*",
     "exact:a*", "exact:re:a", "数*"]
)  # fmt: skip
KEYS = st.sampled_from(["k", "a.b/c", "K"])
BAGS = st.dictionaries(
    st.sampled_from(["k", "a.b/c", "a_b_c", "K", "annotation:k", "annotation:a_b_c"]), VALUES, max_size=3
).map(lambda bag: json.dumps(bag, ensure_ascii=False))
SUBJECTS = st.fixed_dictionaries(
    {"day": st.dates(date(2026, 10, 1), date(2026, 10, 3))}
    | {name: BAGS if name in ("labels", "namespace_labels", "tags") else VALUES for name in COLUMNS}
)
CONDITIONS = st.sampled_from(FIELDS).flatmap(
    lambda name: st.builds(
        Condition, st.just(name), KEYS if name in KEYED_FIELDS else st.just(""),
        st.lists(PATTERNS, min_size=1, max_size=2).map(tuple),
    )
)  # fmt: skip
SOME = st.lists(CONDITIONS, max_size=2).map(tuple)
DAYS = st.sampled_from([None, date(2026, 10, 2)])
BOOKS = st.lists(st.tuples(SOME, SOME, SOME, DAYS, DAYS, st.integers(-1, 1)), max_size=5).map(
    lambda rows: RuleBook(
        tuple(
            Rule(f"r{number}", when, (("web", 60), ("data", 40)), since, until, either, unless, priority)
            for number, (when, either, unless, since, until, priority) in enumerate(rows)
        )
    )
)


@settings(max_examples=40, deadline=None)
@given(subjects=st.lists(SUBJECTS, min_size=1, max_size=6), book=BOOKS, kind=st.sampled_from(sorted(KINDS)))
def test_the_engine_decides_as_the_reference(subjects: list[Subject], book: RuleBook, kind: str) -> None:
    assert owners(subjects, book, kind) == [decide(one, book, kind) for one in subjects]
