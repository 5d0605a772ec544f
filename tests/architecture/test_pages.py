"""Pages are complete: every setting, column, step and API parameter is explained where people look for it."""

import importlib
import re

import pytest

from apps.finops import focus, tables
from tests.architecture import tree

SETTING = re.compile(r"\bCOSTOPS_[A-Z][A-Z_]*\b")
READ_SETTING = re.compile(r"""env[\w.]*\(\s*["'](COSTOPS_[A-Z_]+)|environ[\w.]*[\[(]["'](COSTOPS_[A-Z_]+)""")


def settings_read() -> set[str]:
    """Every COSTOPS_ variable that settings or the programs in scripts/ take from the environment."""
    sources = [tree.ROOT / "costops" / "settings.py", *(tree.ROOT / "scripts").glob("*.py")]
    found = READ_SETTING.findall("\n".join(path.read_text() for path in sources))
    return {first or second for first, second in found}


def words_in_code(*pages: str) -> set[str]:
    """Words in backticks, on pages and in the tables of columns."""
    prose = re.sub(r"^```.*?^```", "", "\n".join(pages), flags=re.MULTILINE | re.DOTALL)
    inside = re.findall(r"`([^`\n]+)`", prose)
    return {word for text in inside for word in re.findall(r"\w+", text)}


def test_every_setting_is_documented():
    read = settings_read()
    assert len(read) > 15
    assert read - set(SETTING.findall((tree.ROOT / "docs/settings.md").read_text())) == set()


def test_every_documented_setting_exists():
    documented = set(re.findall(r"^\| `(COSTOPS_[A-Z_]+)`", (tree.ROOT / "docs/settings.md").read_text(), re.MULTILINE))
    assert documented - settings_read() == set()


def lake_tables() -> list[tables.LakeTable]:
    found = [value for value in vars(tables).values() if isinstance(value, tables.LakeTable)]
    assert len(found) >= 8
    return found


def told_of_the_lake() -> dict[str, set[str]]:
    """The tables that docs/lake.md tells of, and the columns it lists for each: below a heading or a bold name, and for
    usage by the day in the row of its name."""
    found: dict[str, set[str]] = {}
    about, is_of_columns = "", False
    for line in (tree.ROOT / "docs/lake.md").read_text().splitlines():
        if named := re.match(r"(?:## |\*\*)`(\w+)`", line):
            about = named[1]
            found.setdefault(about, set())
        cells = [re.findall(r"`(\w+)`", cell) for cell in line.split("|")[1:]]
        if not cells:
            is_of_columns = False
            if usage := re.match(r"(.+) hold the columns of the usage files", line):
                found |= {name: set() for name in re.findall(r"`(\w+)`", usage[1])}
        elif "| column |" in line:
            is_of_columns = True
        elif is_of_columns:
            found[about] |= set(cells[0])
        elif cells[0] and cells[0][0].endswith("_days"):
            found[cells[0][0]] = {*cells[1], *cells[2]}
    return found


def test_the_page_of_the_lake_tells_of_its_tables():
    assert set(told_of_the_lake()) == {table.name for table in tables.LAKE}


@pytest.mark.parametrize("table", lake_tables(), ids=lambda table: table.name)
def test_the_page_of_the_lake_tells_of_the_columns_of_a_table(table):
    columns = set(table.columns) - set(focus.COLUMNS)  # FOCUS documents its own
    assert columns
    pages = ("lake", "data") if isinstance(table, tables.UsageTable) else ("lake",)
    assert columns - words_in_code(*((tree.ROOT / f"docs/{name}.md").read_text() for name in pages)) == set()


@pytest.mark.parametrize("table", lake_tables(), ids=lambda table: table.name)
def test_the_page_of_the_lake_tells_of_no_column_that_a_table_does_not_have(table):
    assert told_of_the_lake()[table.name] - set(table.columns) == set()


def declared_steps() -> list[str]:
    """The names of the steps in the table a newcomer reads first, wherever in `pipeline` it stands."""
    for path in sorted((tree.ROOT / "apps" / "pipeline").glob("*.py")):
        if re.search(r"^STEPS\b", path.read_text(), re.MULTILINE):
            module = importlib.import_module(f"apps.pipeline.{path.stem}")
            return [getattr(step, "name", step) for step in module.STEPS]
    return []


def test_every_step_is_documented():
    steps = declared_steps()
    if (tree.ROOT / "apps/pipeline/services.py").exists():
        assert len(steps) >= 5
    assert set(steps) - words_in_code(tree.pages()) == set()


def test_every_api_parameter_is_explained():
    if not (tree.ROOT / "apps/api/urls.py").exists():
        return
    from drf_spectacular.generators import SchemaGenerator

    schema = SchemaGenerator().get_schema(request=None, public=True)
    paths, shared = schema["paths"], schema["components"]["parameters"]
    parameters = [
        (f"{method} {path} {parameter['name']}", parameter.get("description", ""))
        for path, methods in paths.items()
        for method, operation in methods.items()
        for said in operation.get("parameters", [])
        for parameter in [shared[said["$ref"].rpartition("/")[2]] if "$ref" in said else said]
    ]
    assert parameters
    assert [where for where, description in parameters if not description] == []


def test_every_check_of_a_bill_is_documented():
    from apps.ingest.quality.checks import ROW_CHECKS, SOURCE_CHECKS

    page = (tree.ROOT / "docs/quality.md").read_text()
    for check in (*ROW_CHECKS, *SOURCE_CHECKS.values()):
        assert f"| `{check.code}` | {check.then} | {check.means} | {check.way_out} |" in page
