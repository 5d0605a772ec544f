"""What finance and management read: rows that add up, landings of what the costs beside them are of."""

import re
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from email.utils import parseaddr
from html import unescape
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from django.contrib.auth.models import Group, User
from django.utils import translation

from apps.books.invoices import import_invoices
from apps.budgets.drafts import Draft
from apps.budgets.services import create
from apps.finops.money import add_up
from apps.insights.models import Forecast, ForecastRun
from apps.marts import cube
from apps.marts.cell import question
from apps.marts.selectors import answer
from apps.rates.services import import_rates
from apps.reports.letters import Facts, gather, write_letter
from apps.reports.models import Report
from apps.reports.recipients import targets
from apps.reports.selectors import weekly_report
from apps.reports.services import send_week
from apps.reports.weeks import Week
from apps.teams.models import Team
from tests.budgets.worlds import FINANCE as ACTOR
from tests.insights import why_world
from tests.reports.weeks_of_cost import WEEK, hire_lead
from tests.worlds import publish_costs

NOW = datetime(2026, 11, 4, tzinfo=UTC)
WEEK_BEFORE = WEEK.before()

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("home")]


def text_of(report: str = Report.FINANCE) -> str:
    return write_letter(gather(report, None, WEEK, now=NOW), attach=False).text


def rows_under(head: str, text: str) -> list[str]:
    """The rows of the table whose columns begin like this, the last one among them."""
    lines = text.splitlines()
    found = next(place for place, line in enumerate(lines) if line.startswith(f"  ({head}"))
    rows = lines[found + 1 :]
    end = next((place for place, line in enumerate(rows) if not re.match(r"  .+: .+ · ", line)), len(rows))
    return [row.strip() for row in rows[:end]]


def every_day(first: date, days: int, **row: Any) -> Iterable[dict[str, Any]]:
    return [{"day": first + timedelta(number), **row} for number in range(days)]


def forecast(*series: tuple[str, str, str, str]) -> None:
    """Where November lands: level, key, currency and mean of each series."""
    run = ForecastRun.objects.create(publication=1, model_version="1", inputs="x", created_at=NOW)
    for level, key, currency, mean in series:
        month = {"period": "2026-11", "kind": "month", "last_day": "2026-11-30", "so_far": "10", "mean": mean,
                 "low_80": mean, "high_80": mean}  # fmt: skip
        Forecast.objects.create(
            run=run, level=level, key=key, currency=currency, days=[], landings=[{**month, "kind": "quarter"}, month],
            origins=8, backtest_first_day=date(2026, 9, 28), total_days=28, is_naive=False,
        )  # fmt: skip


def two_currencies(settings: Any, rate: str = "7") -> None:
    """Ten CNY and a hundred USD a day of one team, ten CNY of another; rates, and all in CNY."""
    first = WEEK.before(4).start
    publish_costs([
        *every_day(first, 35, team="live-class", effective_cost="10"),
        *every_day(first, 35, team="live-class", effective_cost="100", currency="USD"),
        *every_day(first, 35, team="web", effective_cost="10"),
    ])  # fmt: skip
    lines = [f"{first + timedelta(number)},USD,CNY,{rate}\n" for number in range(35)]
    import_rates(f"date,from,to,rate\n{''.join(lines)}".encode(), name="rates.csv", by="han", now=NOW)
    settings.COSTOPS_REPORTING_CURRENCY = "CNY"


SERIES = (
    ("total", "", "CNY", "600"), ("total", "", "USD", "3000"), ("team", "live-class", "CNY", "300"),
    ("team", "live-class", "USD", "3000"), ("team", "web", "CNY", "300"),
)  # fmt: skip
OF_CNY_ALONE = "Of the bills in CNY alone, 2026-11 is expected to land at "
LEFT_OUT = "Where bills in other currencies are converted, no landing stands in the table: forecasts are not converted."


def test_no_landing_of_a_part_stands_beside_costs_that_were_converted(settings):
    """700 USD at 7 and 70 CNY cost 4,970.00 CNY a week; 300.00 is where the bills in CNY land."""
    two_currencies(settings)
    forecast(*SERIES)
    text = text_of()
    assert rows_under("Team ", text) == [
        "live-class: 4,970.00 · 0.00 · – · –",
        "web: 70.00 · 0.00 · 300.00 · –",
        "Total: 5,040.00 · 0.00 · –",
    ]
    assert LEFT_OUT in text


def test_a_team_whose_other_bills_are_not_forecast_yet_has_no_landing_in_the_table_either(settings):
    """Two weeks of bills in USD are too few to learn from."""
    two_currencies(settings)
    forecast(*(one for one in SERIES if one[2] == "CNY"))
    text = text_of()
    assert rows_under("Team ", text)[0] == "live-class: 4,970.00 · 0.00 · – · –"
    assert rows_under("Team ", text)[-1] == "Total: 5,040.00 · 0.00 · –"


@pytest.mark.parametrize("report", [Report.FINANCE, Report.MANAGEMENT, Report.LEAD])
def test_a_landing_says_which_bills_it_is_of_where_several_currencies_are_converted(settings, report):
    two_currencies(settings)
    forecast(*SERIES)
    team = hire_lead() if report == Report.LEAD else None
    text = write_letter(gather(report, team, WEEK, now=NOW), attach=False).text
    mean = "300.00" if team else "600.00"
    assert f"{OF_CNY_ALONE}{mean} CNY" in text
    assert "Of the bills in USD alone, 2026-11 is expected to land at 3,000.00 USD" in text


def test_where_nothing_is_converted_a_landing_is_of_all_that_stands_beside_it(settings):
    two_currencies(settings)
    settings.COSTOPS_REPORTING_CURRENCY = ""
    forecast(*SERIES)
    text = text_of()
    assert rows_under("Team · CNY", text)[0] == "live-class: 70.00 · 0.00 · 300.00 · –"
    assert rows_under("Team · USD", text)[0] == "live-class: 700.00 · 0.00 · 3,000.00 · –"
    assert "  2026-11 is expected to land at 600.00 CNY" in text
    assert not re.search("alone|no landing stands", text)


def test_of_one_currency_a_landing_is_of_all_though_a_reporting_currency_is_set(settings):
    two_currencies(settings)
    forecast(*SERIES)
    team = hire_lead("web")
    with translation.override("en"):
        text = write_letter(Facts(Report.LEAD, weekly_report(team, WEEK, now=NOW)), attach=False).text
    assert "  2026-11 is expected to land at 300.00 CNY" in text


def weeks(*teams: tuple[str, str, str]) -> None:
    """A day's cost of each team in the week before, and in the week; nothing where it is empty."""
    publish_costs([
        row
        for team, *costs in teams
        for first, cost in zip((WEEK_BEFORE.start, WEEK.start), costs, strict=True)
        if cost
        for row in every_day(first, 7, team=team, effective_cost=cost)
    ])  # fmt: skip


def test_a_team_that_vanished_stands_among_the_teams_of_a_company_of_any_size():
    weeks(("a", "100", "100"), ("b", "10", ""))
    assert rows_under("Team ", text_of()) == [
        "a: 700.00 · 0.00 · – · –",
        "b: 0.00 · −70.00 · – · –",
        "Total: 700.00 · −70.00 · –",
    ]


def test_a_team_that_vanished_moved_most():
    weeks(("a", "100", "101"), ("b", "10000", ""), ("c", "-5", "5"), ("d", "", "1"))
    assert rows_under("Team ", text_of(Report.MANAGEMENT)) == [
        "b: 0.00 · −70,000.00 · −100.0 %",
        "c: 35.00 · +70.00 · –",
        "a: 707.00 · +7.00 · +1.0 %",
        "d: 7.00 · +7.00 · new",
    ]


def test_changes_are_rounded_so_that_they_add_up():
    """Seven changes of 0.004 are 0.028."""
    publish_costs([
        row
        for number in range(7)
        for first, cost in ((WEEK_BEFORE.start, "100"), (WEEK.start, "100.004"))
        for row in (*every_day(first, 1, team=f"t{number}", effective_cost=cost),
                    *every_day(first, 7, team=f"t{number}", effective_cost="0"))
    ])  # fmt: skip
    *rows, total = rows_under("Team ", text_of())
    changes = [Decimal(row.split(" · ")[1].replace("−", "-")) for row in rows]
    assert total == "Total: 700.03 · +0.03 · –"
    assert sum(changes) == Decimal("0.03")
    assert set(changes) == {Decimal(0), Decimal("0.01")}


def test_namespaces_that_vanished_are_in_the_changes_of_a_team():
    """Of seven namespaces, 10 to 70 a week, the two smallest vanished, and the largest costs a hundredth more."""
    rows = [
        row
        for number in range(1, 8)
        for week in (WEEK_BEFORE, WEEK)
        if week == WEEK_BEFORE or number > 2
        for row in every_day(week.start, 7, team="live-class", namespace=f"n{number}", effective_cost=f"{number}0")
    ]
    publish_costs([*rows, *every_day(WEEK.start, 1, team="live-class", namespace="n7", effective_cost="0.07")])
    report = weekly_report(hire_lead(), WEEK, now=NOW)
    text = write_letter(Facts(Report.LEAD, report), attach=False).text
    assert rows_under("Namespace ", text) == [
        "n7: 490.07 · +0.07", "n6: 420.00 · 0.00", "n5: 350.00 · 0.00", "n4: 280.00 · 0.00", "n3: 210.00 · 0.00",
        "all others: 0.00 · −210.00", "Total: 1,750.07 · −209.93",
    ]  # fmt: skip


NAMES = [f"n{number}" for number in range(8)]


@pytest.mark.parametrize(
    ("costs", "shown", "others"),
    [
        pytest.param(
            ["700", "70", "7", "", "", "", "", "-5"], NAMES[:5],
            "all others: −35.00 · −245.00", id="two vanished, beside a credit",
        ),
        pytest.param(
            ["700", "70", "7", "0.7", "", "", "", ""], NAMES[:5],
            "all others: 0.00 · −210.00", id="three vanished, and nothing else",
        ),
    ],
)  # fmt: skip
def test_all_others_lead_to_themselves_whatever_vanished(costs, shown, others):
    """Eight namespaces cost 10 a day in the week before; those without a cost vanished, some of them told by name."""
    publish_costs([
        row
        for name, cost in zip(NAMES, costs, strict=True)
        for first, cost_then in ((WEEK_BEFORE.start, "10"), (WEEK.start, cost))
        if cost_then
        for row in every_day(first, 7, team="live-class", namespace=name, effective_cost=cost_then)
    ])  # fmt: skip
    report = weekly_report(hire_lead(), WEEK, now=NOW)
    (week,) = report.currencies
    with translation.override("en"):
        letter = write_letter(Facts(Report.LEAD, report), attach=False)
    *rows, total = rows_under("Namespace ", letter.text)

    assert [row.partition(":")[0] for row in rows] == [*shown, "all others"]
    assert rows[-1].startswith(others)
    assert week.others
    assert add_up([*(part.change for part in week.largest), week.others.change]) == week.change
    said = [Decimal(row.rpartition(" · ")[2].replace("−", "-").replace(",", "")) for row in (*rows, total)]
    assert sum(said[:-1]) == said[-1]
    links = links_of(letter.html)
    for name, part in (*((part.name, part) for part in week.largest), ("all others", week.others)):
        assert bool(links[name]) == bool(part.amount), "what costs nothing is explained by nothing"
        for link in links[name]:
            asked = question(dict(parse_qsl(urlsplit(link).query, keep_blank_values=True)))
            assert answer(asked).totals == {"CNY": part.amount}
    if links["all others"]:
        asked = dict(parse_qsl(urlsplit(links["all others"][0]).query))
        assert asked["exclude[namespace]"] == ",".join(shown), "those that vanished too"


def links_of(html: str) -> dict[str, list[str]]:
    """Where the rows of a mail lead, by their first cell; of two rows that begin alike, the first."""
    found: dict[str, list[str]] = {}
    for row in re.findall(r"<tr.*?</tr>", html, re.DOTALL):
        words = re.sub(r"<[^>]+>", "\n", row).split("\n")
        name = next((unescape(word.strip()) for word in words if word.strip()), "")
        found.setdefault(name, [unescape(link) for link in re.findall(r'href="([^"]+)"', row)])
    return found


def test_where_the_week_before_is_not_published_no_change_is_told_of_any_part():
    publish_costs(every_day(WEEK.start, 7, team="a", effective_cost="10"))
    assert rows_under("Team ", text_of()) == ["a: 70.00 · – · – · –", "Total: 70.00 · – · –"]


def test_what_cost_less_than_nothing_before_is_not_told_as_nothing():
    refunds = every_day(WEEK_BEFORE.start, 7, team="a", effective_cost="-50", charge_category="Credit")
    publish_costs([*refunds, *every_day(WEEK.start, 7, team="a", effective_cost="100")])
    text = text_of()
    assert "All teams cost 700.00 CNY; −350.00 in the week before." in text
    assert "All teams cost 700.00 CNY (−350.00 before): a part of it is new, in no segment alone." in text
    assert "nothing before" not in text


def set_budget(name: str, amount: str, **given: Any) -> None:
    told = {"dimension": "team", "value": "web", "currency": "CNY", "valid_from": date(2026, 10, 1)} | given
    create(Draft(name=name, amount=amount, **told), by=ACTOR, now=NOW)


OF_THE_MONTH = [("month", "3000", {})]
OF_OTHER_THINGS: list[tuple[str, str, dict[str, Any]]] = [
    ("year", "36000", {"grain": "year", "valid_from": date(2026, 1, 1)}),
    ("list", "5000", {"metric": "list_cost"}),
    ("namespace", "1000", {"dimension": "namespace", "value": "shop", "owner_team": "web"}),
    ("dollars", "500", {"currency": "USD"}),
    ("another team's", "700", {"value": "data", "owner_team": "web"}),
]


@pytest.mark.parametrize(
    ("budgets", "told"),
    [
        pytest.param(OF_THE_MONTH, "3,000.00", id="the team's, which no team owns"),
        pytest.param([("month", "3000", {"owner_team": "data"})], "3,000.00", id="the team's, owned by another"),
        pytest.param([*OF_THE_MONTH, *OF_OTHER_THINGS], "3,000.00", id="the team's of many"),
        pytest.param(OF_OTHER_THINGS, "–", id="none of the team's month"),
        pytest.param([*OF_THE_MONTH, ("other", "2000", {})], "–", id="two of the same: which is not known"),
    ],
)
def test_beside_the_landing_of_a_team_stands_its_budget_of_that_month(budgets, told):
    for name in ("web", "data"):
        Team.objects.create(name=name)
    weeks(("web", "100", "100"))
    forecast(("team", "web", "CNY", "2900"))
    for name, amount, given in budgets:
        set_budget(name, amount, **given)
    text = text_of()
    assert rows_under("Team ", text)[0] == f"web: 700.00 · 0.00 · 2,900.00 · {told}"
    assert [name for name, *_ in budgets if f"  {name} (2026" not in text] == [], "each stands in the table below"


def test_a_budget_of_another_month_does_not_stand_beside_the_landing():
    """Published until the last of October: the forecast is of November, how budgets stand of October."""
    Team.objects.create(name="web")
    publish_costs(every_day(WEEK_BEFORE.start, 13, team="web", effective_cost="100"))
    forecast(("team", "web", "CNY", "2900"))
    set_budget("month", "3000")
    text = text_of()
    assert "  month (2026-10, CNY)" in text
    assert rows_under("Team ", text)[0] == "web: 600.00 · −100.00 · 2,900.00 · –"


@pytest.mark.parametrize(
    ("uploaded", "said"),
    [
        pytest.param(
            "INV-B,1,CNY,1000,0,2026-10-31\n",
            "0.00 CNY is charged on invoices that match; 2 invoices do not match, by 2,000.00 in all: 1,000.00 charged "
            "more than invoiced, 1,000.00 less.",
            id="an id that was mistyped",
        ),
        pytest.param(
            "INV-A,1,CNY,999,0,2026-10-31\n",
            "0.00 CNY is charged on invoices that match; 1 invoice does not match, by 1.00.", id="an invoice of less",
        ),
        pytest.param(
            "INV-A,1,CNY,1000,0,2026-10-31\n", "1,000.00 CNY is charged on invoices, and all of them match.",
            id="an invoice that matches",
        ),
    ],
)  # fmt: skip
def test_invoices_that_do_not_match_do_not_cancel_out(uploaded, said):
    """1,000 are charged of INV-A."""
    charges = [why_world.charge(why_world.FIRST, "i-1", "1000", "24", InvoiceId="INV-A")]
    why_world.publish(charges, [why_world.part(why_world.FIRST, "i-1", "1000", "web")])
    content = f"invoice_id,account,currency,total,tax,date\n{uploaded}"
    import_invoices(content.encode(), name="invoices.csv", by="han", now=NOW)
    found = gather(Report.FINANCE, None, Week(date(2026, 9, 28)), now=datetime(2026, 10, 20, tzinfo=UTC))
    assert f"  {said}\n" in write_letter(found, attach=False).text


COARSE = "More than 200,000 rows: where it happened is told of fewer days, or of a part."


def test_where_why_is_too_much_to_search_the_letters_tell_coarser_parts_and_say_so(monkeypatch, mailoutbox):
    """The company has four rows of two weeks, its teams one each; three are searched."""
    monkeypatch.setattr(cube, "MAX_ROWS", 3)
    publish_costs([
        row
        for number in range(4)
        for first, cost in ((WEEK_BEFORE.start, "10"), (WEEK.start, "30"))
        for row in every_day(first, 7, team=f"team-{number}", effective_cost=cost)
    ])  # fmt: skip
    hire_lead("team-0")
    for name in ("finance", "management"):
        User.objects.create_user(name, f"{name}@example.com").groups.add(Group.objects.get_or_create(name=name)[0])
    outcomes = send_week(WEEK, targets(), clock=lambda: NOW)
    assert {(one.report, one.result, one.message) for one in outcomes} == {
        ("lead", "sent", ""), ("finance", "sent", ""), ("management", "sent", ""),
    }  # fmt: skip
    said = {parseaddr(mail.to[0])[1].split("@")[0]: mail.body for mail in mailoutbox}
    assert COARSE in said["finance"]
    assert COARSE in said["management"]
    assert "All teams cost 840.00 CNY, +200.0 % from 280.00 in the week before." in said["finance"]
    assert COARSE not in said["team-0"]
    assert "直播课堂 cost 210.00 CNY, +200.0 %" in said["team-0"]
