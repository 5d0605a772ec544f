"""Lists of settings: items stand between commas, with blanks or without."""

import pytest
from django.core.exceptions import ImproperlyConfigured

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
