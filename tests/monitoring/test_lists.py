"""Lists of settings: items stand between commas, with blanks or without."""

import pytest
from django.core.exceptions import ImproperlyConfigured

from apps.warehouse.addresses import is_listed
from costops.reading import Environment

LOCAL = ["localhost"]


@pytest.fixture
def given(monkeypatch):
    """Settings as they are read where a variable says something."""

    def environment(value):
        monkeypatch.setenv("COSTOPS_LIST", value)
        return Environment()

    return environment


@pytest.mark.parametrize(
    ("value", "items"),
    [
        pytest.param("a,b", ["a", "b"], id="as documented"),
        pytest.param(" a, b ,\tc\n", ["a", "b", "c"], id="with blanks"),
        pytest.param("school term:2026-09-01..2027-01-15", ["school term:2026-09-01..2027-01-15"], id="blanks within"),
        pytest.param("a,, ,b,", ["a", "b"], id="without empty ones"),
        pytest.param("", [], id="none"),
        pytest.param(" ", [], id="a blank is none"),
    ],
)
def test_items_stand_between_commas(given, value, items):
    assert given(value).list("COSTOPS_LIST", default=["other"]) == items


@pytest.mark.parametrize(
    ("value", "hosts"),
    [
        ("a.example.com, b.example.com", ["a.example.com", "b.example.com"]),
        (".corp,[::1],*,127.0.0.1", [".corp", "[::1]", "*", "127.0.0.1"]),
        ("", LOCAL),
        (" , ", LOCAL),
    ],
)
def test_a_site_answers_to_names(given, value, hosts):
    assert given(value).hosts("COSTOPS_LIST", default=LOCAL) == hosts


@pytest.mark.parametrize("value", ["https://a.example.com", "a.example.com/", "a.example.com:8000", "*.corp", "a b"])
def test_what_is_no_name_is_refused(given, value):
    with pytest.raises(ImproperlyConfigured, match=r"^COSTOPS_LIST: .* is not a host name, such as "):
        given(value).hosts("COSTOPS_LIST", default=LOCAL)


def test_forms_come_from_origins(given):
    assert given("https://A.corp/, http://*.b.corp:8000").origins("COSTOPS_LIST") == [
        "https://a.corp",
        "http://*.b.corp:8000",
    ]


@pytest.mark.parametrize("value", ["a.example.com", "https://a.example.com/x", "ftp://a", "https://me@a.example.com"])
def test_what_is_no_origin_is_refused(given, value):
    with pytest.raises(ImproperlyConfigured, match=r"^COSTOPS_LIST: .* is not https://HOST.$"):
        given(value).origins("COSTOPS_LIST")


def test_keys_have_no_blanks_and_what_those_with_them_sealed_opens_still(given):
    assert given("new,old").keys("COSTOPS_LIST") == ["new", "old"]
    assert given("new, old\n").keys("COSTOPS_LIST") == ["new", "old", " old\n"]


@pytest.mark.parametrize(
    ("place", "host", "port", "address"),
    [
        ("jira.corp", "jira.corp", 8080, "10.1.2.3"),
        ("*.corp:8443", "jira.corp", 8443, "10.1.2.3"),
        ("prometheus_x", "prometheus_x", 9090, "10.1.2.3"),
        ("10.1.0.0/16", "jira.corp", 80, "10.1.2.3"),
        ("10.1.0.0/16:443", "jira.corp", 443, "10.1.2.3"),
        ("127.0.0.1:9000", "localhost", 9000, "127.0.0.1"),
        ("[::1]:9000", "localhost", 9000, "::1"),
        ("[::1]", "localhost", 9000, "::1"),
        ("fd00::/8", "jira.corp", 80, "fd00::7"),
    ],
)
def test_places_are_hosts_and_networks_and_what_is_taken_is_found(given, place, host, port, address):
    places = given(f"other.corp, {place}").places("COSTOPS_LIST")
    assert places == ["other.corp", place]
    assert is_listed(places, host, port, address)
    assert not is_listed(places, "else.where", port, "192.0.2.1")


@pytest.mark.parametrize(
    "value",
    [
        pytest.param("http://jira.corp", id="an address of the web"),
        pytest.param("http://jira.corp:8080", id="such an address with a port"),
        pytest.param("jira.corp/x", id="a path"),
        pytest.param("me@jira.corp", id="a user"),
        pytest.param("jira.corp:99999", id="no port"),
        pytest.param("jira.corp:0", id="no port either"),
        pytest.param(".corp", id="no host is called so"),
        pytest.param("10.1.0.0/99", id="no network"),
        pytest.param("10.1.0.5/16", id="a network that says more than it has"),
        pytest.param("10.1.0", id="no address"),
        pytest.param("fd00::1", id="a port or the end of an address: nobody knows"),
    ],
)
def test_what_would_match_no_place_is_refused(given, value):
    with pytest.raises(ImproperlyConfigured, match=r"^COSTOPS_LIST: .* is no host and no network, such as jira.corp,"):
        given(f"*.corp,{value}").places("COSTOPS_LIST")
