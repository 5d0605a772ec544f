"""The plain reference of policies: row by row, in fractions, written from docs/policies.md alone.

It reads what was attributed without policies, and the policies as written; it shares no code with the product.
"""

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from fractions import Fraction
from typing import Any

Row = Mapping[str, Any]
Cell = tuple[str, str, str, str]
"""Team, kind, service and charge category."""
Weights = dict[str, Fraction]
UNALLOCATED = "unallocated"
STAYS = ("owner", "central")
LADDERS: dict[str, tuple[tuple[str, ...], ...]] = {
    "invoice": (("account", "invoice"), ("account",), ()),
    "service": (("account", "service"), ("account",), ()),
    "sub_account": (("account", "sub_account"), ("account",), ()),
    "account": (("account",), ()),
    "source": ((),),
    "earners": (("resource",), ("account", "service")),
}


def settle(rows: Iterable[Row], policies: list[Row], drivers: Mapping[str, Mapping[str, str]]) -> dict[Cell, Fraction]:
    """Effective cost of one day by cell. `rows` are of `allocated`, each with `invoice`, `unused` and `credit`."""
    kept: list[Row] = []
    first: list[tuple[Row, Row]] = []
    later: list[tuple[Row, Row]] = []
    pools = {row["resource"]: row["node_pool"] for row in rows if row["pool"] == "node" and row["kind"] == "idle"}
    for row in rows:
        placed = {**row, "of_node_pool": pools.get(row["resource"], "") if row["pool"] == "node" else None}
        policy = next((one for one in policies if _takes(one, row)), None)
        if policy is None or _way(policy) == "owner":
            kept.append(placed)
        elif _way(policy) == "central":
            kept.append({**placed, "team": policy["team"], "kind": "idle"})
        else:
            (later if "follow" in policy or "credits" in policy else first).append((placed, policy))
    base, done = list(kept), list(kept)
    for row, policy in first:
        done += _passed_on(row, policy, _sharing(row, policy, base, drivers))
    base, followed = list(done), []
    for row, policy in later:
        followed += _passed_on(row, policy, _following(row, policy, base))
    cells: dict[Cell, Fraction] = defaultdict(Fraction)
    for row in (*done, *followed):
        cells[row["team"], row["kind"], row["service"], row["charge_category"]] += Fraction(row["effective_cost"])
    return dict(cells)


def _way(policy: Row) -> str:
    return str(next(policy[name] for name in ("idle", "share", "follow", "unused", "credits") if name in policy))


def _takes(policy: Row, row: Row) -> bool:
    is_charge, is_idle = row["pool"] == "charge", row["kind"] == "idle"
    fits = {
        "idle": is_idle,
        "share": not is_idle,
        "follow": is_charge,
        "unused": is_charge and row["unused"],
        "credits": is_charge and row["credit"],
    }
    return any(name in policy and fit for name, fit in fits.items()) and all(
        row[field] and re.fullmatch(pattern.replace("*", ".*"), row[field])
        for field, pattern in policy.get("when", {}).items()
    )


def _by_cost(base: list[Row], same: Callable[[Row], bool]) -> Weights:
    sums: Weights = defaultdict(Fraction)
    for row in base:
        if same(row):
            sums[row["team"]] += Fraction(row["effective_cost"])
    return {team: cost for team, cost in sums.items() if cost > 0}


def _bill(row: Row) -> tuple[Any, ...]:
    return row["source"], row["billing_month"], row["currency"]


def _sharing(row: Row, policy: Row, base: list[Row], drivers: Mapping[str, Mapping[str, str]]) -> Weights:
    if "split" in policy:
        return {team: Fraction(str(percent)) for team, percent in policy["split"].items()}
    if "teams" in policy:
        return dict.fromkeys(policy["teams"], Fraction(1))
    told = {team: Fraction(text) for team, text in drivers.get(policy.get("driver", ""), {}).items()}
    if any(told.values()):
        return told
    if "idle" in policy:
        weights = _by_cost(
            base,
            lambda one: _bill(one) == _bill(row) and one["pool"] == "node" and one["kind"] != "idle"
            and (one["cluster"], one["of_node_pool"]) == (row["cluster"], row["node_pool"]),
        )  # fmt: skip
    elif row["pool"] == "charge":
        weights = _by_cost(base, lambda one: _bill(one) == _bill(row) and one["kind"] in ("direct", UNALLOCATED))
    else:
        weights = _by_cost(
            base,
            lambda one: _bill(one) == _bill(row) and one["cluster"] == row["cluster"] and one["kind"] != "idle"
            and one["pool"] in ("node", "serverless"),
        )  # fmt: skip
    return {team: Fraction(1) for team in weights if team != UNALLOCATED} if policy.get("share") == "even" else weights


def _following(row: Row, policy: Row, base: list[Row]) -> Weights:
    for step in LADDERS[_way(policy)]:
        if all(row[name] for name in step):
            weights = _by_cost(
                base, lambda one, step=step: _bill(one) == _bill(row) and all(one[name] == row[name] for name in step)
            )
            if weights:
                return weights
    return {}


def _passed_on(row: Row, policy: Row, weights: Weights) -> list[Row]:
    """What teams receive of a row; where nobody does, the row as it was, or a platform namespace's as nobody's."""
    if not weights:
        alone = {"team": UNALLOCATED, "kind": UNALLOCATED} if row["pool"] != "charge" and row["kind"] != "idle" else {}
        return [{**row, **alone}]
    whole, cost = sum(weights.values()), Fraction(row["effective_cost"])
    received = {"pool": "shared", "resource": "", "kind": "shared_idle" if "idle" in policy else "shared"}
    return [
        {**row, **received, "team": team, "effective_cost": cost * weight / whole} for team, weight in weights.items()
    ]


def as_decimal(cells: Mapping[Any, Fraction]) -> dict[Any, Decimal]:
    return {key: Decimal(cost.numerator) / Decimal(cost.denominator) for key, cost in cells.items() if cost}
