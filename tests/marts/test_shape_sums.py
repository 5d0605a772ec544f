"""Whatever the costs and the shape: what is shown and Others add up to the total, now and before."""

from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apps.finops.money import add_up
from apps.finops.windows import Window
from apps.marts.query import CostQuery
from apps.marts.selectors import answer
from apps.marts.shape import Shape
from apps.marts.shaping import shaped
from tests.worlds import publish_costs

names = st.sampled_from(["a", "b", "c", "d", ""])
money = st.decimals(min_value="-1e6", max_value="1e20", places=12)
days = st.dates(date(2026, 9, 1), date(2026, 10, 31))
groups = st.lists(
    st.sampled_from(["day", "week", "month", "team", "namespace", "kind", "currency"]), unique=True, max_size=3
)
costs = st.lists(st.tuples(days, names, names, money, st.sampled_from(["CNY", "USD"])), max_size=25)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    costs, groups, st.integers(1, 4), st.sampled_from([None, "previous", Window(date(2026, 9, 3), date(2026, 9, 9))])
)
def test_what_is_shown_and_others_add_up_to_the_total_now_and_before(
    db: None, home: Path, costs: list[tuple[Any, ...]], groups: list[str], top: int, compare: str | Window | None
) -> None:
    whole = [date(2026, 9, 1), date(2026, 10, 31)]
    rows = [{"day": d, "team": t, "namespace": n, "effective_cost": c, "currency": m} for d, t, n, c, m in costs]
    publish_costs(rows + [{"day": day, "effective_cost": "0"} for day in whole])
    asked = CostQuery(date(2026, 10, 1), date(2026, 11, 1), group_by=tuple(groups))
    ranked = top if {*groups} - {"day", "week", "month", "currency"} else None
    found = shaped(asked, Shape(top=ranked, compare=compare, order_by=(("cost", True),)))
    plain = answer(asked)
    for currency, total in plain.totals.items():
        mine = [row for row in found.rows if row.currency == currency]
        assert add_up(row.cost for row in mine) == total
    if found.comparison:
        earlier = answer(asked.between(found.comparison.window.start, found.comparison.window.end)).totals
        assert found.comparison.totals == earlier
        for currency, total in earlier.items():
            befores = [row.before for row in found.rows if row.currency == currency and row.before is not None]
            hidden = any(row.before is None for row in found.rows if row.others)
            if not hidden:
                unmatched = found.comparison.unmatched.get(currency, Decimal(0))
                assert add_up([*befores, unmatched]) == total
