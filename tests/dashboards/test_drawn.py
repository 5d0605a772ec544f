"""Parts that are drawn once: the same for the same, and never for what looks unlike."""

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from django.contrib.auth.models import User
from django.template import engines
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.safestring import mark_safe

from apps.dashboards import drawn
from apps.dashboards.lines import Line, Name, Table
from apps.dashboards.selectors import Section
from apps.dashboards.templatetags import costs
from apps.dashboards.zones import shown

NAME = Name("web <b>", hint="a", url="/teams/web/")
LINE = Line(NAME, cost=Decimal("1.50"), before=Decimal("1.25"), share=Decimal(100), by_kind={"direct": Decimal("1.50")})
ROWS = "/api/v1/costs/?start=2026-10-01&end=2026-11-01&group_by=team,kind&format=csv"
SECTION = Section("Teams", "Team", Table((LINE,), None, LINE), ROWS)
PART = "dashboards/parts/section.html"
GIVEN = {"section": SECTION, "currency": "CNY"}


@pytest.fixture(autouse=True)
def drawings(monkeypatch, settings):
    """How often a part was drawn."""
    drawn._remembered.clear()
    told = []
    of = engines["django"].get_template

    def counted(name):
        told.append(name)
        return of(name)

    monkeypatch.setattr(drawn, "get_template", counted)
    yield told
    drawn._remembered.clear()


def test_the_same_is_drawn_once_and_looks_as_if_it_was_included(drawings):
    first = drawn.draw(PART, GIVEN)
    assert drawn.draw(PART, {"currency": "CNY", "section": replace(SECTION)} | GIVEN) == first
    assert drawn.draw(PART, GIVEN) == first == render_to_string(PART, GIVEN)
    assert drawings.count(PART) <= 2, "the order of what is given may count"
    assert "web &lt;b&gt;" in first


@dataclass(frozen=True)
class Said:
    text: str


@pytest.mark.parametrize(
    "other",
    [
        pytest.param({"currency": "USD"}, id="another text"),
        pytest.param({"narrow": True}, id="one more"),
        pytest.param({"section": replace(SECTION, is_wide=True)}, id="a field"),
        pytest.param(
            {"section": replace(SECTION, table=replace(SECTION.table, lines=(replace(LINE, cost=Decimal("1.5")),)))},
            id="a decimal less, exact when pointed at",
        ),
        pytest.param({"section": replace(SECTION, table=replace(SECTION.table, lines=()))}, id="a line less"),
        pytest.param({"currency": mark_safe("CNY")}, id="a text that is safe to show as it is"),
    ],
)
def test_what_is_unlike_anywhere_is_drawn_by_itself(drawings, other):
    drawn.draw(PART, GIVEN)
    before = len(drawings)
    assert drawn.draw(PART, GIVEN | other) == render_to_string(PART, GIVEN | other)
    assert len(drawings) == before + 1


def test_every_language_and_time_zone_has_its_own(drawings):
    drawn.draw(PART, GIVEN)
    with translation.override("zh-hans"):
        assert "占比" in drawn.draw(PART, GIVEN) == render_to_string(PART, GIVEN)
    assert len(drawings) == 2
    with shown("America/New_York"):
        drawn.draw(PART, GIVEN)
    assert len(drawings) == 3


def test_texts_do_not_run_into_each_other():
    unlike = [
        ("x", "y"), ("x,y",), ("'", "x"), Said("x"), "x", 1, True, None, Decimal(1), date(2026, 1, 1), "2026-01-01",
        "1", {"x": "y"}, (("x", "y"),), (), "",
    ]  # fmt: skip
    told = []
    for given in unlike:
        parts: list[str] = []
        drawn._tell(given, parts)
        told.append("".join(parts))
    assert len(set(told)) == len(told)


@pytest.mark.parametrize("given", [User(username="lilei"), 1.5, object(), {1, 2}, lambda: None])
def test_what_is_not_told_by_its_value_is_refused(given):
    with pytest.raises(TypeError, match="not told by its value"):
        drawn.draw(PART, GIVEN | {"other": given})


def test_a_moment_is_of_the_day_it_is_where_it_is_told():
    late = datetime(2026, 11, 1, 23, tzinfo=UTC)
    there = late.astimezone(ZoneInfo("Asia/Shanghai"))
    assert late == there
    assert [costs.day(one) for one in (late, there, late.date())] == ["1 Nov 2026", "2 Nov 2026", "1 Nov 2026"]


def test_a_zone_that_is_none_any_more_is_that_of_the_business(drawings):
    with shown("Nowhere/Land"):
        assert drawn.draw(PART, GIVEN) == render_to_string(PART, GIVEN)
    assert drawn.draw(PART, GIVEN)
    assert len(drawings) == 1
