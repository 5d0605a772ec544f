"""Everybody who asks of the world of canaries: with a role or none, signed in or by token, or nobody any more."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta

from django.contrib.auth.models import User
from django.test import Client

from apps.api.services import issue_token, revoke_token
from apps.teams.granting import Wish, give, make_service_account
from tests.access.world import CELLS, NOW, A, B, of_ones_own


@dataclass(frozen=True)
class Actor:
    """Somebody: their client, the cells they see, and what they are, as the table of addresses knows people.

    `kind` is `dead` (nobody, or nobody any more), `none` (sees no cost), `account`, `some` or `all`; `teams` are those
    they see, and where they `decides` decide for; `may` is what they may do of the whole company, `areas` what of
    the API a token opens, None: all of it.
    """

    name: str
    client: Client
    kind: str
    sees: frozenset[str] = frozenset()
    teams: frozenset[str] = frozenset()
    may: frozenset[str] = frozenset()
    decides: bool = False
    areas: frozenset[str] | None = None
    is_token: bool = False


EVERY_CELL = frozenset(CELLS)
OF_A, OF_B = frozenset({"kestrel", "kingfisher"}), frozenset({"walrus", "wombat"})
OPERATES = frozenset({"manage_sources", "see_audit", "change_rules"})
ANSWERS = frozenset(
    {"speak_for_company", "answer_disputes", "change_rules", "book_entries", "close_months", "add_invoices"}
)
ADMINISTERS = frozenset({"see_audit", "see_settings", "manage_access"})
EVERYTHING = ANSWERS | OPERATES | ADMINISTERS


def hire() -> dict[str, Actor]:
    """Somebody of every sort, signed in or with a token."""
    users = {name: User.objects.create_user(name) for name in ROLES}
    for name, (role, reach, value) in ROLES.items():
        give(Wish(name, role, reach, value), by="han", now=NOW)
    of_ones_own(users["finance"])
    users["root"] = User.objects.create_superuser("root")
    robot = make_service_account("robot", purpose="reads for the platform team", by="han", now=NOW).user
    give(Wish("robot", "viewer", "team", A), by="han", now=NOW)
    gone = User.objects.create_user("gone")
    give(Wish("gone", "finance"), by="han", now=NOW)
    clients = {name: signed_in(user) for name, user in users.items()}
    dead = {
        "anonymous": Client(raise_request_exception=False),
        "disabled": signed_in(gone),
        "robot's session": signed_in(robot),
    }
    dead |= {f"{name} token": client for name, client in _dead_tokens(users["finance"], gone)}
    gone.is_active = False
    gone.save()
    sees = {"account_viewer": frozenset({"kingfisher", "wombat"}), "center_viewer": OF_B}
    found = [Actor(name, client, "dead", is_token=name.endswith("token")) for name, client in dead.items()]
    for name in ("viewer", "unit_viewer", "lead", "center_viewer"):
        told = sees.get(name, OF_A)
        found.append(Actor(name, clients[name], "some", told, _teams(name), decides=name == "lead"))
    found += [
        Actor("account_viewer", clients["account_viewer"], "account", sees["account_viewer"]),
        Actor("company_viewer", clients["company_viewer"], "all", EVERY_CELL, frozenset({A, B})),
        Actor("finance", clients["finance"], "all", EVERY_CELL, frozenset({A, B}), ANSWERS, decides=True),
        Actor("operations", clients["operations"], "all", EVERY_CELL, frozenset({A, B}), OPERATES),
        Actor("admin", clients["admin"], "none", may=ADMINISTERS),
        Actor("root", clients["root"], "all", EVERY_CELL, frozenset({A, B}), EVERYTHING, decides=True),
    ]
    return {one.name: one for one in (*found, *_tokens(users, robot))}


NAMES = (
    "anonymous", "disabled", "robot's session", "revoked token", "expired token", "disabled token", "viewer",
    "unit_viewer", "lead", "center_viewer", "account_viewer", "company_viewer",
    "finance", "operations", "admin", "root",
    "read token of the lead", "write token of the lead", "costs token of the lead", "amber token of finance",
    "token of the robot", "access token of the admin",
)  # fmt: skip
"""Everybody who asks."""
ROLES = {
    "viewer": ("viewer", "team", A),
    "company_viewer": ("viewer", "everything", ""),
    "unit_viewer": ("viewer", "unit", "north"),
    "lead": ("lead", "team", A),
    "center_viewer": ("viewer", "cost_center", "CC-22"),
    "account_viewer": ("viewer", "account", "9002"),
    "finance": ("finance", "everything", ""),
    "operations": ("operations", "everything", ""),
    "admin": ("admin", "everything", ""),
}


def _teams(name: str) -> frozenset[str]:
    return frozenset({B if name == "center_viewer" else A})


def _tokens(users: dict[str, User], robot: User) -> Iterator[Actor]:
    mine = frozenset({A})
    for name, user, scopes, teams, areas in (
        ("read token of the lead", users["lead"], ("read",), None, None),
        ("write token of the lead", users["lead"], ("write",), None, frozenset[str]()),
        ("costs token of the lead", users["lead"], ("costs:read",), None, frozenset({"costs"})),
        ("amber token of finance", users["finance"], ("read", "write"), [A], None),
        ("token of the robot", robot, ("read", "write"), None, None),
    ):
        key = issue_token(user, now=NOW, name=name, scopes=scopes, teams=teams)
        decides = user is not robot
        yield Actor(name, bearer(key), "some", OF_A, mine, decides=decides, areas=areas, is_token=True)
    key = issue_token(users["admin"], now=NOW, scopes=("access:read", "access:write"))
    yield Actor(
        "access token of the admin", bearer(key), "none", may=ADMINISTERS, areas=frozenset({"access"}), is_token=True
    )


def _dead_tokens(finance: User, gone: User) -> Iterable[tuple[str, Client]]:
    revoked = issue_token(finance, now=NOW, scopes=("read", "write"))
    revoke_token(revoked.split("_")[1], now=NOW)
    yield "revoked", bearer(revoked)
    yield "expired", bearer(issue_token(finance, now=NOW - timedelta(days=100), days=90))
    yield "disabled", bearer(issue_token(gone, now=NOW, scopes=("read", "write")))


def signed_in(user: User) -> Client:
    client = Client(raise_request_exception=False)
    client.force_login(user)
    return client


def bearer(key: str) -> Client:
    return Client(raise_request_exception=False, headers={"authorization": f"Token {key}"})
