"""Worlds that several test modules plan from."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from apps.marts.models import Publication


@pytest.fixture(scope="module")
def school_lake(
    django_db_setup: None, django_db_blocker: Any, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Path]:
    from tests.once import made_once
    from tests.planning.school_world import make

    with made_once(django_db_blocker, tmp_path_factory.mktemp("school") / "lake", make) as lake:
        yield lake


@pytest.fixture
def school(school_lake: Path, home: Path) -> "Publication":
    from apps.marts.models import Publication
    from tests.once import put_in_home

    put_in_home(school_lake)
    return Publication.objects.get()
