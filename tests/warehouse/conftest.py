"""Machines for every test that asks."""

from pathlib import Path
from typing import Any

import pytest

from apps.warehouse import objects
from tests.servers.objects import ObjectStore
from tests.warehouse.machines import Machines


@pytest.fixture
def machines(lake_bucket: ObjectStore, tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Machines:
    monkeypatch.setattr(objects, "WAIT_SECONDS", 0.001)
    return Machines(lake_bucket, tmp_path, settings)
