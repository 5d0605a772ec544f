"""Why cost changed in a published company: parts that add up to what pages say, segments, since when, in words."""

import csv
import io
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from django.core.cache import cache
from django.core.management import call_command
from django.core.management.base import CommandError
from django.utils.translation import gettext, override

from apps.finops.why import explain_change
from apps.finops.windows import Window
from apps.insights.why.answering import SegmentChange, whole_changes, why
from apps.insights.why.searching import ATTRIBUTES, Found
from apps.insights.why.telling import sentences, title
from apps.marts.query import CostQuery, Scope
from apps.marts.selectors import answer
from apps.rates.services import import_rates
from apps.teams.models import Team
from tests.insights.why_world import END, FIRST, RISE, SECOND, charge, days, part, publish, world
from tests.worlds import publish_costs

WEEK = CostQuery(SECOND, END)


@pytest.fixture
def published(db, home):
    Team.objects.create(name="web", title="网站")
    publish(*world())


def parts_of(query, before=None):
    (one,) = why(query, before).currencies
    return {name: amount for name, amount in one.change.parts.items() if abs(amount) > Decimal("0.00001")}


def team(name):
    return WEEK.narrowed(team=name)


@pytest.mark.parametrize(
    ("filters", "parts"),
    [
        pytest.param(
            # hours 336 → 504: small 168 → 336 at 1, large 168 at 4. Volume: 168 × (1/2 + 2/3) / 2 × 1 = 98 and
            # 168 × (1/2 + 1/3) / 2 × 4 = 280; mix: 1/6 × 420 × 1 = 70 and -1/6 × 420 × 4 = -280
            {}, {"volume": "378", "mix": "-210", "price": "48", "credits": "10"}, id="the company",
        ),
        pytest.param(
            # small 168 → 336 and of the node 42 → 84 hours: as many of each as before, twice
            {"team": "web"}, {"volume": "336"}, id="web has twice as much of the same",
        ),
        pytest.param(
            # of the node 126 → 84 hours at 4; the database as long at a higher price; a credit less
            {"team": "data"}, {"volume": "-168", "price": "48", "credits": "10"}, id="data has less of the node",
        ),
        pytest.param({"namespace": "sale"}, {"new": "168"}, id="a namespace that is new"),
        pytest.param({"namespace": "etl"}, {"volume": "-168"}, id="a namespace that has less of the node"),
    ],
)  # fmt: skip
def test_the_parts_of_a_change(published, filters, parts):
    found = parts_of(WEEK.narrowed(**filters))

    assert {name: amount.quantize(Decimal("0.000001")) for name, amount in found.items()} == {
        name: Decimal(amount) for name, amount in parts.items()
    }


@pytest.mark.parametrize("metric", ["effective_cost", "billed_cost", "list_cost", "contracted_cost"])
@pytest.mark.parametrize("filters", [{}, {"team": "web"}, {"team": "data", "cluster": "gz-3"}, {"kind": "direct"}])
def test_it_adds_up_to_the_numbers_that_every_page_says(published, filters, metric):
    query = CostQuery(SECOND, END, metric=metric).narrowed(**filters)
    (one,) = why(query).currencies

    assert one.change.after == answer(query).totals["CNY"]
    assert one.change.before == answer(query.between(FIRST, SECOND)).totals["CNY"]
    assert one.change.before + sum(one.change.parts.values()) == one.change.after
    assert one.elsewhere + sum(segment.change.change for segment in one.segments) == one.change.change


def test_the_whole_change_is_told_where_its_rows_are_too_many_to_search(published, monkeypatch):
    (searched,) = why(WEEK).currencies
    cache.clear()
    monkeypatch.setattr("apps.marts.cube.MAX_ROWS", 3)  # compute, databases and a credit

    found = whole_changes(WEEK, Window(FIRST, SECOND))

    assert found is not None
    assert (found[0], set(found[1])) == (Window(SECOND, END), {"CNY"})
    assert found[1]["CNY"].parts == searched.change.parts


@pytest.mark.parametrize(
    ("most", "searched_by", "named", "said"),
    [
        pytest.param(200_000, ATTRIBUTES, {"namespace", "service", "charge_category"}, None, id="all rows"),
        pytest.param(4, tuple(one for one in ATTRIBUTES if one not in ("namespace", "workload")), {"team", "service"},
                     "More than 200,000 rows: where it happened is told by teams, services, clusters, node pools, "
                     "regions, kinds of cost, kinds of charge, sub-accounts alone; finer of fewer days, or of a part.",
                     id="without namespaces"),
        pytest.param(2, (), set(), "More than 200,000 rows: where it happened is told of fewer days, or of a part.",
                     id="nothing can be searched"),
    ],
)  # fmt: skip
def test_what_has_too_many_rows_is_told_by_coarser_parts(published, monkeypatch, most, searched_by, named, said):
    """Five rows with namespaces, four without them: parts and amounts stay as they are."""
    whole = parts_of(WEEK)
    cache.clear()
    monkeypatch.setattr("apps.marts.cube.MAX_ROWS", most)
    found, words = why(WEEK), [gettext(one.text) % one.values for one in sentences(WEEK)]
    (one,) = found.currencies

    assert found.searched_by == searched_by
    assert {name for segment in one.segments for name, _ in segment.values} <= named
    assert parts_of(WEEK) == whole
    assert one.change.after == answer(WEEK).totals["CNY"]
    assert one.elsewhere + sum(segment.change.change for segment in one.segments) == one.change.change
    assert words[1:] == ([said] if said else [])


def test_rows_too_many_are_counted_once(published, monkeypatch):
    monkeypatch.setattr("apps.marts.cube.MAX_ROWS", 2)
    why(WEEK)
    monkeypatch.setattr("apps.marts.cube._rows", None)
    assert why(WEEK).searched_by == ()


def test_the_change_back_is_the_same_with_the_other_sign(published):
    there = parts_of(team("data"))
    back = parts_of(team("data").between(FIRST, SECOND), Window(SECOND, END))

    assert back == {name: -amount for name, amount in there.items()}


def test_periods_of_different_length_are_compared_by_the_day(published):
    """web's 48 a day in the first week is 96 a day in the second, of which these are three days."""
    found = why(team("web").between(SECOND, SECOND + timedelta(days=3)), Window(FIRST, SECOND))
    (one,) = found.currencies

    assert found.per_day
    assert (one.change.before, one.change.after) == (Decimal(48), Decimal(96))
    assert str(sentences(found.query, found.before)[0]).startswith("网站 cost 96.00 a day CNY (+100 %): ")


def test_any_two_windows_can_be_compared_even_where_they_overlap(published):
    found = parts_of(team("web").between(SECOND, END), Window(FIRST, END))

    assert found == {"volume": Decimal(24)}  # 96 a day against the mean of 48 and 96


def test_segments_say_what_happened_where_and_since_when(published):
    """data has 24 a day less of the node since 8 October, and pays more for the database since the 11th."""
    (one,) = why(team("data")).currencies
    told = {segment.values: (segment.since, segment.change.change) for segment in one.segments}

    assert told[("namespace", "etl"),] == (SECOND, Decimal(-168))
    assert sum(change for _, change in told.values()) + one.elsewhere == Decimal(-110)
    database = why(team("data").narrowed(service="ApsaraDB RDS", charge_category="Usage"))
    assert {name for name, amount in database.currencies[0].change.parts.items() if amount} == {"price"}


def test_what_stands_in_two_segments_is_told_once(db, home):
    """A namespace passes from web to data, and triples: web's is gone, and data's is the rest of the namespace."""
    rows = [
        {"day": day, "team": team, "namespace": namespace, "service": "compute", "effective_cost": cost}
        for day in days(FIRST, END)
        for team, namespace, cost in (
            *((("web", "lesson", "50"),) if day < SECOND else (("data", "lesson", "150"),)),
            *(("web", f"shop-{number}", "100") for number in range(6)),
            *(("data", f"etl-{number}", "100") for number in range(6)),
        )
    ]  # fmt: skip
    publish_costs(rows)
    (one,) = why(WEEK).currencies

    assert sum(segment.change.change for segment in one.segments) == Decimal(700)
    assert one.elsewhere == 0
    for segment in one.segments:
        asked = answer(WEEK.narrowed(**dict(segment.values))).totals.get("CNY", Decimal(0))
        assert (segment.change.after == asked) or not segment.is_whole


def test_a_row_belongs_to_the_first_segment_that_holds_it():
    found = Found(((("team", "web"), ("namespace", "lesson")), (("namespace", "lesson"),), (("team", "data"),)))
    rows = [((team, "lesson"), "CNY", Decimal(1), Decimal(2)) for team in ("web", "search")]
    dimensions = ("team", "namespace")

    assert [found.place(row[0], dimensions) for row in rows] == [0, 1]
    assert found.place(("web", "shop"), dimensions) == -1
    assert found.partial(rows, dimensions) == {1}
    rest = SegmentChange(found.segments[1], explain_change({}, {}), None, is_whole=False)
    assert title(rest) == "the rest of lesson"


@pytest.mark.parametrize(
    ("before", "after", "english", "chinese"),
    [
        pytest.param(
            {}, {"Usage": "100"}, "All teams cost 700.00 CNY (nothing before): it is new, in no segment alone.",
            "此前没有", id="nothing before",
        ),
        pytest.param(
            {"Credit": "-50"}, {"Usage": "100"},
            "All teams cost 700.00 CNY (−350.00 before): a part of it is new, in no segment alone.",
            "（此前为 −350.00）：其中一部分为新增项", id="less than nothing before",
        ),
        pytest.param(
            {"Usage": "100"}, {"Purchase": "20"},
            "All teams cost 140.00 CNY (−80 %): a part of it is gone, in no segment alone.",
            "其中一部分已不再产生费用", id="a part of it is gone",
        ),
    ],
)  # fmt: skip
def test_a_cost_is_compared_with_none_where_there_was_none_only(db, home, before, after, english, chinese):
    """A day's cost by category in the week before, and in the week; taxes of nothing in both."""
    publish_costs([
        {"day": day, "team": "web", "charge_category": category, "effective_cost": cost}
        for first, end, costs in ((FIRST, SECOND, before), (SECOND, END, after))
        for day in days(first, end)
        for category, cost in (costs | {"Tax": "0"}).items()
    ])  # fmt: skip
    (sentence,) = sentences(WEEK)
    with override("en"):
        assert gettext(sentence.text) % sentence.values == english
    with override("zh-hans"):
        assert chinese in gettext(sentence.text) % sentence.values


@pytest.mark.parametrize(
    ("asked", "english", "chinese"),
    [
        pytest.param(
            team("web"),
            "网站 cost 672.00 CNY (+100 %): 50 % of the rise is sale since 8 Oct, it is new.",
            "网站 花费 672.00 CNY（+100 %）：涨幅的 50 % 来自 10月8日起的 sale，为新增项。",
            id="a segment that did half of it",
        ),
        pytest.param(
            team("web").narrowed(namespace="shop"),
            "网站 · shop cost 504.00 CNY (+50 %): dearer kinds of the same, in no segment alone.",
            "网站 · shop 花费 504.00 CNY（+50 %）：改用了更贵的规格，并非集中在某一处。",
            id="one leaf, of which the larger machine runs longer",
        ),
        pytest.param(
            team("data"),
            "data cost 720.00 CNY (\u221213 %): more than all of the fall is etl since 8 Oct, fewer hours, same price.",
            "data 花费 720.00 CNY（\u221213 %）：全部降幅（还不止）来自 10月8日起的 etl，时长减少，单价不变。",
            id="a fall",
        ),
    ],
)  # fmt: skip
def test_the_sentence_in_both_languages(published, asked, english, chinese):
    (sentence,) = sentences(asked)
    with override("en"):
        assert gettext(sentence.text) % sentence.values == english
    with override("zh-hans"):
        assert gettext(sentence.text) % sentence.values == chinese


def test_a_lead_is_told_of_own_teams_only(published):
    mine = Scope(frozenset({"web"}))
    found = why(CostQuery(SECOND, END, scope=mine))
    (one,) = found.currencies

    assert one.change.after == Decimal(672)
    assert {value for segment in one.segments for name, value in segment.values if name == "namespace"} <= {
        "shop", "sale",
    }  # fmt: skip
    assert why(CostQuery(SECOND, END, scope=Scope(frozenset()))).currencies == ()


def test_what_a_team_received_is_traced_to_the_meters_that_were_passed_on(db, home):
    """The platform's node has 24 hours at 2 a day, later 48 hours; a third of it is web's, received as shared cost."""
    charges, parts, passed = [], [], []
    place = {"namespace": "kube-system", "cluster": "gz-3"}
    for day in days(FIRST, END):
        hours = 24 if day < SECOND else 48
        charges.append(charge(day, "p-1", str(2 * hours), str(hours), SkuId="small"))
        passed.append(part(day, "p-1", str(2 * hours), "unallocated", pool="node", **place))
        for name, share in (("web", 3), ("data", Decimal("1.5"))):
            cost = str(2 * hours / share)
            parts.append(part(day, "", cost, name, pool="shared", kind="shared", **place))
    publish(charges, parts, passed)
    (one,) = why(team("web")).currencies

    assert (one.change.before, one.change.after) == (Decimal(112), Decimal(224))
    assert one.change.parts["volume"].quantize(Decimal("0.000001")) == Decimal(112)
    assert [meter.meter.sku for meter in one.change.meters] == ["small"]


def test_commitments_are_told_apart_from_prices(db, home):
    """The same 24 hours a day at a list of 2: half of them covered at 60 % in the second week. The fee is billed."""
    charges, parts = [], []
    for day in days(FIRST, END):
        covered = day >= SECOND
        amounts = {"EffectiveCost": "38.4" if covered else "48", "BilledCost": "24" if covered else "48"}
        told = {name: Decimal(amount) for name, amount in amounts.items()}
        charges.append(charge(day, "i-1", "48", "24", SkuId="small", **told))
        costs = {"effective_cost": told["EffectiveCost"], "billed_cost": told["BilledCost"]}
        parts.append(part(day, "i-1", "48", "web", **costs))
    fee = {"ChargeCategory": "Purchase", "PricingCategory": "Committed", "EffectiveCost": Decimal(0)}
    charges.append(charge(SECOND, "c-1", "100", "1", CommitmentDiscountId="c-1", **fee))
    parts.append(part(SECOND, "c-1", "100", "web", charge_category="Purchase", effective_cost=Decimal(0)))
    publish(charges, parts)

    assert parts_of(WEEK) == {"commitments": Decimal("-67.2")}
    assert parts_of(CostQuery(SECOND, END, metric="billed_cost")) == {"commitments": Decimal("-68")}
    assert parts_of(CostQuery(SECOND, END, metric="list_cost")) == {"commitments": Decimal(100)}


def test_a_publication_without_charges_tells_services_and_no_quantity(db, home):
    rows = [
        {"day": day, "team": "web", "service": "compute", "effective_cost": "10" if day < SECOND else "12"}
        for day in days(FIRST, END)
    ]
    tax = {"day": SECOND, "team": "web", "service": "tax", "charge_category": "Tax", "effective_cost": "3"}
    publish_costs([*rows, tax])

    assert parts_of(WEEK) == {"unmeasured": Decimal(14), "taxes": Decimal(3)}


def test_amounts_in_one_currency_add_up_to_the_converted_answer(published):
    lines = [f"{day},CNY,USD,0.{140 + number}" for number, day in enumerate(days(FIRST, END))]
    import_rates(
        "\n".join(["date,from,to,rate", *lines]).encode(),
        name="rates.csv",
        by="han",
        now=datetime(2026, 10, 15, tzinfo=UTC),
    )
    query = CostQuery(SECOND, END, currency="USD")
    found = why(query)
    (one,) = found.currencies

    assert (one.currency, one.change.after) == ("USD", answer(query).totals["USD"])
    assert one.change.before + sum(one.change.parts.values()) == one.change.after
    assert len(found.rates) == 14


@pytest.mark.parametrize(
    ("asked", "before"),
    [
        pytest.param("2026-10-01/2026-11-01", "2026-09-01/2026-09-11", id="a month, as far as it came"),
        pytest.param("2026-09-01/2026-10-01", "2026-08-01/2026-09-01", id="a whole month"),
        pytest.param("2026-10-02/2026-10-11", "2026-09-23/2026-10-02", id="any other days"),
    ],
)
def test_it_is_compared_with_the_days_that_cost_is(db, home, admin_client, asked, before):
    """`previous` of cost over the API: wherever why is asked without naming other days."""
    known = days(date(2026, 8, 1), date(2026, 10, 11))
    publish_costs([{"day": day, "team": "web", "effective_cost": f"{day.day}"} for day in known])
    (start, end), (first, after) = (text.split("/") for text in (asked, before))
    told = admin_client.get("/api/v1/why/", {"start": start, "end": end}).json()
    costs = admin_client.get("/api/v1/costs/", {"start": start, "end": end, "compare": "previous"}).json()["comparison"]
    out = io.StringIO()
    call_command("why", start=start, end=end, stdout=out)

    assert (told["query"]["before_start"], told["query"]["before_end"]) == (costs["start"], costs["end"])
    assert (costs["start"], costs["end"]) == (first, after)
    assert f"Against {first}..{after}; publication" in out.getvalue()


def test_nothing_is_told_where_there_is_nothing_to_compare_with(published):
    assert sentences(CostQuery(FIRST, SECOND)) == ()
    assert not why(CostQuery(FIRST, SECOND)).is_known


def test_nothing_is_told_before_anything_was_published(db, home):
    assert sentences(WEEK) == ()


def test_at_the_terminal(published, capsys):
    call_command("why", start=str(SECOND), end=str(END), filter=["team=web"])
    told = capsys.readouterr().out
    assert "网站 cost 672.00 CNY (+100 %)" in told
    assert "What the change of 336.000000000000 CNY is made of:" in told

    out = io.StringIO()
    call_command("why", start=str(SECOND), end=str(END), filter=["team=data"], format="csv", stdout=out)
    rows = list(csv.DictReader(io.StringIO(out.getvalue())))
    assert sum(Decimal(row["change"]) for row in rows) == Decimal(-110)
    assert sum(Decimal(row["price"]) for row in rows) == Decimal(48)

    with pytest.raises(CommandError, match="--before-start and --before-end"):
        call_command("why", start=str(SECOND), end=str(END), before_start="2026-10-01")


def test_the_longest_windows_are_days(published):
    """A single day against the one before it."""
    found = parts_of(team("data").between(RISE, RISE + timedelta(days=1)))

    assert found == {"price": Decimal(12)}
    assert date(2026, 10, 11) == RISE
