"""A number has one address, whoever spells it, and the address leads back to the same question."""

from datetime import date
from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.marts.cell import address, cell, parameters, question, row_addresses
from apps.marts.query import BadQuestion, CostQuery

OCTOBER = CostQuery(date(2026, 10, 1), date(2026, 11, 1), as_of=7)
names = st.text(st.sampled_from('a数 ,"&=+%\n'), max_size=6)


def read_back(url: str) -> CostQuery:
    return question(dict(parse_qsl(urlsplit(url).query, keep_blank_values=True)))


@given(team=st.lists(names, min_size=1, max_size=3, unique=True), service=names)
def test_an_address_leads_back_to_its_question(team, service):
    asked = CostQuery(
        OCTOBER.start, OCTOBER.end, metric="billed_cost", as_of=3, currency="CNY", rates_as_of=0,
        filters=(("service", (service,)), ("team", tuple(team))),
    )  # fmt: skip
    assert read_back(address("/explain/", asked)) == asked


@given(team=names, service=names)
def test_the_address_of_a_row_is_that_of_its_cell(team, service):
    asked = OCTOBER.narrowed(team="web", region="cn").grouped("day", "team", "service")
    made = row_addresses("/x/", asked, ("day", "team", "service", "currency", "effective_cost"))
    url = made((date(2026, 10, 5), team, service, "USD", None))
    one = cell(asked, day=date(2026, 10, 5), team=team, service=service, currency="USD")
    assert dict(read_back(url).filters) == dict(one.filters)
    assert (read_back(url).start, read_back(url).end) == (date(2026, 10, 5), date(2026, 10, 6))
    assert parameters(read_back(url)) == parameters(one)


@pytest.mark.parametrize(
    ("groups", "start", "end"),
    [
        pytest.param(
            {"week": date(2026, 9, 28)}, "2026-10-01", "2026-10-05", id="a week that begins before the window"
        ),
        pytest.param({"month": "2026-10"}, "2026-10-01", "2026-11-01", id="a month"),
        pytest.param({"day": date(2026, 10, 31)}, "2026-10-31", "2026-11-01", id="a day"),
    ],
)
def test_time_narrows_the_window(groups, start, end):
    told = parameters(cell(OCTOBER, **groups))
    assert (told["start"], told["end"]) == (start, end)


def test_a_filter_narrowed_twice_lets_through_what_both_do():
    twice = OCTOBER.narrowed(team="web").narrowed(team="data")
    with pytest.raises(BadQuestion, match="team is narrowed to nothing"):
        parameters(twice)
    assert parameters(cell(OCTOBER.narrowed(team="web"), team="web"))["team"] == "web"


@pytest.mark.parametrize(
    ("given", "message"),
    [
        pytest.param({"start": "1 Oct"}, "start: '1 Oct' is not a day", id="no day"),
        pytest.param({}, "start: '' is not a day", id="nothing"),
        pytest.param({"start": "2026-10-02", "end": "2026-10-01"}, "must come after start", id="backwards"),
        pytest.param(
            {"as_of": "x"} | parameters(OCTOBER) | {"as_of": "x"}, "as_of: 'x' is not a whole", id="no number"
        ),
        pytest.param({"colour": "red"}, "colour: there is no such parameter", id="unknown"),
        pytest.param(parameters(OCTOBER) | {"team": '"a'}, "team: not a comma-separated list", id="an open quote"),
        pytest.param(parameters(OCTOBER) | {"metric": "x"}, "metric: 'x' is not one of", id="an unknown metric"),
    ],
)
def test_what_is_no_question_is_refused_by_name(given, message):
    with pytest.raises(BadQuestion, match=message):
        question(given)
