"""The small school, opened anew for every test that asks."""

from pathlib import Path
from typing import Any

import pytest


@pytest.fixture
def a_school(home: Path, tmp_path: Path, request: pytest.FixtureRequest) -> Any:
    """A school (`tests.pipeline.world.School`) with three days of October, ready to be filled."""
    from django.core.cache import cache

    from tests.pipeline.world import School

    cache.clear()  # a test's database begins to count publications anew
    if "transactional_db" not in request.fixturenames:
        request.getfixturevalue("db")
    return School.open(tmp_path / "school")
