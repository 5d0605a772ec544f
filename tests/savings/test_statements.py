"""What is stated: read strictly, kept as it was, changed by nobody afterwards."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from hypothesis import given as drawn
from hypothesis import strategies as st

from apps.finops.errors import CostOpsError
from apps.operations.deciding import NotPossible, today
from apps.savings import expecting, scopes, services
from apps.savings.bringing import bring
from apps.savings.models import Initiative
from apps.savings.statements import read_statement, scope_of
from apps.savings.states import MOVES, OF_PEOPLE, allowed
from apps.teams.approval import Actor, NotYours
from apps.teams.models import Team
from tests.savings.ledgers import BEFORE, FINANCE, LILEI, NOW, given, publish, stated

State = Initiative.State


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("team=live", {"team": ("live",)}, id="one dimension"),
        pytest.param(
            "team=live; service=OSS, CDN", {"service": ("OSS", "CDN"), "team": ("live",)}, id="two, values by commas"
        ),
        pytest.param("team=live\nteam=data\n\n", {"team": ("live", "data")}, id="a dimension on two lines"),
        pytest.param('{"team": ["live"]}', {"team": ("live",)}, id="JSON"),
        pytest.param("resource=i-2ze0", {"resource": ("i-2ze0",)}, id="a billed resource"),
    ],
)
def test_scopes_are_read(text, expected):
    assert scopes.read(text) == expected


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param("", "say which cost", id="nothing"),
        pytest.param("live", "is not a dimension and its values", id="no dimension"),
        pytest.param("colour=red", "is not one of", id="an unknown dimension"),
        pytest.param("currency=CNY", "is not one of", id="currency stands by itself"),
        pytest.param("team=", "names no value", id="no value"),
        pytest.param({"team": ["a" * 501]}, "1 to 500 characters", id="too long a value"),
        pytest.param({"team": ["a\x00b"]}, "1 to 500 characters", id="what no database keeps"),
        pytest.param({"team": [f"t{n}" for n in range(51)]}, "up to 50 values", id="too many values"),
        pytest.param("{" * 5000, "begins like JSON", id="a deep nothing"),
    ],
)
def test_what_is_no_scope_is_refused(text, said):
    with pytest.raises(CostOpsError, match=said):
        scopes.read(text)


@drawn(
    st.dictionaries(
        st.sampled_from(scopes.TOLD), st.lists(st.text("abc-9", min_size=1), min_size=1, max_size=4), min_size=1
    )
)
def test_a_scope_that_is_written_reads_the_same(given_scope):
    read = scopes.read(given_scope)

    assert scopes.read(scopes.written(read)) == read


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        pytest.param("name", " ", "name: write", id="no name"),
        pytest.param("name", "x" * 201, "name: write", id="a long name"),
        pytest.param("hypothesis", "", "hypothesis: write", id="no hypothesis"),
        pytest.param("promised_per_month", "lots", "is no amount", id="no amount"),
        pytest.param("promised_per_month", "-1", "at least 0", id="a promise to cost more"),
        pytest.param("promised_per_month", "NaN", "is no amount", id="not a number"),
        pytest.param("start", "tomorrow", "is no day", id="no day"),
        pytest.param("start", "1999-12-31", "this century", id="long ago"),
        pytest.param("window_days", "6", "from 7 to 366", id="less than a week"),
        pytest.param("window_days", "²", "from 7 to 366", id="no digit of ours"),
        pytest.param("transition_days", "93", "from 0 to 92", id="a roll-out of a year"),
        pytest.param("drivers", "a b", "names of unit drivers", id="no driver"),
        pytest.param("controls", "team", "is not a dimension", id="no control"),
        pytest.param("recommendations", "seven", "numbers of recommendations", id="no number"),
        pytest.param("colour", "red", "is no field", id="an unknown field"),
    ],
)
def test_what_cannot_be_stated_is_told_by_its_field(field, value, said):
    with pytest.raises(CostOpsError, match=said):
        read_statement(given(**{field: value}))


def test_a_statement_keeps_every_digit_of_its_promise():
    assert read_statement(given(promised_per_month="0.000000000001")).promised == Decimal("0.000000000001")


@pytest.mark.django_db
def test_what_is_stated_is_never_changed(home):
    publish()
    one = stated()
    kept = {name: getattr(one, name) for name in ("hypothesis", "scope", "promised_text", "start", "controls")}

    with pytest.raises(NotPossible, match="what was said before it began stays"):
        services.rewrite(one, read_statement(given(promised_per_month="1")), by=FINANCE, now=NOW)

    one.refresh_from_db()
    assert {name: getattr(one, name) for name in kept} == kept


@pytest.mark.django_db
def test_a_draft_is_rewritten_until_it_is_stated(home):
    Team.objects.create(name="live")
    one = services.write(read_statement(given()), by=LILEI, now=BEFORE)

    services.rewrite(one, read_statement(given(name="Other", start="2026-09-14")), by=LILEI, now=BEFORE)

    one.refresh_from_db()
    assert (one.name, one.start, one.state) == ("Other", date(2026, 9, 14), State.DRAFT)
    assert [step.action for step in one.steps.order_by("pk")] == ["write", "write"]


@pytest.mark.django_db
@pytest.mark.parametrize("is_rewritten_first", [True, False])
def test_a_draft_that_somebody_rewrites_while_it_is_stated_is_not_stated(home, monkeypatch, is_rewritten_first):
    """What is expected, controls among it, is of what was read: never of the old draft beside the new scope."""
    publish()
    for name in ("live", "data"):
        Team.objects.create(name=name)
    one = services.write(read_statement(given()), by=FINANCE, now=BEFORE)
    other = given(team="data", scope="team=data; service=ECS", controls="team=live; service=CDN")

    def rewrite(*_read, **_on):
        services.rewrite(Initiative.objects.get(pk=one.pk), read_statement(other), by=FINANCE, now=BEFORE)
        return {}

    if is_rewritten_first:
        rewrite()
    else:
        monkeypatch.setattr(expecting, "untouched", rewrite)
    with pytest.raises(NotPossible, match="changed by somebody else just now"):
        services.take(one, "state", by=FINANCE, now=BEFORE)

    one.refresh_from_db()
    assert (one.state, one.scope["team"], one.controls) == (
        State.DRAFT, ["data"], [{"team": ["live"], "service": ["CDN"]}],
    )  # fmt: skip


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("by", "more", "said"),
    [
        pytest.param(Actor("meimei", frozenset({"data"})), {}, "for its members", id="another team's"),
        pytest.param(LILEI, {"scope": "service=OSS"}, "name a team of yours", id="everybody's storage"),
        pytest.param(LILEI, {"scope": "team=live,data"}, "name a team of yours", id="the own and another team"),
        pytest.param(Actor("", frozenset()), {}, "for its members", id="nobody"),
    ],
)
def test_who_may_not_write_what(home, by, more, said):
    Team.objects.create(name="live")

    with pytest.raises(NotYours, match=said):
        services.write(read_statement(given(**more)), by=by, now=BEFORE)

    assert not Initiative.objects.exists()


def test_every_state_has_a_way_out_or_is_the_end():
    ends = {state for state in State if not [name for name in allowed(state) if name != "comment"]}
    assert ends == {State.REVERTED, State.WITHDRAWN}
    assert set(OF_PEOPLE) <= set(MOVES)


@drawn(st.lists(st.sampled_from(sorted(MOVES)), max_size=30))
def test_whatever_is_done_what_was_undone_stays_undone(actions):
    state, seen = State.DRAFT, [State.DRAFT]
    for action in actions:
        state = MOVES[action].get(state, state)
        seen.append(state)
    for gone in (State.REVERTED, State.WITHDRAWN):
        if gone in seen:
            assert set(seen[seen.index(gone) :]) == {gone}
    if State.VERIFIED in seen:
        assert State.STATED in seen


HEAD = "name,hypothesis,team,scope,currency,promised_per_month,start,stated_on\n"
LINE = "Compress,Half the bytes,live,team=live; service=OSS,CNY,4000,2026-09-07,"
WRONG = f"{HEAD}{LINE}\n{LINE.replace('4000', 'x')}\n"


@pytest.mark.django_db
def test_a_ledger_kept_elsewhere_is_brought_with_its_days(home):
    publish()
    Team.objects.create(name="live")

    kept = bring(f"{HEAD}{LINE}2026-09-01\n{LINE}\n".encode("utf-8-sig"), "old.csv", by=FINANCE, now=NOW)

    first, second = (Initiative.objects.get(pk=one.pk) for one in kept)
    assert (first.state, second.state) == (State.STATED, State.DRAFT)
    assert today(first.stated_at) == date(2026, 9, 1)
    assert scope_of(first) == {"service": ("OSS",), "team": ("live",)}


@pytest.mark.django_db
def test_what_was_brought_is_not_brought_again(home):
    publish()
    Team.objects.create(name="live")
    old = f"{HEAD}{LINE}2026-09-01\n{LINE.replace('Compress', 'Tier')}\n".encode()
    compressed, tiered = bring(old, "old.csv", by=FINANCE, now=NOW)

    more = old + f"{LINE.replace('Compress', 'Delete')}\n".encode()
    assert [one.name for one in bring(more, "more.csv", by=FINANCE, now=NOW)] == ["Delete"]

    services.take(tiered, "withdraw", by=FINANCE, now=NOW, why="another way")
    assert [one.name for one in bring(more, "more.csv", by=FINANCE, now=NOW)] == ["Tier"], "it was given up"
    stated = more.replace(b"4000,2026-09-07,\n", b"4000,2026-09-07,2026-09-01\n")
    assert {one.name for one in bring(stated, "stated.csv", by=FINANCE, now=NOW)} == {"Tier", "Delete"}
    assert compressed.state == State.STATED


@pytest.mark.django_db
@pytest.mark.parametrize("zone", ["America/Los_Angeles", "UTC", "Asia/Shanghai"])
def test_what_was_stated_on_a_day_was_stated_on_that_day_wherever_business_is_done(home, settings, zone):
    """It began on the 7th, so that its grade is that of one that was stated late."""
    settings.COSTOPS_TIME_ZONE = zone
    publish()
    Team.objects.create(name="live")

    (kept,) = bring(f"{HEAD}{LINE}2026-09-08\n".encode(), "old.csv", by=FINANCE, now=NOW)

    kept.refresh_from_db()
    assert (today(kept.stated_at), kept.start) == (date(2026, 9, 8), date(2026, 9, 7))


@pytest.mark.django_db
def test_what_was_stated_today_is_brought_while_it_is_yesterday_elsewhere(home, settings):
    settings.COSTOPS_TIME_ZONE = "Asia/Shanghai"
    publish()
    Team.objects.create(name="live")

    early = datetime(2026, 8, 31, 16, 30, tzinfo=UTC)
    (kept,) = bring(f"{HEAD}{LINE}2026-09-01\n".encode(), "old.csv", by=FINANCE, now=early)

    assert kept.state == State.STATED


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("content", "by", "said"),
    [
        pytest.param(b"\xff", FINANCE, "not UTF-8", id="bytes"),
        pytest.param(b"name\n", FINANCE, "holds no initiative", id="no line"),
        pytest.param(b"name,colour\na,b\n", FINANCE, "'colour' is not one of", id="an unknown column"),
        pytest.param(f"{HEAD}{LINE},,,\n".encode(), FINANCE, "as many cells", id="too many cells"),
        pytest.param(f"{HEAD}{LINE}\n{LINE}soon\n".encode(), FINANCE, "line 3, stated_on", id="no day"),
        pytest.param(f"{HEAD}{LINE}2030-01-01\n".encode(), FINANCE, "still to come", id="a day to come"),
        pytest.param(WRONG.encode(), FINANCE, "line 3: promised", id="a cell"),
        pytest.param(f"{HEAD}{LINE}2026-09-01\n".encode(), LILEI, "for finance to bring", id="a lead"),
    ],
)
def test_a_table_that_cannot_be_read_is_told_where_and_nothing_is_kept(home, content, by, said):
    publish()
    Team.objects.create(name="live")

    with pytest.raises(CostOpsError, match=said):
        bring(content, "old.csv", by=by, now=NOW)

    assert not Initiative.objects.exists()
