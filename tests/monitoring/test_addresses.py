"""Addresses with passwords are read as they were meant, or refused: never cut at a letter of the password."""

from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from costops.reading import Environment


@pytest.fixture
def read(monkeypatch):
    """Reads an address of the database as settings do."""

    def database(address):
        monkeypatch.setenv("COSTOPS_DATABASE_URL", address)
        return Environment().database("COSTOPS_DATABASE_URL", embedded=Path("/nowhere"))

    return database


@pytest.mark.parametrize(
    ("address", "password", "host", "port"),
    [
        pytest.param("postgres://u:abc-1.2_3~@h:5432/d", "abc-1.2_3~", "h", 5432, id="letters and digits"),
        pytest.param("postgres://u:a%2Fb%3Fc%25cd@h/d", "a/b?c%cd", "h", "", id="others percent-encoded"),
        pytest.param("postgres://u:a:b@c@h/d", "a:b@c", "h", "", id="a colon and an at, which end nothing"),
        pytest.param("postgres://u:%E5%AF%86@h/d", "密", "h", "", id="Chinese"),
        pytest.param("postgres://u@h:5432/d", "", "h", 5432, id="none"),
        pytest.param("postgres://u:p@h1:5432,h2:5433/d", "p", "h1,h2", "5432,5433", id="two hosts"),
        pytest.param("postgres://u:p@[::1]:5432/d", "p", "::1", 5432, id="an address of IPv6"),
        pytest.param("postgres:///d", "", "", "", id="a socket"),
    ],
)
def test_an_address_is_read_as_it_was_meant(read, address, password, host, port):
    found = read(address)
    assert (found["NAME"], found["PASSWORD"], found["HOST"], found["PORT"]) == ("d", password, host, port)


@pytest.mark.parametrize(
    "password", ["hid/den", "hid?den", "hid#den", "123/hidden", "hid%den", "hid%cden", "hid[den", "hid%0Aden"]
)
def test_a_password_that_would_be_read_as_another_is_refused_and_not_told(read, password):
    with pytest.raises(ImproperlyConfigured) as refused:
        read(f"postgres://u:{password}@h/d")
    assert str(refused.value).startswith("COSTOPS_DATABASE_URL: cannot be read as USER:PASSWORD@HOST:PORT.")
    assert "hid" not in str(refused.value).lower()


@pytest.mark.parametrize("host", ["h:99999", "h:0", "h1:5432,h2:70000", "[::1", "[::1]:65536"])
def test_a_port_that_there_is_not_is_refused(read, host):
    with pytest.raises(ImproperlyConfigured, match=r"^COSTOPS_DATABASE_URL: cannot be read"):
        read(f"postgres://u:p@{host}/d")


@pytest.mark.parametrize("address", ["http://h:99999", "http://h:0", "http://[::1", "http://h:x"])
def test_so_it_is_in_addresses_of_the_web(monkeypatch, address):
    monkeypatch.setenv("COSTOPS_SITE_URL", address)
    with pytest.raises(ImproperlyConfigured, match=r"^COSTOPS_SITE_URL: must be https://HOST"):
        Environment().web_address("COSTOPS_SITE_URL")


def test_a_file_may_lie_anywhere(read):
    assert read("sqlite:////home/me@corp/50%/x.sqlite3")["NAME"] == "/home/me@corp/50%/x.sqlite3"


@pytest.mark.parametrize(
    "sender",
    [
        "CostOps <costops@localhost>",
        "costops@example.com",
        "<costops@mail>",
        '"Costs, exact" <costops@example.com>',
        "成本 <costops@example.com>",
    ],
)
def test_mail_is_from_an_address(monkeypatch, sender):
    monkeypatch.setenv("COSTOPS_FROM_EMAIL", sender)
    assert Environment().sender("COSTOPS_FROM_EMAIL", default="no@where") == sender


def test_where_nobody_is_named_mail_is_from_the_default(monkeypatch):
    monkeypatch.setenv("COSTOPS_FROM_EMAIL", " ")
    assert Environment().sender("COSTOPS_FROM_EMAIL", default="CostOps <a@b>") == "CostOps <a@b>"


@pytest.mark.parametrize(
    "sender", ["bad", "CostOps", "Costs, exact <a@b>", "a@b, c@d", "CostOps a@b", "a@", "x <a@b> y", "a b@c"]
)
def test_what_mail_cannot_be_from_is_refused(monkeypatch, sender):
    monkeypatch.setenv("COSTOPS_FROM_EMAIL", sender)
    with pytest.raises(ImproperlyConfigured, match=r"^COSTOPS_FROM_EMAIL: .* is not ADDRESS or NAME <ADDRESS>"):
        Environment().sender("COSTOPS_FROM_EMAIL", default="")
