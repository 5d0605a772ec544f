"""Serverless pods are charged by the size they ask for: what a smaller request saves, added up on paper."""

from decimal import Decimal

import pytest

from apps.planning.methods.rightsizing.serverless import Ran, Ratio, charged, cheaper
from apps.planning.methods.rightsizing.verify import verify_serverless

RATIO = Ratio(8, 1)
ECI = "eci-1"


@pytest.mark.parametrize(
    ("asked", "resource", "size"),
    [
        pytest.param((1.6, 6), ECI, (2, 8), id="rounded up to the next size"),
        pytest.param((1, 9), ECI, (2, 16), id="more memory than one core can have takes two"),
        pytest.param((0.25, 1), ECI, (0.25, 1), id="a size itself"),
        pytest.param((1.6, 6), "arn:1", (1.6, 6), id="of others no sizes are known"),
    ],
)
def test_what_a_pod_is_charged_for(asked: tuple[float, float], resource: str, size: tuple[float, float]) -> None:
    assert charged(*asked, resource) == size


@pytest.mark.parametrize(
    ("ran", "then", "resource", "saved"),
    [
        pytest.param([Ran(10, 2, 8)], (1, 4), ECI, 12, id="half the size costs half of 24"),
        pytest.param([Ran(10, 2, 8)], (1.2, 6), ECI, 0, id="within a size nothing is saved"),
        pytest.param([Ran(10, 2, 8)], (1, 8), "arn:1", 8, id="a core less of two with 8 GiB: 8 of 24"),
        pytest.param([Ran(5, 2, 8), Ran(10, 1, 4)], (1, 4), ECI, 6, id="hours that asked for half save nothing more"),
        pytest.param([Ran(10, 2, 8)], (4, 16), ECI, -24, id="twice the size costs as much again"),
        pytest.param([], (1, 4), ECI, 0, id="what never ran saves nothing"),
    ],
)
def test_what_is_saved_of_24(ran: list[Ran], then: tuple[float, float], resource: str, saved: int) -> None:
    assert cheaper(Decimal(24), ran, (2, 8), then, resource, RATIO) == saved
    days = [[one.hours, one.cores, one.gib] for one in ran]
    told = {"now": (2, 8), "then": then, "months": 1}
    assert verify_serverless(days, Decimal(24), (8, 1), resource, told=float(saved), **told)
    if ran:
        assert not verify_serverless(days, Decimal(24), (8, 1), resource, told=saved + 1.0, **told)
