"""What is asked of one database only is there, and asked of it."""

import pytest

from tests.architecture import tree
from tests.databases import ON_POSTGRES, ON_SQLITE, is_asked


@pytest.mark.parametrize("place", [*ON_SQLITE, *ON_POSTGRES])
def test_every_place_holds_tests(place: str) -> None:
    file, _, name = place.partition("::")
    found = list((tree.ROOT / "tests").glob(f"{file}**/*.py" if file.endswith("/") else f"{file}*"))
    assert found
    assert any(f"def {name.partition('[')[0]}" in path.read_text() for path in found if path.suffix == ".py")


@pytest.mark.parametrize(
    ("database", "place", "fixtures", "is_it"),
    [
        pytest.param("sqlite", "marts/test_shape.py::test_a", ["db"], True, id="what the engine computes"),
        pytest.param("postgres", "marts/test_shape.py::test_a", ["db"], False, id="and not twice"),
        pytest.param("postgres", "audit/test_audit.py::test_a", ["db"], True, id="what a database keeps"),
        pytest.param("sqlite", "audit/test_audit.py::test_a", ["db"], True, id="that twice"),
        pytest.param("postgres", "finops/test_money.py::test_a", ["tmp_path"], False, id="no database at all"),
        pytest.param("sqlite", ON_POSTGRES[0], [], False, id="an installation of several processes"),
        pytest.param("", ON_POSTGRES[0], [], True, id="what one asks oneself"),
    ],
)
def test_who_is_asked(database: str, place: str, fixtures: list[str], *, is_it: bool) -> None:
    assert is_asked(database, place, fixtures) is is_it
