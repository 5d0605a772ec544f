"""The small languages of OpenCost: windows, steps and filters, by tables and by whatever text there is."""

from datetime import date
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from apps.api.compat.filters import Comparison, Filter, Group, comparisons, parse_filter
from apps.api.compat.windows import MAX_SETS, parse_accumulate, parse_window, sets_of
from apps.finops.windows import Window

THURSDAY = date(2026, 11, 26)
UTC, SHANGHAI = ZoneInfo("UTC"), ZoneInfo("Asia/Shanghai")
FIELDS, KEYED = ("namespace", "cluster", "controllerName"), ("label",)


def said(window: Window) -> str:
    return f"{window.start} {window.end}"


@pytest.mark.parametrize(
    ("text", "zone", "days"),
    [
        pytest.param("today", UTC, "2026-11-26 2026-11-27", id="today is the whole day"),
        pytest.param("yesterday", UTC, "2026-11-25 2026-11-26", id="yesterday"),
        pytest.param("week", UTC, "2026-11-22 2026-11-27", id="the week began on Sunday and ends with today"),
        pytest.param("lastweek", UTC, "2026-11-15 2026-11-22", id="last week, Sunday to Saturday"),
        pytest.param("month", UTC, "2026-11-01 2026-11-27", id="the month so far"),
        pytest.param("lastmonth", UTC, "2026-10-01 2026-11-01", id="last month"),
        pytest.param("1d", UTC, "2026-11-26 2026-11-27", id="one day is today"),
        pytest.param("7d", UTC, "2026-11-20 2026-11-27", id="seven days end with today"),
        pytest.param("24h", UTC, "2026-11-26 2026-11-27", id="24 hours are a day"),
        pytest.param("2880m", UTC, "2026-11-25 2026-11-27", id="2880 minutes are two days"),
        pytest.param("2w", UTC, "2026-11-13 2026-11-27", id="two weeks"),
        pytest.param("7d offset 2d", UTC, "2026-11-18 2026-11-25", id="seven days, two days ago"),
        pytest.param("2026-10-01,2026-11-01", UTC, "2026-10-01 2026-11-01", id="two dates, the end excluded"),
        pytest.param("2026-10-31", UTC, "2026-10-31 2026-11-01", id="one date is that day"),
        pytest.param(
            "2026-10-01T00:00:00Z,2026-10-03T00:00:00Z", UTC, "2026-10-01 2026-10-03", id="two moments at midnight"
        ),
        pytest.param(
            "2026-10-01T00:00:00Z,2026-10-03T23:59:59.999Z", UTC, "2026-10-01 2026-10-04", id="the last second of a day"
        ),
        pytest.param(
            "2026-10-01T00:00:00+08:00,2026-10-01T16:00:00Z",
            SHANGHAI,
            "2026-10-01 2026-10-02",
            id="midnight of business",
        ),
        pytest.param(
            "2026-10-01T00:00:00 08:00,2026-10-02T00:00:00 08:00",
            SHANGHAI,
            "2026-10-01 2026-10-02",
            id="a plus as blank",
        ),
        pytest.param("1790812800,1790985600", UTC, "2026-10-01 2026-10-03", id="Unix seconds"),
        pytest.param("1790812800-1790985600", UTC, "2026-10-01 2026-10-03", id="Unix seconds with a hyphen"),
        pytest.param(
            "1790784000,1790870400", SHANGHAI, "2026-10-01 2026-10-02", id="Unix seconds of business midnight"
        ),
    ],
)
def test_a_window_is_whole_days(text: str, zone: ZoneInfo, days: str) -> None:
    assert said(parse_window(text, today=THURSDAY, zone=zone)) == days


@pytest.mark.parametrize(
    ("text", "zone", "days"),
    [
        pytest.param("1h", UTC, "2026-11-26 2026-11-27", id="an hour is today"),
        pytest.param("36h", UTC, "2026-11-25 2026-11-27", id="a day and a half are two days"),
        pytest.param("2d", UTC, "2026-11-25 2026-11-27", id="two days stay two"),
        pytest.param(
            "2026-10-01T10:30:00Z,2026-10-02T10:30:00Z", UTC, "2026-10-01 2026-10-03", id="half past ten to half past"
        ),
        pytest.param("2026-10-01T10:30:00Z,2026-10-02T00:00:00Z", UTC, "2026-10-01 2026-10-02", id="to a midnight"),
        pytest.param("1790812801,1790812802", UTC, "2026-10-01 2026-10-02", id="a second is its day"),
        pytest.param(
            "2026-10-01T00:00:00Z,2026-10-02T00:00:00Z", SHANGHAI, "2026-10-01 2026-10-03", id="a day of another zone"
        ),
        pytest.param("2026-10-01,2026-10-02", SHANGHAI, "2026-10-01 2026-10-02", id="whole days stay"),
    ],
)
def test_a_window_may_be_widened_to_whole_days(text: str, zone: ZoneInfo, days: str) -> None:
    assert said(parse_window(text, today=THURSDAY, zone=zone, widen=True)) == days


@pytest.mark.parametrize(
    ("text", "why"),
    [
        pytest.param("", "is not a window", id="nothing"),
        pytest.param("fortnight", "is not a window", id="an unknown word"),
        pytest.param("36h", "whole days", id="a day and a half"),
        pytest.param("0d", "whole days", id="no day"),
        pytest.param("45m", "whole days", id="less than a day"),
        pytest.param("7d offset 90m", "whole days", id="an offset of less than a day"),
        pytest.param("2026-10-01T10:30:00Z,2026-10-02T00:00:00Z", "within a day", id="half past ten"),
        pytest.param("1790812801,1790985600", "within a day", id="a second past midnight"),
        pytest.param("2026-10-02,2026-10-01", "before it begins", id="backwards"),
        pytest.param("2026-10-01,2026-10-01", "before it begins", id="an empty window"),
        pytest.param("1980-01-01,2026-10-01", "3660 days, ten years, are the most", id="decades"),
        pytest.param("2026-02-30,2026-03-01", "a day there is not", id="February 30"),
        pytest.param("2026-10-01T25:00:00Z,2026-10-02T00:00:00Z", "a moment there is not", id="25 o'clock"),
        pytest.param("2026-10-01,", "is not a window", id="half a pair"),
        pytest.param("9999999d", "reaches beyond", id="before the calendar"),
        pytest.param("0001-01-01,9999-12-31", "reaches beyond", id="all of time"),
        pytest.param("0,999999999999", "reaches beyond", id="seconds beyond the calendar"),
        pytest.param("٧d", "is not a window", id="digits of another script"),
    ],
)
def test_what_is_not_whole_days_is_refused(text: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        parse_window(text, today=THURSDAY, zone=UTC)


@given(
    text=st.one_of(st.text(), st.from_regex(r"[0-9T:Z,+\- dhmwoffset]{0,60}")), zone=st.sampled_from((UTC, SHANGHAI))
)
@example(text="999999999999,999999999999", zone=UTC)
@example(text="0001-01-01T00:00:00+23:59,0001-01-02T00:00:00Z", zone=SHANGHAI)
@example(text="9999-12-31T23:59:59Z,9999-12-31T23:59:59Z", zone=SHANGHAI)
def test_whatever_a_window_says_it_is_days_or_refused(text: str, zone: ZoneInfo) -> None:
    try:
        window = parse_window(text, today=THURSDAY, zone=zone)
    except ValueError:
        return
    assert window.start < window.end


@given(day=st.dates(date(1971, 1, 1), date(2198, 1, 1)), length=st.integers(1, 400))
def test_two_dates_mean_themselves_however_they_are_written(day: date, length: int) -> None:
    end = date.fromordinal(day.toordinal() + length)
    forms = (f"{day},{end}", f"{day}T00:00:00Z,{end}T00:00:00Z", f"{day}T00:00:00Z,{_before(end)}T23:59:59Z")
    assert {parse_window(form, today=THURSDAY, zone=UTC) for form in forms} == {Window(day, end)}


def _before(day: date) -> date:
    return date.fromordinal(day.toordinal() - 1)


@pytest.mark.parametrize(
    ("step", "accumulate", "starts"),
    [
        pytest.param("", "false", "10-28", id="no step: one set"),
        pytest.param("1d", "true", "10-28", id="accumulated: one set"),
        pytest.param("2d", "false", "10-28 10-30 11-01 11-03", id="two days each, the last cut off"),
        pytest.param("24h", "false", "10-28 10-29 10-30 10-31 11-01 11-02 11-03", id="24 hours each"),
        pytest.param("1d", "week", "10-28 11-01", id="weeks begin on Sunday"),
        pytest.param("", "month", "10-28 11-01", id="months"),
        pytest.param("", "quarter", "10-28", id="a quarter"),
        pytest.param("month", "false", "10-28 11-01", id="a month as a step"),
    ],
)
def test_sets_are_exactly_the_window(step: str, accumulate: str, starts: str) -> None:
    window = Window(date(2026, 10, 28), date(2026, 11, 4))
    found = sets_of(window, step=step, accumulate=accumulate)
    assert [f"{each.start:%m-%d}" for each in found] == starts.split()
    assert [day for each in found for day in each.days()] == list(window.days())


@pytest.mark.parametrize(
    ("step", "why"),
    [("1h", "whole days"), ("0d", "whole days"), ("x", "is not a step"), ("1d", f"more than {MAX_SETS} sets")],
)
def test_a_step_that_cannot_be_answered_is_refused(step: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        sets_of(Window(date(2020, 1, 1), date(2026, 1, 1)), step=step, accumulate="false")


@given(step=st.text(max_size=12), accumulate=st.text(max_size=12), length=st.integers(1, 1_500))
def test_whatever_a_step_says_the_sets_are_the_window_or_it_is_refused(step: str, accumulate: str, length: int) -> None:
    window = Window(THURSDAY, date.fromordinal(THURSDAY.toordinal() + length))
    try:
        found = sets_of(window, step=step, accumulate=parse_accumulate(accumulate))
    except ValueError:
        return
    assert (found[0].start, found[-1].end) == (window.start, window.end)


# --- Filters ------------------------------------------------------------------------------------------------------
def is_(field: str, *values: str, key: str = "") -> Comparison:
    return Comparison(field, key, "is", values)


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        pytest.param("", None, id="nothing filters nothing"),
        pytest.param('namespace:"a"', is_("namespace", "a"), id="one value"),
        pytest.param('namespace:"a","b"', is_("namespace", "a", "b"), id="any of two values"),
        pytest.param(
            'namespace:"a","b"+cluster!:"c"',
            Group(True, (is_("namespace", "a", "b"), Comparison("cluster", "", "is", ("c",), True))),
            id="plus is and, a bang is not",
        ),
        pytest.param(
            'namespace:"a"|cluster:"c"|cluster:"d"',
            Group(False, (is_("namespace", "a"), is_("cluster", "c"), is_("cluster", "d"))),
            id="a bar is or",
        ),
        pytest.param(
            '(namespace:"a"|cluster:"c")+label[app]:"x"',
            Group(True, (Group(False, (is_("namespace", "a"), is_("cluster", "c"))), is_("label", "x", key="app"))),
            id="parentheses mix them",
        ),
        pytest.param('namespace<~:"a"', Comparison("namespace", "", "starts", ("a",)), id="starts with"),
        pytest.param('namespace~>:"a"', Comparison("namespace", "", "ends", ("a",)), id="ends with"),
        pytest.param('namespace~:"a"', Comparison("namespace", "", "contains", ("a",)), id="contains"),
        pytest.param('namespace!<~:"a"', Comparison("namespace", "", "starts", ("a",), True), id="starts not with"),
        pytest.param('namespace!~>:"a"', Comparison("namespace", "", "ends", ("a",), True), id="ends not with"),
        pytest.param('namespace!~:"a"', Comparison("namespace", "", "contains", ("a",), True), id="contains not"),
        pytest.param(
            '  label[ app/x ] : "数据, 仓库" ', is_("label", "数据, 仓库", key="app/x"), id="blanks, keys, any text"
        ),
        pytest.param('namespace:"__unallocated__"', is_("namespace", ""), id="unallocated is an empty field"),
        pytest.param('label:"app"', is_("label", "app"), id="a label without a key"),
    ],
)
def test_a_filter_is_read_as_opencost_reads_it(text: str, tree: Filter | None) -> None:
    assert parse_filter(text, fields=FIELDS, keyed=KEYED) == tree


@pytest.mark.parametrize(
    ("text", "why"),
    [
        pytest.param("namespace", "ends where it needs an operator", id="no operator"),
        pytest.param("namespace:", "ends where it needs a value", id="no value"),
        pytest.param("namespace:a", "has 'a' at 11 where it needs a value in double quotes", id="no quotes"),
        pytest.param('namespace:"a', "at 11: a string without its closing quote", id="half a string"),
        pytest.param('label[app:"a"', "at 6: a key without its closing bracket", id="half a key"),
        pytest.param('shop:"a"', "has 'shop' at 1 where it needs a field: namespace", id="an unknown field"),
        pytest.param('namespace[x]:"a"', "needs an operator", id="a key of a plain field"),
        pytest.param('namespace:"a"+cluster:"b"|cluster:"c"', "use parentheses", id="and mixed with or"),
        pytest.param('(namespace:"a"', "needs a closing parenthesis", id="half a parenthesis"),
        pytest.param('namespace:"a")', "needs . and another|needs \\+ or", id="the other half"),
        pytest.param('namespace:"a"+', "needs a field", id="and what"),
        pytest.param('namespace:"a",', "needs a value", id="or what"),
        pytest.param("(" * 30, "more than 20 deep", id="deep"),
        pytest.param("+".join(['cluster:"c"'] * 201), "more than 200 comparisons", id="many"),
        pytest.param('namespace=="a"', "'=' has no meaning there", id="another language"),
    ],
)
def test_what_is_not_the_language_is_refused(text: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        parse_filter(text, fields=FIELDS, keyed=KEYED)


WORDS = st.sampled_from(
    (*FIELDS, *KEYED, "[app]", "[", "]", ":", "!:", "~:", "<~:", "~>:", '"a"', '"', "(", ")", "+", "|", ",", "x")
)


@given(text=st.one_of(st.text(), st.lists(WORDS).map("".join)))
def test_whatever_a_filter_says_it_is_a_tree_or_refused(text: str) -> None:
    try:
        tree = parse_filter(text, fields=FIELDS, keyed=KEYED)
    except ValueError:
        return
    assert all(each.values and each.field in (*FIELDS, *KEYED) for each in comparisons(tree))


VALUES = st.lists(
    st.text(st.characters(exclude_characters='"')).filter(lambda text: text != "__unallocated__"),
    min_size=1,
    max_size=3,
)
COMPARISONS = st.builds(
    Comparison,
    st.sampled_from(FIELDS),
    st.just(""),
    st.sampled_from(("is", "contains", "starts", "ends")),
    VALUES.map(tuple),
    st.booleans(),
)
TREES = st.recursive(
    COMPARISONS,
    lambda parts: st.builds(Group, st.booleans(), st.lists(parts, min_size=2, max_size=3).map(tuple)),
    max_leaves=6,
)
SIGNS = {"is": ":", "contains": "~:", "starts": "<~:", "ends": "~>:"}


def written(tree: Filter) -> str:
    """A tree as somebody would write it."""
    if isinstance(tree, Comparison):
        values = ",".join(f'"{value}"' for value in tree.values)
        return f"{tree.field}{'!' if tree.is_negated else ''}{SIGNS[tree.kind]}{values}"
    return ("+" if tree.needs_all else "|").join(f"({written(part)})" for part in tree.parts)


@given(tree=TREES)
def test_what_is_written_is_read(tree: Filter) -> None:
    assert parse_filter(written(tree), fields=FIELDS, keyed=KEYED) == tree
