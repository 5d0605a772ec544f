"""Migrations run while the version before is still at work: none takes away what it uses, none locks a table for long.

django-migration-linter asks the same of SQL, for which it wants a PostgreSQL that answers and an app of its own in the
product; what Django itself calls operations says as much, and is looked at here.
"""

import re
import sys
from collections.abc import Callable, Iterator

import pytest
from django.db import migrations, models
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.operations.base import Operation

from apps.warehouse.schema import AddConstraintUnchecked, AddIndexBeside, CheckConstraintBeside

BEGUN = {
    "alerts": "0001_first", "api": "0003_tokens_for_teams", "audit": "0002_read_entries", "books": "0004_disputes",
    "budgets": "0003_why_not", "calendars": "0001_first", "channels": "0001_first", "explorer": "0001_first",
    "ingest": "0005_scrubbed_files", "insights": "0007_sums_of_forecasts", "marts": "0001_first",
    "operations": "0002_verified_recommendations", "pipeline": "0002_keys_and_clock", "planning": "0002_faults",
    "prices": "0001_first", "rates": "0001_first", "reports": "0003_roles", "savings": "0001_savings_ledger",
    "signin": "0001_kept_values_and_given", "teams": "0006_grants_and_service_accounts", "units": "0001_first",
}  # fmt: skip
"""The newest migration of each app when the rule began: those up to it were applied with everything stopped."""
UNUSED_SINCE = re.compile(r"[Uu]nused since \d+\.\d+")
"""What a migration says that takes away: the version which no longer uses it, and which everybody has by now."""
FEW_ROWS = re.compile(r"[Ii]n batches|[Ff]ew rows")
"""What a function says that a migration calls: it holds few rows at once, and may be repeated. What a migration says of
its tables: they are small everywhere."""
Rule = Callable[[Operation, bool], str]
"""Operation, whether its table has few rows everywhere → what is wrong with it, or nothing."""


def _nothing(_operation: Operation, _is_small: bool) -> str:
    return ""


def _column(operation: Operation, is_small: bool) -> str:
    """A new column: the version before writes rows without it."""
    field = operation.field
    if isinstance(field, models.ManyToManyField):
        return ""
    if not is_small and (field.unique or field.db_index):
        return "builds an index while the table is locked: db_index=False, then AddIndexBeside"
    has_value = field.null or field.db_default is not models.NOT_PROVIDED
    return "" if has_value else "the version before writes rows without it: null=True or db_default="


def _function(operation: migrations.RunPython, _is_small: bool) -> str:
    told = operation.code.__doc__ or ""
    return "" if FEW_ROWS.search(told) else "its function must say that it works in batches, or on few rows"


def _beside(operation: migrations.SeparateDatabaseAndState, is_small: bool) -> str:
    return "; ".join(filter(None, (_rule(each)(each, is_small) for each in operation.database_operations)))


def _unless_small(wrong: str) -> Rule:
    return lambda _, is_small: "" if is_small else wrong


_TAKES_AWAY = (
    migrations.RemoveField, migrations.RenameField, migrations.DeleteModel, migrations.RenameModel,
    migrations.AlterModelTable, migrations.AlterField, migrations.RemoveConstraint,
)  # fmt: skip
RULES: dict[type[Operation], Rule] = {
    migrations.CreateModel: _nothing,
    migrations.AddField: _column,
    migrations.RunPython: _function,
    migrations.SeparateDatabaseAndState: _beside,
    AddIndexBeside: _nothing,
    AddConstraintUnchecked: _nothing,
    CheckConstraintBeside: _nothing,
    migrations.RemoveIndex: _nothing,
    migrations.RenameIndex: _nothing,
    migrations.AlterModelOptions: _nothing,
    migrations.AlterModelManagers: _nothing,
    migrations.AddIndex: _unless_small("locks the table while it is built: AddIndexBeside"),
    migrations.AddConstraint: _unless_small("looks through the locked table: AddConstraintUnchecked"),
}


def _rule(operation: Operation) -> Rule:
    if isinstance(operation, _TAKES_AWAY):
        return lambda *_: "the version before uses it: only where the module's docstring says `unused since VERSION`"
    return RULES.get(type(operation), lambda *_: "is not among the operations that are known to be harmless")


def faults(operations: list[Operation], docstring: str = "") -> Iterator[str]:
    """What is wrong with a migration; with a table that it makes itself nothing can be."""
    made = {operation.name_lower for operation in operations if isinstance(operation, migrations.CreateModel)}
    is_over, is_small = UNUSED_SINCE.search(docstring) is not None, FEW_ROWS.search(docstring) is not None
    for operation in operations:
        is_new = str(getattr(operation, "model_name", "")).lower() in made
        if is_new or (is_over and isinstance(operation, _TAKES_AWAY)):
            continue
        if wrong := _rule(operation)(operation, is_small):
            yield f"{operation.describe()}: {wrong}"


def later() -> dict[tuple[str, str], migrations.Migration]:
    """Our migrations since the rule began."""
    graph = MigrationLoader(None).graph
    old = {node for app, name in BEGUN.items() for node in graph.forwards_plan((app, name))}
    ours = {node: one for node, one in graph.nodes.items() if type(one).__module__.startswith("apps.")}
    return {node: one for node, one in ours.items() if node not in old}


def test_every_migration_since_the_rule_began_lets_the_version_before_go_on():
    told = {
        node: list(faults(one.operations, sys.modules[type(one).__module__].__doc__ or ""))
        for node, one in later().items()
    }
    assert {node: wrong for node, wrong in told.items() if wrong} == {}


def test_the_list_of_what_was_there_names_migrations_that_are_there(monkeypatch):
    monkeypatch.setitem(BEGUN, "audit", "0001_audit_entries")
    assert ("audit", "0002_read_entries") in later()


def in_batches(apps, editor):
    """Fill the new column, in batches of a thousand rows that lack it."""


def at_once(apps, editor):
    """Fill the new column."""


TEXT, NUMBER = models.TextField(null=True), models.IntegerField()
INDEX = models.Index(fields=["day"], name="by_day")
CHECK = models.CheckConstraint(condition=models.Q(day__gt=0), name="day_positive")
MADE = migrations.CreateModel("run", [("day", NUMBER)])


@pytest.mark.parametrize(
    ("operations", "docstring", "wrong"),
    [
        pytest.param([MADE], "", "", id="a new table"),
        pytest.param([migrations.AddField("run", "note", TEXT)], "", "", id="a column that may be missing"),
        pytest.param(
            [migrations.AddField("run", "n", models.IntegerField(db_default=0))],
            "",
            "",
            id="a column that the database fills",
        ),
        pytest.param(
            [migrations.AddField("run", "n", models.IntegerField(default=0))],
            "",
            "db_default",
            id="a column that only the new version fills",
        ),
        pytest.param(
            [migrations.AddField("run", "n", models.IntegerField(null=True, db_index=True))],
            "",
            "AddIndexBeside",
            id="a column with an index",
        ),
        pytest.param(
            [migrations.AddField("run", "n", models.IntegerField(null=True, unique=True))],
            "",
            "AddIndexBeside",
            id="a column of which each value is there once",
        ),
        pytest.param(
            [migrations.AddField("run", "n", models.IntegerField(null=True, db_index=True))],
            "Few rows.",
            "",
            id="a column with an index in a small table",
        ),
        pytest.param(
            [migrations.AddField("run", "n", models.IntegerField(db_index=True))],
            "Few rows.",
            "db_default",
            id="and there, too, the version before fills none",
        ),
        pytest.param([migrations.RemoveField("run", "note")], "", "unused since", id="a column taken away"),
        pytest.param(
            [migrations.RemoveField("run", "note")],
            "Contract: unused since 0.2.",
            "",
            id="a column that nobody uses any more",
        ),
        pytest.param(
            [migrations.RemoveField("run", "note")],
            "Contract: unused since then.",
            "unused since",
            id="a column, without the version",
        ),
        pytest.param([migrations.RenameField("run", "note", "text")], "", "unused since", id="a column renamed"),
        pytest.param(
            [migrations.AlterField("run", "day", models.BigIntegerField())],
            "",
            "unused since",
            id="a column of another type",
        ),
        pytest.param([migrations.DeleteModel("run")], "", "unused since", id="a table taken away"),
        pytest.param([migrations.RenameModel("run", "work")], "", "unused since", id="a table renamed"),
        pytest.param(
            [migrations.AlterUniqueTogether("run", {("day",)})],
            "",
            "known to be harmless",
            id="what nobody has thought about",
        ),
        pytest.param([migrations.RunSQL("SELECT 1")], "", "known to be harmless", id="SQL by hand"),
        pytest.param([migrations.AddIndex("run", INDEX)], "", "AddIndexBeside", id="an index that locks"),
        pytest.param(
            [migrations.AddIndex("run", INDEX)], "It has few rows everywhere.", "", id="an index of a small table"
        ),
        pytest.param([MADE, migrations.AddIndex("run", INDEX)], "", "", id="an index of a new table"),
        pytest.param([AddIndexBeside("run", INDEX)], "", "", id="an index built beside"),
        pytest.param(
            [migrations.AddConstraint("run", CHECK)],
            "",
            "AddConstraintUnchecked",
            id="a constraint that looks at every row",
        ),
        pytest.param([AddConstraintUnchecked("run", CHECK)], "", "", id="a constraint of new rows"),
        pytest.param([CheckConstraintBeside("run", "day_positive")], "", "", id="and of those that are there"),
        pytest.param([migrations.RunPython(in_batches)], "", "", id="data in batches"),
        pytest.param([migrations.RunPython(at_once)], "", "in batches", id="data at once"),
        pytest.param(
            [migrations.SeparateDatabaseAndState([migrations.AddIndex("run", INDEX)])],
            "",
            "AddIndexBeside",
            id="hidden in another",
        ),
    ],
)
def test_the_rule(operations, docstring, wrong):
    found = list(faults(operations, docstring))
    assert bool(found) == bool(wrong)
    assert wrong in "".join(found)
