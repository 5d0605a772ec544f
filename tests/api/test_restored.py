"""After a restore: the number of a publication is given again, to other costs."""

from datetime import UTC, datetime

import pytest
from django.db import connection

from apps.marts.models import Publication
from tests.api.company import COSTS
from tests.worlds import publish_costs

DAYS = {"start": "2026-10-01", "end": "2026-11-01"}
ASKED = [
    pytest.param("/api/v1/costs/", DAYS | {"group_by": "day"}, id="costs"),
    pytest.param("/api/v1/bases/", DAYS, id="bases"),
    pytest.param("/api/v1/why/", DAYS, id="why"),
    pytest.param("/api/v1/reconciliation/", {}, id="reconciliation"),
    pytest.param("/api/v1/efficiency/", DAYS, id="efficiency"),
    pytest.param(
        "/api/compat/opencost/allocation/", {"window": "2026-10-01T00:00:00Z,2026-10-08T00:00:00Z"}, id="like OpenCost"
    ),
]


def give_the_number_again() -> None:
    """The newest publication is lost with the database that knew it, and another is made instead."""
    lost = Publication.objects.order_by("-number").first()
    number = lost.number
    lost.delete()
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("UPDATE sqlite_sequence SET seq = %s WHERE name = 'marts_publication'", [number - 1])
        else:
            cursor.execute("SELECT setval(pg_get_serial_sequence('marts_publication', 'number'), %s)", [number - 1])
    publish_costs(COSTS[:3], created_at=datetime(2026, 11, 3, 3, tzinfo=UTC))
    assert Publication.objects.order_by("-number").first().number == number


@pytest.fixture
def lost(callers):
    publish_costs(COSTS)
    return callers["finance"]


@pytest.mark.parametrize(("address", "asked"), ASKED)
def test_what_somebody_has_of_a_publication_that_was_lost_is_not_confirmed(lost, address, asked):
    etag = lost.get(address, asked)["ETag"]
    assert lost.get(address, asked, headers={"if-none-match": etag}).status_code == 304
    give_the_number_again()
    assert lost.get(address, asked, headers={"if-none-match": etag}).status_code == 200


@pytest.mark.parametrize("address", ["/api/v1/costs/", "/api/v1/reconciliation/"])
def test_pages_of_a_publication_that_was_lost_do_not_go_on_in_another(lost, address):
    asked = (DAYS | {"group_by": "day,team"} if "costs" in address else {}) | {"limit": "1"}
    cursor = lost.get(address, asked).json()["page"]["next_cursor"]
    give_the_number_again()
    assert lost.get(address, asked | {"cursor": cursor}).status_code in (400, 409)
