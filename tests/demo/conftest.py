"""Small simulated companies, written once for all tests of this folder."""

from collections.abc import Callable
from pathlib import Path

import pytest
from django.core.management import call_command

from tests.demo.readings import Company, read_company

Simulate = Callable[..., Company]


def simulate_into(folder: Path, *, zone: str = "UTC", **options: object) -> Company:
    """Run the command as a person would and read back what it wrote."""
    from django.test import override_settings

    with override_settings(COSTOPS_TIME_ZONE=zone):
        call_command("demo", to=folder, **options)
    return read_company(folder, zone=zone)


@pytest.fixture(scope="session")
def simulate(tmp_path_factory: pytest.TempPathFactory) -> Simulate:
    """Write a company with these options of the command."""
    return lambda **options: simulate_into(tmp_path_factory.mktemp("company"), **options)


@pytest.fixture(scope="session")
def tiny(simulate: Simulate) -> Company:
    """Three days, some sixteen namespaces."""
    return simulate(days=3, scale=0.02)


@pytest.fixture(scope="session")
def autumn(simulate: Simulate) -> Company:
    """The days around the end of October: two bills, a correction, month-end rounding."""
    return simulate(days=7, start="2026-10-27", scale=0.02, seed=7, metrics_days=0)
