"""The address of the explorer is its whole state: what is written is read back, and what cannot be meant is named."""

from datetime import date
from urllib.parse import parse_qs

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.explorer.question import (
    CHARTS,
    COMPARED,
    GRAINS,
    PERIODS,
    TOPS,
    CannotBeAsked,
    Exploration,
    groupings,
    listed,
    parted,
    read,
)  # fmt: skip
from apps.finops.periods import windows, year_before
from apps.finops.windows import Window
from apps.marts.query import FILTERS, METRICS


def asked(address: str) -> Exploration:
    return read(parse_qs(address, keep_blank_values=True))


TEXT = st.text(st.characters(exclude_categories=["Cc", "Cs"]), max_size=12)
VALUES = st.lists(TEXT, min_size=1, max_size=4, unique=True).map(tuple)
DAYS = st.dates(date(2020, 1, 1), date(2029, 12, 31))


@st.composite
def explorations(draw: st.DrawFn) -> Exploration:
    period = draw(st.sampled_from(PERIODS))
    first, last = sorted([draw(DAYS), draw(DAYS)])
    last = min(last, first.replace(year=first.year + 4, day=1))
    chart = draw(st.sampled_from(CHARTS))
    by = draw(st.lists(st.sampled_from(groupings()), min_size=chart == "sankey", max_size=3, unique=True))
    filters, excludes = (draw(st.dictionaries(st.sampled_from(FILTERS), VALUES, max_size=3)) for _ in range(2))
    days = {"start": min(first, last), "last": max(first, last)} if period == "custom" else {}
    return Exploration(
        metric=draw(st.sampled_from(METRICS)), period=period, **days, grain=draw(st.sampled_from(GRAINS)), by=tuple(by),
        compare=draw(st.sampled_from(COMPARED)), currency=draw(st.sampled_from(["", "CNY", "in-USD"])), chart=chart,
        top=draw(st.sampled_from(TOPS)), publication=draw(st.none() | st.integers(1, 10**9)),
    ).filtered(filters).excluding(excludes)  # fmt: skip


@given(explorations())
def test_an_address_is_read_back_as_what_was_asked_and_written_the_same_again(exploration):
    found = asked(exploration.params())
    assert (found, found.params()) == (exploration, exploration.params())


@given(VALUES)
def test_any_values_are_read_back_from_their_list(values):
    assert parted(listed(values)) == values


@given(st.text(max_size=60))
def test_any_text_is_a_list_or_refused(text):
    try:
        found = parted(text)
    except ValueError:
        return
    assert parted(listed(found)) == found


@pytest.mark.parametrize(
    ("text", "values"),
    [
        pytest.param("", (), id="nothing is no value"),
        pytest.param(" , ,", (), id="commas alone are none"),
        pytest.param("web, data ,", ("web", "data"), id="spaces and a comma at the end do not count"),
        pytest.param("web,web", ("web",), id="each once"),
        pytest.param('""', ("",), id="does not apply"),
        pytest.param('"a,b", c', ("a,b", "c"), id="a comma in quotes"),
        pytest.param('"say ""hi"""', ('say "hi"',), id="quotes in quotes"),
    ],
)
def test_parted(text, values):
    assert parted(text) == values


def test_what_a_form_sends_is_what_was_meant():
    form = "period=7&start=&last=&grain=&by=team&by=service&by=&compare=before&team=web%2C+data&service=&currency="
    assert asked(f"{form}&chart=bars") == Exploration(
        period="7", by=("team", "service"), compare="before", filters=(("team", ("web", "data")),), chart="bars"
    )


def test_nothing_chosen_to_divide_by_means_all_of_it():
    assert asked("by=&by=&by=").by == ()
    assert asked("by=").params() == "by="


@pytest.mark.parametrize(
    ("address", "field"),
    [
        pytest.param("metric=spend", "metric", id="an unknown basis"),
        pytest.param("period=yesterday", "period", id="an unknown period"),
        pytest.param("period=custom&start=2026-10-01", "last", id="a custom period without its end"),
        pytest.param(
            "period=custom&start=2026-10-02&last=2026-10-01", "last", id="a period that ends before it starts"
        ),
        pytest.param("period=custom&start=2020-10-02&last=2026-10-01", "last", id="more than five years"),
        pytest.param("period=custom&start=2026-02-30&last=2026-03-01", "start", id="no such day"),
        pytest.param("by=team,service,kind,cluster", "by", id="a fourth dimension"),
        pytest.param("by=currency", "by", id="currencies share no figure"),
        pytest.param("by=day", "by", id="time is no dimension here"),
        pytest.param("by=&chart=sankey", "by", id="flows to nowhere"),
        pytest.param("chart=pie", "chart", id="an unknown chart"),
        pytest.param("top=7", "top", id="a top nobody offers"),
        pytest.param("currency=in-XXQ", "currency", id="no currency to convert to"),
        pytest.param('team="a', "team", id="a quote that is left open"),
        pytest.param("team=%00", "team", id="a control character"),
        pytest.param("team=a&team=b", "team", id="a filter given twice"),
        pytest.param("team=" + ",".join(map(str, range(101))), "team", id="too many values"),
        pytest.param("exclude[team]=a&exclude[team]=b", "exclude[team]", id="an exclusion given twice"),
        pytest.param("exclude[wages]=a", "exclude[wages]", id="nothing to leave out of"),
        pytest.param("period=365&start=1&grain=day&top=x", "start,top", id="every fault at once"),
        pytest.param("publication=-1", "publication", id="no such number"),
        pytest.param("drop_table=1", "drop_table", id="a parameter there is not"),
    ],
)
def test_what_cannot_be_meant_is_named_beside_its_field(address, field):
    with pytest.raises(CannotBeAsked) as refused:
        asked(address)
    assert ",".join(refused.value.faults) == field


@pytest.mark.parametrize(
    ("address", "step"),
    [
        pytest.param("period=30", "day", id="a month by day"),
        pytest.param("period=365", "week", id="a year by week"),
        pytest.param("period=30&grain=month", "month", id="as chosen"),
        pytest.param("chart=area&grain=none", "day", id="areas need time"),
        pytest.param("chart=bars&grain=none", "", id="bars do not"),
        pytest.param("chart=treemap&grain=day", "", id="rectangles have no time"),
        pytest.param("chart=table", "", id="a table has time only if asked"),
        pytest.param("chart=table&grain=week", "week", id="and then it has"),
        pytest.param("chart=heatmap&by=team", "day", id="heat of one dimension is over time"),
        pytest.param("chart=heatmap&by=team,service", "", id="heat of two is of both"),
    ],
)
def test_the_time_step(address, step):
    exploration = asked(address)
    window, _ = exploration.windows(date(2026, 10, 31))
    assert exploration.step(window) == step


def test_more_steps_than_can_be_drawn_are_refused_at_the_step():
    exploration = asked("period=custom&start=2022-01-01&last=2026-01-01&grain=day")
    with pytest.raises(CannotBeAsked) as refused:
        exploration.step(exploration.windows(date(2026, 10, 31))[0])
    assert list(refused.value.faults) == ["grain"]


@pytest.mark.parametrize(
    ("period", "end", "window", "before"),
    [
        pytest.param(
            "quarter", "2026-11-11", "2026-10-01 2026-11-11", "2026-07-01 2026-08-11", id="a quarter so far, same days"
        ),
        pytest.param("year", "2026-03-01", "2026-01-01 2026-03-01", "2025-01-01 2025-03-01", id="a year so far"),
    ],
)
def test_longer_periods_so_far(period, end, window, before):
    expected = tuple(Window.parse(*text.split()) for text in (window, before))
    assert windows(period, end=date.fromisoformat(end)) == expected


def test_a_year_before_the_end_of_february():
    assert year_before(Window.parse("2028-02-01", "2028-03-01")) == Window.parse("2027-02-01", "2027-03-01")
    assert year_before(Window.parse("2025-02-01", "2025-03-01")) == Window.parse("2024-02-01", "2024-03-01")
    assert year_before(Window.parse("2024-03-01", "2025-03-01")) == Window.parse("2023-03-01", "2024-03-01")
    assert year_before(Window.parse("2025-02-01", "2025-02-28")) == Window.parse("2024-02-01", "2024-02-28")
    assert year_before(Window.parse("2024-02-01", "2024-02-29")) == Window.parse("2023-02-01", "2023-03-01")


def test_tags_that_were_chosen_divide_and_filter_and_others_do_not(settings):
    settings.COSTOPS_TAG_KEYS = ("env",)
    exploration = asked("by=tag:env,team&tag:env=prod,%22%22")
    assert (exploration.by, exploration.filters) == (("tag:env", "team"), (("tag:env", ("prod", "")),))
    assert asked(exploration.params()) == exploration
    with pytest.raises(CannotBeAsked) as refused:
        asked("by=tag:owner&tag:owner=web")
    assert sorted(refused.value.faults) == ["by", "tag:owner"]
