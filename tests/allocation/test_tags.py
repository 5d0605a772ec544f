"""Tags travel with the cost of what bears them: under every tag as much is allocated as was charged."""

import json
import random
from collections import defaultdict
from decimal import Decimal
from typing import Any

import ibis
import pytest
from django.conf import LazySettings
from django.test import override_settings
from hypothesis import HealthCheck, Phase, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from apps.allocation.tagging import kept
from apps.finops import yamls
from apps.finops.focus import COST_METRICS
from apps.finops.tables import ALLOCATED, COSTS, PASSED_ON, LakeTable
from apps.finops.tags import LONGEST_VALUE, BadTagKeys, read_keys
from apps.finops.windows import ONE_DAY
from apps.pipeline.due import inputs_of_allocation
from apps.warehouse import lake
from apps.warehouse.engine import rows_of
from tests.allocation.conftest import Together
from tests.allocation.test_invariants import cells, is_near, random_world
from tests.allocation.test_policies import on_day, put_drivers
from tests.allocation.test_policies_worlds import RULES, random_charges, random_policies
from tests.allocation.worlds import (
    DAY,
    NODE,
    ON_NODE,
    OWNED_BY_NAME,
    Row,
    World,
    allocated,
    as_table,
    by,
    charge,
    charged,
    put,
    result,
    totals,
)

pytestmark = pytest.mark.django_db
KEYS = ("env", "Env", "project")
VALUES = ("prod", "test", "测试", "", "a,b")


@pytest.fixture(autouse=True)
def _keys(settings: LazySettings) -> None:
    settings.COSTOPS_TAG_KEYS = KEYS


def told(tags: str | None, *keys: str) -> dict[str, str]:
    """What is kept of the tags of a charge."""
    rows = ibis.memtable([{"tags": tags or ""}])
    ((text,),) = rows_of(rows.select(kept=kept(rows.tags, keys)))
    found: dict[str, str] = json.loads(text)
    return found


LONG = "长" * (LONGEST_VALUE + 1)


@pytest.mark.parametrize(
    ("tags", "value"),
    [
        pytest.param('{"env":"prod","team":"web"}', "prod", id="the key that was chosen, and no other"),
        pytest.param('{"ENV":"prod"}', "", id="another spelling is another key"),
        pytest.param('{"env":""}', "", id="an empty value is no tag"),
        pytest.param('{"env":null}', "", id="null is no tag"),
        pytest.param("{}", "", id="no tags at all"),
        pytest.param(None, "", id="tags that are missing"),
        pytest.param('{"env":1.50}', "1.5", id="a number"),
        pytest.param('{"env":true}', "true", id="true"),
        pytest.param('{"env":{"a":[1]}}', '{"a":[1]}', id="an object, as it reads"),
        pytest.param('{"env":"a\\u0000b\\n\\u001b[31m"}', "a b  [31m", id="control characters are spaces"),
        pytest.param('{"env":"  prod "}', "prod", id="blanks around it are dropped"),
        pytest.param('{"env":"<script>\\"\'"}', "<script>\"'", id="signs are signs"),
        pytest.param(json.dumps({"env": "长" * LONGEST_VALUE}), "长" * LONGEST_VALUE, id="as long as may be"),
    ],
)
def test_a_value_is_kept_as_the_bill_tells_it(tags: str | None, value: str) -> None:
    assert told(tags, "env") == {"env": value}


def test_long_values_are_short_and_stay_apart() -> None:
    one, other = (told(json.dumps({"env": LONG + end}), "env")["env"] for end in "ab")
    assert len(one) == len(other) == LONGEST_VALUE
    assert one != other
    assert one[:200] == "长" * 200


@pytest.mark.parametrize("key", ["*", "a/b~c", "acs:ack.aliyun.com", "a'b", "a.b[0]", "键"])
def test_any_key_is_taken_literally(key: str) -> None:
    assert told(json.dumps({key: "x", "a": {"b": "no"}}), key, "none") == {key: "x", "none": ""}


@pytest.mark.parametrize(
    ("given", "keys"),
    [
        pytest.param([], (), id="none"),
        pytest.param([" env", "project ", ""], ("env", "project"), id="blanks around them are dropped"),
        pytest.param(["env", "Env"], ("env", "Env"), id="spellings are apart"),
    ],
)
def test_keys_are_read(given: list[str], keys: tuple[str, ...]) -> None:
    assert read_keys(given) == keys


@pytest.mark.parametrize(
    ("given", "message"),
    [
        pytest.param(["env", "env"], "'env' stands there twice", id="twice"),
        pytest.param(["a=b"], "'a=b' is no tag key", id="an equals sign"),
        pytest.param(["a\x07"], "no tag key", id="a sign that does not show"),
        pytest.param(["x" * 129], "no tag key", id="too long"),
        pytest.param([str(number) for number in range(9)], "9 keys are more than 8", id="too many"),
    ],
)
def test_keys_that_cannot_be_meant_are_refused(given: list[str], message: str) -> None:
    with pytest.raises(BadTagKeys, match=message):
        read_keys(given)


def tag(row: Row, key: str) -> str:
    """The value of a tag of an allocated row."""
    value: str = json.loads(row["kept_tags"])[key]
    return value


def by_tag(rows: list[Row], *names: str, key: str = "env") -> dict[Any, Decimal]:
    return by([row | {"tag": tag(row, key)} for row in rows], *names, "tag")


def test_a_part_of_a_node_bears_the_tag_of_the_node() -> None:
    """A node of two charges, tagged apart: each is divided by itself, idle capacity too."""
    charges = [
        charge("36", "i-n1", Tags='{"env":"prod"}'),
        charge("12", "i-n1", Tags='{"env":"test","other":"x"}'),
        charge("7", "i-n2"),
    ]
    rows = allocated(charges, **ON_NODE)
    assert by_tag(rows, "team") == {
        ("web", "prod"): Decimal(18), ("data", "prod"): Decimal(9), ("unallocated", "prod"): Decimal(9),
        ("web", "test"): Decimal(6), ("data", "test"): Decimal(3), ("unallocated", "test"): Decimal(3),
        ("unallocated", ""): Decimal(7),
    }  # fmt: skip


def test_what_is_passed_on_keeps_the_tag_of_the_bill() -> None:
    """The platform's half of a node tagged prod and of one charge tagged test, received by the only other team."""
    rules = OWNED_BY_NAME + "policies:\n  - {name: platform, share: proportional, when: {namespace: data}}\n"
    charges = [charge("48", "i-n1", Tags='{"env":"prod"}'), charge("24", "i-n1", Tags='{"env":"test"}')]
    rows = allocated(charges, rules, **ON_NODE)
    assert by_tag([row for row in rows if row["kind"] == "shared"], "team") == {
        ("web", "prod"): Decimal(12),
        ("web", "test"): Decimal(6),
    }


def test_no_key_is_kept_where_none_was_chosen(settings: LazySettings) -> None:
    settings.COSTOPS_TAG_KEYS = ()
    rows = allocated([charge("48", "i-n1", Tags='{"env":"prod"}')], **ON_NODE)
    assert {row["kept_tags"] for row in rows} == {"{}"}


def test_keys_of_no_use_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("apps.allocation.problems.MANY_VALUES", 2)
    allocated([charge("1", f"r-{n}", Tags=json.dumps({"env": f"{n}", "Env": "x"})) for n in range(3)])
    told = {(one.code, one.subject, one.severity) for one in result().problems}
    assert told == {("many_tag_values", "env", "warning"), ("no_tag_values", "project", "note")}


def test_other_keys_make_every_day_due(settings: LazySettings) -> None:
    allocated([NODE], **ON_NODE)
    with_keys = inputs_of_allocation()
    settings.COSTOPS_TAG_KEYS = ()
    assert all(inputs_of_allocation()[day] != told for day, told in with_keys.items())


def tagged(world: World, rng: random.Random) -> World:
    """A world whose charges bear tags of every kind: two of one resource may differ."""
    charges = [
        row | {"Tags": json.dumps(json.loads(row["Tags"] or "{}") | random_tags(rng))}
        for row in (*world.charges, *random_charges(rng))
    ]
    return World(charges, world.usage)


def random_tags(rng: random.Random) -> dict[str, Any]:
    return {key: rng.choice((*VALUES, 7, None)) for key in KEYS if rng.random() < 0.7}


def charged_by_tag(world: World, key: str) -> dict[tuple[str, ...], Decimal]:
    """The plain reference: every basis by currency, account, category and tag, added up row by row."""
    sums: dict[tuple[str, ...], Decimal] = defaultdict(Decimal)
    for row in world.charges:
        value = json.loads(row["Tags"]).get(key)
        for basis, column in COST_METRICS.items():
            place = (row["BillingCurrency"], row["BillingAccountId"], row["ChargeCategory"])
            sums[basis, *place, "" if value is None else str(value)] += row[column] or 0
    return {key: cost for key, cost in sums.items() if cost}


def allocated_by_tag(rows: list[Row], key: str) -> dict[tuple[str, ...], Decimal]:
    return {
        (basis, *place): cost
        for basis in COST_METRICS
        for place, cost in by(
            [row | {"tag": tag(row, key)} for row in rows],
            "currency", "account", "charge_category", "tag", basis=basis,
        ).items()
    }  # fmt: skip


@hypothesis_settings(max_examples=1, database=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
@given(seed=st.integers(0, 2**64))
def test_every_tag_is_allocated_what_was_charged_under_it(together: Together, seed: int) -> None:
    """Five worlds, each with policies of its own; whose cost is does not depend on the tags it is told by."""
    rng = random.Random(seed)
    worlds = [tagged(random_world(rng), rng) for _ in range(5)]
    put_drivers(len(worlds))
    policies = [policy for number in range(len(worlds)) for policy in on_day(number, random_policies(rng))]
    rules = yamls.written(RULES | {"policies": policies})
    with override_settings(COSTOPS_TAG_KEYS=()):
        untold = together(worlds, rules)
    for world, rows, plain in zip(worlds, together(worlds, rules), untold, strict=True):
        assert totals(rows) == charged(world.charges)
        for key in KEYS:
            assert allocated_by_tag(rows, key) == charged_by_tag(world, key)
        assert is_near(cells(rows), cells(plain), [*rows, *plain])


@pytest.mark.parametrize("table", [ALLOCATED, PASSED_ON], ids=lambda table: table.name)
def test_a_table_of_before_is_read_and_tells_no_tag(table: LakeTable) -> None:
    """An earlier release wrote files without the column; with files of this one beside them, and without."""
    allocated([charge("48", "i-n1", Tags='{"env":"prod"}')], **ON_NODE)
    columns = {name: kind for name, kind in table.columns.items() if name != "kept_tags"}
    before = LakeTable(table.name, columns, table.partition_by)
    row = dict.fromkeys(columns, "x") | dict.fromkeys(COSTS, Decimal(7)) | {"ruleset": 1}
    lake.drop(table)
    put(before, [row | {"day": DAY}])
    assert rows_of(lake.scan(table).select("effective_cost", "kept_tags")) == [(Decimal(7), None)]
    lake.replace(table, as_table(table, [row | {"day": DAY + ONE_DAY, "kept_tags": "{}"}]), [])
    told = rows_of(lake.scan(table).select("day", "kept_tags").order_by("day"))
    assert told == [(DAY, None), (DAY + ONE_DAY, "{}")]
