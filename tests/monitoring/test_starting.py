"""Settings that hardly can be meant as they are: `manage.py check` says so, and everything starts."""

import pytest
from django.core.checks import run_checks

from costops import starting


@pytest.mark.parametrize(
    ("gib", "engine", "is_doubted"),
    [
        pytest.param(4, "1GB", False, id="as without any setting"),
        pytest.param(1, "8GB", True, id="less than one engine"),
        pytest.param(3, "1GB", False, id="three are enough"),
        pytest.param(3, "1GiB", False, id="three to the byte"),
        pytest.param(3, "1.1 GiB", True, id="not quite three"),
        pytest.param(1, "333mb", False, id="small ones"),
        pytest.param(1, "400MiB", True, id="small ones, and not quite three"),
        pytest.param(400, "1TB", True, id="large ones"),
    ],
)
def test_reading_takes_three_engines(settings, gib, engine, is_doubted):
    settings.COSTOPS_READ_MEMORY_GIB, settings.COSTOPS_MEMORY_LIMIT = gib, engine
    settings.COSTOPS_READ_APART = True
    assert [doubt.id for doubt in run_checks() if doubt.id == "costops.W001"] == ["costops.W001"] * is_doubted
    starting.check()


def test_where_nothing_is_read_apart_nobody_asks(settings):
    settings.COSTOPS_READ_MEMORY_GIB, settings.COSTOPS_MEMORY_LIMIT = 1, "8GB"
    settings.COSTOPS_READ_APART = False
    assert starting.amounts() == []


def test_it_is_said_with_both_settings(settings):
    settings.COSTOPS_READ_MEMORY_GIB, settings.COSTOPS_MEMORY_LIMIT = 1, "8GB"
    settings.COSTOPS_READ_APART = True
    (doubt,) = starting.amounts()
    assert doubt.msg == "COSTOPS_READ_MEMORY_GIB: 1 is less than 3 times COSTOPS_MEMORY_LIMIT (8GB)."
