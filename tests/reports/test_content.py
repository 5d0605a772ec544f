"""What the weekly report says: the answer's numbers of the team's own scope, and what is not known."""

import ast
import re
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from django.utils import translation
from django.utils.translation import gettext

from apps.marts.cell import question
from apps.marts.query import CostQuery, Scope
from apps.marts.selectors import answer
from apps.rates.services import import_rates
from apps.reports import letters, picture
from apps.reports.selectors import foot, is_published, weekly_report
from apps.reports.weeks import NotAWeekError, Week
from tests.reports.weeks_of_cost import WEEK, five_weeks, hire_lead, other_cost, publish_weeks, write_letter

NOW = datetime(2026, 11, 4, tzinfo=UTC)
PNG = b"\x89PNG\r\n\x1a\n"


@pytest.mark.parametrize(
    ("text", "start", "end"),
    [
        pytest.param("2026-W44", "2026-10-26", "2026-11-02", id="a plain week"),
        pytest.param("2026-W53", "2026-12-28", "2027-01-04", id="week 53 of a long year"),
        pytest.param("2026-W01", "2025-12-29", "2026-01-05", id="the first week begins in the year before"),
    ],
)
def test_a_week_is_an_iso_week(text: str, start: str, end: str) -> None:
    week = Week.parse(text)
    assert (f"{week.start}", f"{week.end}", f"{week}") == (start, end, text)


@pytest.mark.parametrize("text", ["", "2026-W54", "2025-W53", "2026-W00", "2026-44", "２０２６-W44", "0000-W01", "W44"])
def test_what_is_not_a_week_is_refused(text: str) -> None:
    with pytest.raises(NotAWeekError, match="is not a week"):
        Week.parse(text)


@pytest.mark.parametrize(
    ("amounts", "shown"),
    [
        pytest.param(["0.005", "0.005", "0.005"], ["0.00", "0.01", "0.01"], id="three halves of a cent"),
        pytest.param(["33.333333", "33.333333", "33.333334"], ["33.33", "33.34", "33.33"], id="thirds of a hundred"),
        pytest.param(["-0.001", "0"], ["0.00", "0.00"], id="never a negative zero"),
        pytest.param([], [], id="nothing"),
    ],
)
def test_rounded_parts_add_up_to_the_rounded_total(amounts: list[str], shown: list[str]) -> None:
    exact = [Decimal(amount) for amount in amounts]
    rounded = foot(exact)
    assert sum(rounded) == round(sum(exact), 2)
    assert [f"{abs(part):f}" for part in rounded] == shown


def test_the_numbers_are_the_answers_of_the_teams_own_scope(db: None, home: Path) -> None:
    team = hire_lead()
    publish_weeks([*five_weeks(), other_cost(WEEK.start, "4711")])
    report = weekly_report(team, WEEK, now=NOW)
    query = CostQuery(WEEK.start, WEEK.end, scope=Scope(frozenset({"live-class"})))
    (found,) = report.currencies
    assert {found.currency: found.total} == dict(answer(query).totals) == {"CNY": Decimal("700.035")}
    assert (found.before, found.mean, found.weeks_in_mean) == (Decimal("700.035"), Decimal("437.50875"), 4)
    assert [(part.name, part.amount) for part in found.kinds] == [
        ("direct", Decimal("500.025")),
        ("shared", Decimal("100.005")),
        ("idle", Decimal("100.005")),
    ]
    assert [(part.name, part.amount, part.change) for part in found.largest] == [
        ("live-class-0", Decimal("300.015"), 0),
        ("live-class-1", Decimal("200.010"), 0),
        ("live-class-2", Decimal("200.010"), 0),
    ]
    assert sum(part.shown for part in found.largest) == sum(part.shown for part in found.kinds) == Decimal("700.04")
    assert "4711" not in write_letter(report, inline=True).html + write_letter(report, inline=False).text


def test_the_smaller_namespaces_are_added_up(db: None, home: Path) -> None:
    team = hire_lead()
    rows = [five_weeks()[-1] | {"namespace": f"n{number}", "effective_cost": f"{number}"} for number in range(1, 9)]
    publish_weeks(rows)
    (found,) = weekly_report(team, WEEK, now=NOW).currencies
    assert [part.name for part in found.largest] == ["n8", "n7", "n6", "n5", "n4"]
    assert found.others is not None
    assert found.others.amount == 6
    letter = write_letter(weekly_report(team, WEEK, now=NOW))
    row = re.search(r"其余合计.*?</tr>|all others.*?</tr>", letter.html, re.DOTALL)
    (link,) = re.findall(r'href="([^"]+)"', row[0] if row else "")
    asked = question(dict(parse_qsl(urlsplit(link.replace("&amp;", "&")).query, keep_blank_values=True)))
    assert answer(asked).totals == {"CNY": 6}


@pytest.mark.parametrize(
    ("first_day", "weeks", "said"),
    [
        pytest.param(WEEK.start, 0, "nothing is published of the week before", id="the first week of all"),
        pytest.param(WEEK.before(2).start, 2, "the mean of the 2 weeks before", id="two weeks known"),
        pytest.param(WEEK.before(2).start + timedelta(1), 1, "the week before", id="half a week is not a week"),
    ],
)
def test_weeks_nobody_published_are_unknown_not_zero(
    db: None, home: Path, first_day: date, weeks: int, said: str
) -> None:
    team = hire_lead()
    publish_weeks([row for row in five_weeks() if row["day"] >= first_day])
    report = weekly_report(team, WEEK, now=NOW)
    assert report.currencies[0].weeks_in_mean == weeks
    assert said in write_letter(report, inline=False).text


def test_currencies_are_told_apart_each_with_its_picture(db: None, home: Path) -> None:
    team = hire_lead()
    publish_weeks(five_weeks() + five_weeks(currency="USD"))
    letter = write_letter(weekly_report(team, WEEK, now=NOW), inline=False)
    assert set(letter.pictures) == {"trend-CNY.png", "trend-USD.png"}
    assert letter.subject == "CostOps: 直播课堂, week 2026-W44: 700.04 CNY, 700.04 USD"
    assert re.findall(r'src="cid:trend-', letter.html) == ['src="cid:trend-'] * 2


def bring_rates(first: date, days: int = 35, rate: str = "7") -> None:
    rows = "".join(f"{first + timedelta(number)},USD,CNY,{rate}\n" for number in range(days))
    import_rates(f"date,from,to,rate\n{rows}".encode(), name="rates.csv", by="han", now=datetime.now(UTC))


def test_in_a_reporting_currency_all_amounts_are_converted(db: None, home: Path, settings: Any) -> None:
    """700.035 CNY and 700.035 USD at 7 are 5600.28 CNY; each of the four weeks before likewise."""
    settings.COSTOPS_REPORTING_CURRENCY = "CNY"
    team = hire_lead()
    publish_weeks(five_weeks() + five_weeks(currency="USD"))
    bring_rates(WEEK.before(4).start)
    report = weekly_report(team, WEEK, now=NOW)
    (found,) = report.currencies
    assert (found.currency, found.total, found.before, found.mean) == (
        "CNY", Decimal("5600.28"), Decimal("5600.28"), 8 * Decimal("437.50875"),
    )  # fmt: skip
    letter = write_letter(report, inline=False)
    assert letter.subject == "CostOps: 直播课堂, week 2026-W44: 5,600.28 CNY"
    for text in (letter.text, letter.html):
        assert f"All amounts are in CNY, each by the rate of its day (version {report.rates} of the rates)." in text


def test_for_want_of_a_rate_every_currency_stands_by_itself(db: None, home: Path, settings: Any) -> None:
    settings.COSTOPS_REPORTING_CURRENCY = "CNY"
    team = hire_lead()
    publish_weeks(five_weeks() + five_weeks(currency="USD"))
    bring_rates(WEEK.before(4).start, days=34)
    report = weekly_report(team, WEEK, now=NOW)
    assert [(week.currency, week.total) for week in report.currencies] == [
        ("CNY", Decimal("700.035")), ("USD", Decimal("700.035")),
    ]  # fmt: skip
    letter = write_letter(report, inline=False)
    for text in (letter.text, letter.html):
        assert "there is no rate from USD to CNY on 2026-11-01." in text


def test_a_week_without_any_cost_says_so(db: None, home: Path) -> None:
    team = hire_lead("quiet")
    publish_weeks()
    letter = write_letter(weekly_report(team, WEEK, now=NOW), inline=False)
    assert "No cost was attributed to your team" in letter.text
    assert letter.pictures == {}


def test_an_incomplete_week_says_up_to_when(db: None, home: Path) -> None:
    team = hire_lead()
    publication = publish_weeks([row for row in five_weeks() if row["day"] < date(2026, 10, 29)], status="provisional")
    letter = write_letter(weekly_report(team, WEEK, now=NOW), inline=False)
    facts = (
        f"Publication {publication.number} of 2 Nov 2026 03:00 UTC, provisional; coverage of the monitoring: 99.00 %"
    )
    for text in (letter.text, letter.html):
        assert "costs are published from 28 Sep 2026 up to, not including, 29 Oct 2026" in text
        assert facts in text


def test_a_week_that_was_published_from_its_middle_on_is_incomplete_too(db: None, home: Path) -> None:
    team = hire_lead()
    publish_weeks([row for row in five_weeks() if row["day"] >= date(2026, 10, 29)])
    assert not is_published(WEEK)
    assert is_published(WEEK, whole=False)
    letter = write_letter(weekly_report(team, WEEK, now=NOW), inline=False)
    assert "costs are published from 29 Oct 2026 up to, not including, 2 Nov 2026" in letter.text


def test_the_letter_speaks_the_installations_language(db: None, home: Path, settings: object) -> None:
    settings.LANGUAGE_CODE = "zh-hans"  # type: ignore[attr-defined]
    team = hire_lead()
    publish_weeks([row for row in five_weeks() if row["day"] < WEEK.last_day])
    letter = write_letter(weekly_report(team, WEEK, now=NOW), inline=False)
    assert '<html lang="zh-hans">' in letter.html
    assert letter.subject == "CostOps：直播课堂，2026-W44 周报: 600.03 CNY"
    ours = "CostOps CNY live-class live-class- W UTC http teams"
    foreign = {
        word for word in re.findall(r"[A-Za-z][A-Za-z-]+", re.sub(r"http\S+", "", letter.text)) if word not in ours
    }
    assert foreign == set()
    assert all(picture.startswith(PNG) for picture in letter.pictures.values())


def test_every_number_leads_to_what_explains_it(db: None, home: Path) -> None:
    team = hire_lead()
    publish_weeks(five_weeks())
    report = weekly_report(team, WEEK, now=NOW)
    letter = write_letter(report, inline=False)
    links = [link.replace("&amp;", "&") for link in re.findall(r'href="([^"]+/explain/[^"]+)"', letter.html)]
    asked = [question(dict(parse_qsl(urlsplit(link).query, keep_blank_values=True))) for link in links]
    told = [answer(one).totals.get("CNY", Decimal(0)) for one in asked]
    (week,) = report.currencies
    names = [amount for part in week.largest for amount in (part.amount, part.amount)]
    assert told == [week.total, *names, *(part.amount for part in week.kinds)]
    assert {(one.start, one.end, one.as_of) for one in asked} == {(WEEK.start, WEEK.end, report.publication.number)}
    assert links[0] in letter.text


def sentences() -> set[str]:
    """What code and templates of letters and their pages say."""
    folder = Path(letters.__file__).parent
    said = set()
    for path in folder.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") in {"_", "gettext_lazy", "ngettext"}:
                said |= {one.value for one in node.args[:1] if isinstance(one, ast.Constant)}
    told = "\n".join(path.read_text() for path in (folder.parents[1] / "templates/reports").iterdir())
    said |= {one or other for one, other in re.findall(r"""{% translate (?:"([^"]+)"|'([^']+)') %}""", told)}
    said |= set(re.findall(r'_\("([^"]+)"\)', told))
    blocks = re.findall(r"{% blocktranslate[^%]*%}\s*(.*?)\s*{% endblocktranslate %}", told, re.DOTALL)
    return said | {re.sub(r"{{ (\w+) }}", r"%(\1)s", block) for block in blocks}


def test_every_sentence_is_translated() -> None:
    said = sentences()
    assert len(said) > 100
    with translation.override("zh-hans"):
        # what stays as it is: signs, and sentences of one word in both languages
        assert {one for one in said if one.isascii() and gettext(one) == one} == set()


class Elements(HTMLParser):
    """The elements of a page and their attributes."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


def test_hostile_names_are_shown_as_text(db: None, home: Path) -> None:
    hostile = '<script>alert(1)</script>"><img src=//evil>{{7*7}}\u202e$\\frac{1}{0}$'
    team = hire_lead(title=hostile)
    publish_weeks([row | {"namespace": hostile} for row in five_weeks(currency="<b>$\\x{$")])
    letter = write_letter(weekly_report(team, WEEK, now=NOW), inline=True)
    tags = {tag for tag, _ in Elements(letter.html).found}
    addresses = [attributes["src"] or "" for tag, attributes in Elements(letter.html).found if tag == "img"]
    assert "script" not in tags
    assert [address[:15] for address in addresses] == ["data:image/png;"]
    assert "{{7*7}}" in letter.html
    assert "\u202e" not in letter.html + letter.text + letter.subject


def test_without_a_chinese_font_the_picture_speaks_english(
    db: None, home: Path, settings: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.LANGUAGE_CODE = "zh-hans"  # type: ignore[attr-defined]
    monkeypatch.setattr(picture, "CJK_FONTS", ())
    team = hire_lead()
    publish_weeks()
    letter = write_letter(
        weekly_report(team, WEEK, now=NOW), inline=False
    )  # a missing glyph would be a warning, an error here
    assert letter.pictures["trend-CNY.png"].startswith(PNG)
