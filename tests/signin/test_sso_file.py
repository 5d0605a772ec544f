"""The file of providers: what it says, and what is told of what is wrong with it."""

import json

import pytest
from django.core.exceptions import ImproperlyConfigured

from costops.sso import read_sso

GOOD = {"kind": "oidc", "id": "corp", "label": "Corp", "issuer": "https://id.corp.example", "client_id": "costops"}


def written(tmp_path, told) -> str:
    path = tmp_path / "sso.json"
    path.write_text(told if isinstance(told, str) else json.dumps(told))
    return str(path)


def test_without_a_file_there_are_no_providers():
    assert read_sso("").providers == {}


def test_a_secret_stands_elsewhere(tmp_path, monkeypatch):
    monkeypatch.setenv("CORP_SECRET", "from the environment")
    (tmp_path / "secret").write_text("from a file\n")
    for told, secret in (("env:CORP_SECRET", "from the environment"), (f"@{tmp_path}/secret", "from a file")):
        sso = read_sso(written(tmp_path, {"providers": [GOOD | {"client_secret": told}]}))
        assert sso.providers["openid_connect"]["APPS"][0]["secret"] == secret
        assert sso.hosts == {"id.corp.example"}


@pytest.mark.parametrize(
    ("told", "said"),
    [
        pytest.param("{", "cannot be read as JSON", id="not JSON"),
        pytest.param([], "holds an object", id="a list"),
        pytest.param({"provider": []}, "holds an object", id="a word that means nothing"),
        pytest.param({"providers": {}}, "`providers` is a list", id="providers that are no list"),
        pytest.param({"providers": [{"kind": "ldap"}]}, "provider 1: `kind` is one of oidc, saml", id="another kind"),
        pytest.param({"providers": ["x"]}, "provider 1: `kind` is one of", id="a provider that is a text"),
        pytest.param({"providers": [GOOD | {"isuer": "x"}]}, "there is no 'isuer'", id="a mistyped name"),
        pytest.param({"providers": [GOOD | {"issuer": ""}]}, "`issuer` must be a text", id="no issuer"),
        pytest.param({"providers": [GOOD | {"issuer": "http://id.corp"}]}, "begin with https://", id="an open address"),
        pytest.param({"providers": [GOOD | {"links_accounts": "yes"}]}, "must be true or false", id="a word for a yes"),
        pytest.param({"providers": [GOOD | {"id": "Corp/1"}]}, "small letters, digits", id="an id no address holds"),
        pytest.param({"providers": [GOOD, GOOD]}, "two providers 'corp'", id="one provider twice"),
        pytest.param(
            {"providers": [GOOD | {"client_secret": "env:NOWHERE"}]}, "no environment variable NOWHERE", id="no secret"
        ),
        pytest.param({"groups": []}, "`groups` is an object", id="groups that are a list"),
        pytest.param(
            {"groups": {"a": {"team": []}}}, "group 'a' gives teams, units", id="a group that gives what is not"
        ),
        pytest.param({"groups": {"a": {"staff": "yes"}}}, "`staff` must be true or false", id="a word for staff"),
    ],
)
def test_what_is_wrong_is_one_line(tmp_path, told, said):
    with pytest.raises(ImproperlyConfigured, match="COSTOPS_SSO_FILE") as wrong:
        read_sso(written(tmp_path, told))
    assert said in str(wrong.value)


def test_a_file_that_is_not_there_is_said_to_be(tmp_path):
    with pytest.raises(ImproperlyConfigured, match="cannot be read"):
        read_sso(str(tmp_path / "nowhere.json"))
