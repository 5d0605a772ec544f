"""Requests that a page of somebody else, or nobody's browser, would send."""

import pytest
from django.urls import get_resolver

from tests.dashboards import company


@pytest.mark.parametrize(
    "host", ["evil.example", "localhost@evil.example", "localhost:80evil", "", "[::1", "a" * 3_000]
)
def test_a_host_that_is_not_ours_is_refused(published, client_of, host):
    answer = client_of("staff").get("/", headers={"host": host})
    assert answer.status_code == 400
    assert "evil.example" not in answer.content.decode()


@pytest.mark.parametrize("address", ["/", "/login/", "/admin/login/", "/explorer/", "/no/such/page/", "/api/v1/teams/"])
def test_nothing_is_shown_inside_of_another_page(published, client_of, address):
    answer = client_of("staff").get(address)
    assert answer.headers["X-Frame-Options"] == "DENY"
    assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]


def test_no_form_is_taken_from_elsewhere(published):
    """Every address by every way that changes something: without the token of the form nothing is done."""
    from django.test import Client

    client = Client(enforce_csrf_checks=True, raise_request_exception=False)
    client.login(username="staff", password=company.PASSWORD)
    wrong = []
    for address in (*_plain_addresses(), "/login/", "/logout/"):
        for method in ("post", "put", "patch", "delete"):
            answer = getattr(client, method)(address, {"name": "x"} if method == "post" else None)
            if answer.status_code not in (401, 403, 404, 405, 415):
                wrong.append((method, address, answer.status_code))
    assert wrong == []
    assert client.get("/").status_code == 200, "still signed in"


def _plain_addresses() -> list[str]:
    """Addresses without a place in them, but for those of the admin's frame."""
    found = []
    for name in get_resolver().reverse_dict:
        (address, places), *_ = get_resolver().reverse_dict.getlist(name)[0][0]
        if not places:
            found.append(f"/{address}")
    assert len(found) > 60
    return sorted(set(found))


@pytest.mark.parametrize(
    ("form", "code"),
    [
        pytest.param({f"field-{at}": "x" for at in range(5_000)}, 400, id="five thousand fields"),
        pytest.param({"next": "x" * 1_500_000}, 400, id="a field that is larger than any form"),
        pytest.param({"username": "a" * 100_000, "password": "b" * 100_000}, 200, id="a long name is a wrong one"),
    ],
)
def test_a_form_without_end_is_refused(published, client, form, code):
    assert (
        client.post(
            "/login/",
            "&".join(f"{name}={text}" for name, text in form.items()),
            content_type="application/x-www-form-urlencoded",
        ).status_code
        == code
    )
