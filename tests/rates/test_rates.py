"""Rates: a file is taken whole or not at all, crossed only over a declared base, and locked for good."""

import csv
import io
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from apps.finops.sheets import BadSheet
from apps.rates import services
from apps.rates.selectors import MissingRate, base_on, declarations, newest_version, used_rates
from apps.rates.services import BadDeclaration, MonthIsLocked

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("home")]

NOW = datetime(2026, 11, 5, 8, tzinfo=UTC)
HEADER = "date,from,to,rate\n"
FIRST, SECOND = date(2026, 10, 1), date(2026, 10, 2)
FILE = HEADER + "2026-10-01,USD,CNY,7.1\n2026-10-02,USD,CNY,7.2\n2026-10-01,EUR,CNY,7.81\n"


def imported(text, name="rates.csv", **given):
    return services.import_rates(text.encode(), name=name, by="han", now=NOW, **given)


def october(rate="7", source="USD", target="CNY", days=31):
    return HEADER + "".join(f"2026-10-{day:02},{source},{target},{rate}\n" for day in range(1, days + 1))


def rate(source, target, day=FIRST, at=None):
    (found,) = used_rates([(day, source)], target, at=newest_version() if at is None else at)
    return found


def said(*words):
    out = io.StringIO()
    call_command("rates", *words, stdout=out)
    return out.getvalue()


def test_a_rate_is_the_one_of_its_day_and_says_where_it_is_from():
    assert imported(FILE).changed == 3
    found = rate("USD", "CNY", SECOND)
    assert (found.rate, found.quoted_day) == (Decimal("7.2"), SECOND)
    assert found.origin == "USD→CNY 7.2, rates.csv line 3, version 1 of han, 2026-11-05 08:00 UTC".replace(
        "version 1", f"version {newest_version()}"
    )


@pytest.mark.parametrize(
    ("line", "message"),
    [
        pytest.param("2026-10-01,USD,CNY,0", "line 5, column rate: 0 is zero", id="zero"),
        pytest.param("2026-10-01,USD,CNY,-7", "line 5, column rate: -7 is negative", id="negative"),
        pytest.param("2026-10-01,USD,CNY,7,1", "line 5: 5 values for 4 columns", id="a comma for a point"),
        pytest.param("2026-10-01,USD,CNY,NaN", "line 5, column rate: 'NaN' is not a number", id="no number"),
        pytest.param("2026-10-01,USD,CNY,0.1234567890123", "line 5, column rate: 0.1234567890123 has more", id="long"),
        pytest.param("2026-10-01,USD,CNY,1234.567890123456", "more than 15 digits", id="too many digits"),
        pytest.param("2026-10-01,USD,RMB,7", "line 5, column to: 'RMB' is not a currency code", id="an unknown code"),
        pytest.param("2026-10-01,usd,CNY,7", "line 5, column from: 'usd'", id="a code in small letters"),
        pytest.param("2026-10-01,CNY,CNY,1", "line 5, column to: CNY is the same", id="to itself"),
        pytest.param("1/10/2026,USD,CNY,7", "line 5, column date: '1/10/2026' is not a day", id="another date"),
        pytest.param(
            "2026-10-02,USD,CNY,7.2", "line 5, column date: USD to CNY on 2026-10-02 stands in line 3", id="2x"
        ),
        pytest.param("2026-10-06,USD,CNY,7", "no rate from 2026-10-03 to 2026-10-05; add it", id="a gap of days"),
        pytest.param("2026-10-03,EUR,CNY,7", "line 5, column date: EUR to CNY has no rate on 2026-10-02", id="a gap"),
    ],
)
def test_a_file_with_a_wrong_line_is_refused_whole(line, message):
    with pytest.raises(BadSheet) as refused:
        imported(FILE + line + "\n")
    assert "rates.csv" in str(refused.value)
    assert message in str(refused.value)
    assert newest_version() == 0


@pytest.mark.parametrize(
    ("content", "message"),
    [
        pytest.param(b"", "line 1: the columns must be date,from,to,rate", id="nothing"),
        pytest.param(HEADER.encode(), "no line below the header", id="a header alone"),
        pytest.param("date,from,to,汇率\n".encode(), "line 1: the columns", id="another column"),
        pytest.param(HEADER.encode() + b"\xff", "not UTF-8 (byte 18)", id="no text"),
        pytest.param(HEADER.encode() + b'2026-10-01,"USD,CNY,7\n', "not CSV", id="an open quote"),
    ],
)
def test_what_is_no_file_of_rates(content, message):
    with pytest.raises(BadSheet, match=r"rates\.csv") as refused:
        services.import_rates(content, name="rates.csv", by="han", now=NOW)
    assert message in str(refused.value)


def test_every_wrong_line_is_named_at_most_twenty():
    with pytest.raises(BadSheet) as refused:
        imported(FILE + "2026-10-01,USD,CNY,0\n" * 23)
    assert str(refused.value).count("is zero") == 20
    assert "; and 3 more. Nothing was imported." in str(refused.value)


def test_a_rate_that_is_carried_forward_takes_the_place_of_none_that_was_quoted_later():
    imported(october())
    corrected = HEADER + "2026-10-01,USD,CNY,8\n2026-10-09,USD,CNY,9\n"
    assert imported(corrected, carry_forward=True).changed == 2
    held = [rate("USD", "CNY", FIRST + timedelta(days=number)).rate for number in range(9)]
    assert held == [8, *[7] * 7, 9]


def test_weekends_are_filled_when_asked_and_say_so():
    weekend = HEADER + "2026-10-02,USD,CNY,7.2\n2026-10-05,USD,CNY,7.3\n"
    assert imported(weekend, carry_forward=True).changed == 4
    found = rate("USD", "CNY", date(2026, 10, 4))
    assert (found.rate, found.quoted_day) == (Decimal("7.2"), SECOND)


@pytest.mark.parametrize(("day", "is_taken"), [(13, True), (14, False)])
def test_a_rate_stands_in_for_ten_days_at_most(day, is_taken):
    text = HEADER + f"2026-10-02,USD,CNY,7.2\n2026-10-{day},USD,CNY,7.3\n"
    if is_taken:
        assert imported(text, carry_forward=True).changed == day - 1
    else:
        with pytest.raises(BadSheet, match="from 2026-10-03 to 2026-10-13"):
            imported(text, carry_forward=True)


def test_importing_the_same_again_changes_nothing_and_a_correction_is_a_version():
    first = imported(FILE).version
    assert imported(FILE).version is None
    second = imported(FILE.replace("7.1\n", "7.15\n"), name="corrected.csv")
    assert second.changed == 1
    assert [rate("USD", "CNY", at=number).rate for number in (first, second.version)] == [
        Decimal("7.1"),
        Decimal("7.15"),
    ]
    assert rate("USD", "CNY", SECOND).rate == Decimal("7.2")


@pytest.mark.parametrize(("source", "target"), [("CNY", "USD"), ("USD", "EUR"), ("EUR", "USD"), ("JPY", "CNY")])
def test_nothing_is_crossed_or_turned_round_unless_a_base_is_declared(source, target):
    imported(FILE)
    with pytest.raises(MissingRate, match=f"from {source} to {target} on 2026-10-01"):
        rate(source, target)


@pytest.mark.parametrize(
    ("source", "target", "expected"),
    [
        pytest.param("USD", "CNY", "7.1", id="an imported rate stays as it is"),
        pytest.param("CNY", "USD", "0.140845070422535", id="1 / 7.1, fifteen digits"),
        pytest.param("USD", "EUR", "0.909090909090909", id="7.1 / 7.81 = 10 / 11"),
        pytest.param("EUR", "USD", "1.1", id="7.81 / 7.1"),
    ],
)
def test_rates_are_crossed_over_a_declared_base(source, target, expected):
    imported(FILE)
    services.declare_base("CNY", start=FIRST, by="han", now=NOW)
    assert rate(source, target).rate == Decimal(expected)


def test_a_crossed_rate_says_what_it_was_made_of():
    imported(FILE)
    services.declare_base("CNY", start=FIRST, by="han", now=NOW)
    told = rate("USD", "EUR").origin
    assert told.startswith("crossed over CNY: [USD→CNY 7.1, rates.csv line 2, version")
    assert "× 1 ÷ [EUR→CNY 7.81, rates.csv line 4" in told


def test_a_base_holds_from_its_day_until_it_is_withdrawn():
    imported(FILE + "2026-10-03,USD,CNY,8\n")
    services.declare_base("CNY", start=SECOND, by="han", now=NOW)
    services.declare_base("", start=date(2026, 10, 3), by="han", now=NOW)
    for day in (FIRST, date(2026, 10, 3)):
        with pytest.raises(MissingRate):
            rate("CNY", "USD", day)
    assert rate("CNY", "USD", SECOND).rate == Decimal("0.138888888888889")


def test_a_currency_needs_no_rate_to_itself():
    assert used_rates([(FIRST, "CNY")], "CNY", at=0) == []


def test_a_locked_month_takes_no_other_rate():
    imported(october())
    services.lock_month("2026-10", by="han", now=NOW, reason="closed")
    assert imported(october()).changed == 0
    with pytest.raises(BadSheet, match="line 3, column date: the rates of 2026-10 are locked"):
        imported(october().replace("2026-10-02,USD,CNY,7\n", "2026-10-02,USD,CNY,7.01\n"))
    with pytest.raises(BadSheet, match="locked"):
        imported(october(source="EUR"))
    assert imported(HEADER + "2026-11-01,USD,CNY,7\n").changed == 1


def test_a_lock_stays():
    imported(october())
    services.lock_month("2026-10", by="han", now=NOW, reason="closed")
    assert services.lock_month("2026-10", by="li", now=NOW).locked_by == "han"
    with pytest.raises(MonthIsLocked, match=r"locked by han on 2026-11-05 \(closed\)"):
        services.unlock_month("2026-10")
    services.unlock_month("2026-11")


@pytest.mark.parametrize(
    ("start", "is_refused"),
    [
        pytest.param(date(2026, 1, 1), True, id="before the locked month"),
        pytest.param(date(2026, 10, 31), True, id="on its last day"),
        pytest.param(date(2026, 11, 1), False, id="after it"),
    ],
)
def test_a_base_does_not_reach_into_a_locked_month(start, is_refused):
    services.lock_month("2026-10", by="han", now=NOW)
    if is_refused:
        with pytest.raises(MonthIsLocked):
            services.declare_base("CNY", start=start, by="han", now=NOW)
        assert newest_version() == 0
    else:
        assert services.declare_base("CNY", start=start, by="han", now=NOW).number == newest_version()


def test_a_base_that_a_later_one_ends_before_the_locked_month_is_taken():
    services.declare_base("USD", start=date(2026, 9, 1), by="han", now=NOW)
    services.lock_month("2026-10", by="han", now=NOW)
    services.declare_base("CNY", start=date(2026, 8, 1), by="han", now=NOW)
    assert [base_on(date(2026, month, 15), declarations()) for month in (7, 8, 9, 10)] == ["", "CNY", "USD", "USD"]


@pytest.mark.parametrize(
    ("zone", "now", "is_locked"),
    [
        pytest.param("Asia/Shanghai", datetime(2026, 10, 31, 16, 30, tzinfo=UTC), True, id="where the first has begun"),
        pytest.param("America/New_York", datetime(2026, 11, 1, 2, tzinfo=UTC), False, id="not on its last evening"),
    ],
)
def test_a_month_is_over_by_the_business_clock(zone, now, is_locked, settings):
    settings.COSTOPS_TIME_ZONE = zone
    imported(october())
    if is_locked:
        services.lock_month("2026-10", by="han", now=now)
    else:
        with pytest.raises(BadDeclaration, match="is not over yet"):
            services.lock_month("2026-10", by="han", now=now)


@pytest.mark.parametrize(
    ("month", "message"),
    [
        pytest.param("2026-11", "is not over yet; lock it from 2026-12-01 on", id="the running month"),
        pytest.param("2026-13", "'2026-13' is not a month", id="no month"),
        pytest.param("2026-10", "no rate from USD to CNY on 2026-10-31", id="a month without its last day"),
    ],
)
def test_what_cannot_be_locked(month, message):
    imported(october(days=30))
    with pytest.raises(BadDeclaration, match=message):
        services.lock_month(month, by="han", now=NOW)


def test_the_terminal(tmp_path):
    path = tmp_path / "rates.csv"
    path.write_text(FILE)
    assert said("import", str(path)).startswith("Read 3 rates, wrote 3 as version ")
    assert said("import", str(path)) == "Read 3 rates, wrote 0; nothing is new.\n"
    (row,) = csv.DictReader(io.StringIO(said("list", "--from", "EUR", "--format", "csv")))
    assert (row["day"], row["rate"], row["line"], row["locked"]) == ("2026-10-01", "7.81", "4", "")
    assert "crossed over CNY" in said("base", "CNY", "--start", "2026-11-01")
    with pytest.raises(CommandError, match="no rate from EUR to CNY on 2026-10-02"):
        said("lock", "2026-10")
    assert said("lock", "2026-09") == "The rates of 2026-09 are locked.\n"
    with pytest.raises(CommandError, match="It stays so"):
        said("unlock", "2026-09")
    with pytest.raises(CommandError, match=r"missing\.csv: No such file"):
        said("import", str(tmp_path / "missing.csv"))
