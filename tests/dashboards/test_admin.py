"""The admin: loads for staff, and changes nothing but memberships."""

import pytest

from tests.dashboards import company

LISTS = [
    ("teams/team", False),
    ("teams/membership", True),
    ("teams/ruleset", False),
    ("teams/ruledraft", False),
    ("teams/drafttrail", False),
    ("insights/worklistdecision", False),
    ("operations/recommendation", False),
    ("operations/recommendationstep", False),
    ("ingest/source", False),
    ("ingest/landedfile", False),
    ("marts/publication", False),
    ("pipeline/steprun", False),
]


@pytest.mark.parametrize(("address", "can_add"), LISTS)
def test_a_list_loads_and_only_memberships_can_be_added(published, client_of, address, can_add):
    company.sources()
    staff = client_of("staff")
    assert staff.get(f"/admin/{address}/").status_code == 200
    assert staff.get(f"/admin/{address}/?q=x").status_code == 200
    assert staff.get(f"/admin/{address}/add/").status_code == (200 if can_add else 403)


def test_the_location_of_a_source_may_hold_a_password_and_is_not_shown(people, client_of):
    from apps.ingest.models import Source

    company.sources()
    source = Source.objects.get(name="online")
    body = client_of("staff").get(f"/admin/ingest/source/{source.pk}/change/").content.decode()
    assert "secret" not in body
