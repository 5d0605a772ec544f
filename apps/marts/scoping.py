"""Which rows of cost somebody may see: the one filter behind every question, page, answer and file."""

from dataclasses import replace

import ibis.expr.types as ir

from apps.marts.query import EVERYTHING, CostQuery, Scope
from apps.teams.access import Somebody, access_of
from apps.teams.roles import Can


def scope_of(user: Somebody, *, by_account: bool = False) -> Scope:
    """What somebody may ask about: teams, and accounts where the asker tells rows of cost by account.

    Whoever sees an account only sees its cost where every row says its account, and nothing anywhere else.
    """
    access = access_of(user)
    return Scope(access.teams(Can.SEE_COST), access.accounts() if by_account else frozenset())


def visible(rows: ir.Table, scope: Scope) -> ir.Table:
    """The rows of the teams of a scope, and with `sub_account` those of its accounts, whosever they are."""
    if scope.teams is None:
        return rows
    mine = rows.team.isin(sorted(scope.teams))
    if scope.accounts:
        mine |= rows.sub_account.isin(sorted(scope.accounts))
    return rows.filter(mine)


def without_teams(query: CostQuery) -> tuple[CostQuery, frozenset[str] | None]:
    """A question as it is asked of everything, and the teams whose rows answer it: those it is narrowed to of those its
    viewer may see. None where teams alone do not tell which rows those are."""
    teams = query.scope.teams
    if query.scope.accounts:
        return query, None
    for name, values in query.filters:
        if name == "team":
            teams = frozenset(values) if teams is None else teams & set(values)
    others = tuple(one for one in query.filters if one[0] != "team")
    return replace(query, filters=others, scope=EVERYTHING), teams
