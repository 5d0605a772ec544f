"""Reading `COSTOPS_SSO_FILE`: providers of sign-in, and what their groups mean here."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured

from apps.finops.errors import CostOpsError

SLUG = frozenset("abcdefghijklmnopqrstuvwxyz0123456789-")
COMMON: dict[str, tuple[type, Any]] = {
    "id": (str, ...),
    "kind": (str, ...),
    "label": (str, ...),
    "groups_claim": (str, "groups"),
    "links_accounts": (bool, False),
    "makes_accounts": (bool, True),
    "trusts_email": (bool, False),
    "asks_second_factor": (bool, False),
}
"""What every provider says: the kind of value, and what holds without it; `...` where it must be there."""
KINDS: dict[str, dict[str, tuple[type, Any]]] = {
    "oidc": {
        "issuer": (str, ...),
        "client_id": (str, ...),
        "client_secret": (str, ""),
        "scopes": (list, ["openid", "profile", "email"]),
        "asks_userinfo": (bool, True),
    },
    "saml": {
        "entity_id": (str, ...),
        "sso_url": (str, ...),
        "certificate": (str, ...),
        "attributes": (dict, {}),
        "email_is_name_id": (bool, False),
    },
}
GIVES: dict[str, tuple[type, str]] = {
    "teams": (list, "team"),
    "units": (list, "unit"),
    "groups": (list, "group"),
    "staff": (bool, "staff"),
}
"""What a group may give, and the kind of `signin.Given` it is."""


@dataclass(frozen=True)
class Sso:
    """Settings of the library, by provider; `groups` is what each group gives, as pairs of kind and name."""

    providers: dict[str, Any] = field(default_factory=dict)
    groups: dict[str, tuple[tuple[str, str], ...]] = field(default_factory=dict)
    hosts: frozenset[str] = frozenset()
    second_factor: tuple[str, ...] = ()

    @property
    def has_saml(self) -> bool:
        return "saml" in self.providers


def read_sso(path: str) -> Sso:
    """What a file says; an empty path says nothing. What is wrong is one line."""
    if not path:
        return Sso()
    try:
        told = json.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise _wrong(f"{path} cannot be read as JSON ({error})") from error
    if not isinstance(told, dict) or told.keys() - {"providers", "groups"}:
        raise _wrong("it holds an object of `providers` and `groups`")
    found = [_provider(number, one) for number, one in enumerate(_list(told.get("providers", []), "providers"), 1)]
    names = [one["id"] for one in found]
    if twice := {name for name in names if names.count(name) > 1}:
        raise _wrong(f"there are two providers {twice.pop()!r}")
    by_kind: dict[str, Any] = {}
    for one in found:
        by_kind.setdefault(*LIBRARY[one["kind"]]())["APPS"].append(APPS[one["kind"]](one))
    return Sso(
        by_kind,
        _groups(told.get("groups", {})),
        frozenset(filter(None, (urlsplit(one.get("issuer", "")).hostname for one in found))),
        tuple(one["id"] for one in found if one["asks_second_factor"]),
    )


def _provider(number: int, told: Any) -> dict[str, Any]:
    """One provider, every field of which is there."""
    kind = told.get("kind") if isinstance(told, dict) else None
    if kind not in KINDS:
        raise _wrong(f"provider {number}: `kind` is one of {', '.join(KINDS)}")
    fields = COMMON | KINDS[kind]
    if unknown := told.keys() - fields.keys():
        raise _wrong(f"provider {number}: there is no {sorted(unknown)[0]!r}")
    found = {name: _field(number, name, told, *rule) for name, rule in fields.items()}
    if not set(found["id"]) <= SLUG or not found["id"]:
        raise _wrong(f"provider {number}: `id` is of small letters, digits and hyphens")
    _check_address(number, found.get("issuer") or found.get("sso_url") or "")
    for secret in ("client_secret", "certificate"):
        if found.get(secret):
            found[secret] = _secret(number, secret, found[secret])
    return found


def _field(number: int, name: str, told: Mapping[str, Any], kind: type, default: Any) -> Any:
    value = told.get(name, default)
    if value is ... or not isinstance(value, kind) or (default is ... and not value):
        raise _wrong(f"provider {number}: `{name}` must be {_WORDS[kind]}")
    return value


_WORDS = {str: "a text", bool: "true or false", list: "a list of texts", dict: "an object"}


def _check_address(number: int, url: str) -> None:
    """Secrets and tokens travel there: by https, but to this machine."""
    parts = urlsplit(url)
    if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in ("127.0.0.1", "localhost")):
        raise _wrong(f"provider {number}: its address must begin with https://")


def _secret(number: int, name: str, told: str) -> str:
    """A secret as `@file` or `env:NAME`, or as it is."""
    from apps.warehouse.sealed import given

    try:
        return given([f"{name}={told}"])[name]
    except CostOpsError as error:
        raise _wrong(f"provider {number}: {error}") from error


def _groups(told: Any) -> dict[str, tuple[tuple[str, str], ...]]:
    if not isinstance(told, dict):
        raise _wrong("`groups` is an object: the name of a group, and what it gives")
    return {name: tuple(_given(name, gives)) for name, gives in told.items()}


def _given(name: str, gives: Any) -> list[tuple[str, str]]:
    if not isinstance(gives, dict) or gives.keys() - GIVES.keys():
        raise _wrong(f"group {name!r} gives {', '.join(GIVES)}")
    found: list[tuple[str, str]] = []
    for what, value in gives.items():
        kind, word = GIVES[what]
        if not isinstance(value, kind):
            raise _wrong(f"group {name!r}: `{what}` must be {_WORDS[kind]}")
        names = value if isinstance(value, list) else [""] * bool(value)
        found += [(word, str(one)) for one in names]
    return found


def _list(told: Any, name: str) -> list[Any]:
    if not isinstance(told, list):
        raise _wrong(f"`{name}` is a list")
    return told


def _oidc() -> tuple[str, dict[str, Any]]:
    return "openid_connect", {"provider_class": "apps.signin.oidc.Provider", "APPS": []}


def _saml() -> tuple[str, dict[str, Any]]:
    if find_spec("onelogin") is None:
        raise _wrong("SAML needs packages of its own: install requirements/saml.txt")
    return "saml", {"APPS": []}


def _oidc_app(told: dict[str, Any]) -> dict[str, Any]:
    known = {"server_url": told["issuer"], "scope": told["scopes"], "asks_userinfo": told["asks_userinfo"]}
    return _app(told, told["client_id"], told["client_secret"]) | {"settings": _common(told) | known}


def _saml_app(told: dict[str, Any]) -> dict[str, Any]:
    idp = {"entity_id": told["entity_id"], "sso_url": told["sso_url"], "x509cert": told["certificate"]}
    known = {
        "idp": idp,
        "advanced": dict.fromkeys(
            ("want_assertion_signed", "reject_idp_initiated_sso", "allow_single_label_domains"), True
        ),
        "use_nameid_for_email": told["email_is_name_id"],
        **({"attribute_mapping": told["attributes"]} if told["attributes"] else {}),
    }
    return _app(told, told["id"], "") | {"settings": _common(told) | known}


def _app(told: dict[str, Any], client: str, secret: str) -> dict[str, Any]:
    return {"provider_id": told["id"], "name": told["label"], "client_id": client, "secret": secret}


def _common(told: dict[str, Any]) -> dict[str, Any]:
    kept = {name: told[name] for name in ("groups_claim", "links_accounts", "makes_accounts")}
    return kept | ({"verified_email": True} if told["trusts_email"] else {})


LIBRARY = {"oidc": _oidc, "saml": _saml}
APPS = {"oidc": _oidc_app, "saml": _saml_app}


def _wrong(what: str) -> ImproperlyConfigured:
    return ImproperlyConfigured(f"COSTOPS_SSO_FILE: {what}.")
